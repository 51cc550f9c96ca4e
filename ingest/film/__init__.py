"""Examine films: decode every frame, follow each face, and find who is shown at which time."""
