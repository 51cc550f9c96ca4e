"""Reads the bytes of an export into a table that keeps the place of every cell."""
