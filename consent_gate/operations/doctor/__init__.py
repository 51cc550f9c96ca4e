"""Check the whole installation, for the technician."""
