"""Decide pictures again and store what follows, in one transaction."""
