"""Fixtures of the tests that need a whole home."""

from tests.web_fixtures import logged_in, world

__all__ = ["logged_in", "world"]
