"""Independent proof of a finished file before it is published."""
