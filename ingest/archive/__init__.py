"""Screening of pictures outside the gate, such as an archive or the live website."""
