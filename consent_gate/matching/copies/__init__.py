"""Recognise copies of closed pictures by their pixels and points, as pure functions."""
