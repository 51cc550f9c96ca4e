"""Render, verify, release and recall pictures. No other package writes to an approved folder."""
