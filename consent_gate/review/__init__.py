"""What staff do to one picture, without HTTP."""
