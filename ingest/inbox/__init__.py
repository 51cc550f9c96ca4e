"""The watched folder: scan, stability and claim of files."""
