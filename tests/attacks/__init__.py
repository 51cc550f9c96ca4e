"""Tests of what an attacker or an accident could do to release a child's picture wrongly."""
