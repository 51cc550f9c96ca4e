"""A channel's approved folder and its manifest."""
