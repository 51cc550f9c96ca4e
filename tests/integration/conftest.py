"""Fixtures of the tests that need a home."""

from tests.support.bucket import bucket
from tests.support.web_fixtures import logged_in, world

__all__ = ["bucket", "logged_in", "world"]
