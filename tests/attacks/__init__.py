"""What an adversary, or bad luck, would try: each test is a way to get a child out unseen."""
