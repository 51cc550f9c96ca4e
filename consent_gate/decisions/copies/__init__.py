"""Copies of closed pictures: what is kept of a closed picture, and what holds its copies."""
