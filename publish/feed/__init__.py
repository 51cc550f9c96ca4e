"""The HTTP feed of a channel."""
