"""Embedders: each turns found faces into unit vectors that are alike for one person."""
