"""Verify a rendered file, independently of the code that wrote it, before it is published."""
