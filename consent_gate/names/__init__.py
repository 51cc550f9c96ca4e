"""Compares written text with the names of pupils. Pure functions of text."""
