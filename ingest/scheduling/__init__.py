"""Which item is examined next, and which process holds the home."""
