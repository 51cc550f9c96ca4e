"""How much a test tries: a part of the examples in `make test`, all in `make test-all`."""

from __future__ import annotations

import os

VARIABLE = "CONSENT_GATE_TEST_THOROUGH"
"""Set to 1, it has every test try its full number of examples."""

SHARE = 4
"""A quick run tries this part of the examples of the tests that ask for ``examples``."""


def examples(full: int) -> int:
    """Return how many of ``full`` examples this run tries."""
    return full if is_thorough() else max(full // SHARE, 5)


def is_thorough() -> bool:
    """Return whether this run tries everything."""
    return os.environ.get(VARIABLE) == "1"
