"""Fixtures of the attacks that need the staff pages."""

from tests.support.web_fixtures import logged_in, world

__all__ = ["logged_in", "world"]
