"""Attacks: ways in which a picture came out that had to stay in."""
