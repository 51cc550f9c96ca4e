"""Measures which faces the finder finds, by angle, height, place and condition."""
