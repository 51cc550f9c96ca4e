"""Which column of an export means what."""
