"""Bringing consent in from SIMS and other school record systems."""
