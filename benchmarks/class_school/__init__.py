"""Measure how many group photos of class events are released, by the number of people."""
