"""Fixtures of the tests that need a whole home."""

from tests.web_fixtures import logged_in, school

__all__ = ["logged_in", "school"]
