"""Back up a home and its keys, and restore them without undoing a revocation."""
