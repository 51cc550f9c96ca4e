"""Turns the rows of an export into one record for each pupil."""
