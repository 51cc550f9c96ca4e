"""Examine films: see every frame, follow each face, and say who is shown when."""
