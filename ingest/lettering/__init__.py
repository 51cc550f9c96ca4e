"""Text that can be read in a picture: where it is, and what it says."""
