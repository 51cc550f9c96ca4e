"""Hashes the tests' passwords by MD5, except in tests of logging in."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.contrib.auth import hashers

from consent_gate.home import django_settings

QUICK = "django.contrib.auth.hashers.MD5PasswordHasher"


def use_md5() -> None:
    """Keep new passwords by MD5. What production's hasher made is recognised all the same."""
    if QUICK not in django_settings.PASSWORD_HASHERS:
        django_settings.PASSWORD_HASHERS.insert(0, QUICK)  # in place: open homes share the list
    _reset_hashers()


@contextmanager
def production_hasher() -> Iterator[None]:
    """Keep and recognise passwords by production's hasher alone."""
    django_settings.PASSWORD_HASHERS.remove(QUICK)
    _reset_hashers()
    try:
        yield
    finally:
        use_md5()


def _reset_hashers() -> None:
    """Django remembers the hashers it was told first."""
    hashers.reset_hashers(setting="PASSWORD_HASHERS")
