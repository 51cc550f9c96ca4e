"""Check whether the running gate works, and count its work for monitoring."""
