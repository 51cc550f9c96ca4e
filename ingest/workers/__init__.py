"""Killable worker processes under a sandbox."""
