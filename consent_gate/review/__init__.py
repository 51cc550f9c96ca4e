"""The actions of staff on one picture, without HTTP."""
