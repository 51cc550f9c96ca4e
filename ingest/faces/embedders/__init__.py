"""Embedders: each converts faces to unit vectors that are close for one person."""
