"""The rules in force, what follows when they change, and both rule books as one text."""
