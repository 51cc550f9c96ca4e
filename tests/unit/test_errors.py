"""Every error has its own documented exit code and says what to do next."""

from __future__ import annotations

import importlib
import pkgutil
import re
from pathlib import Path

import consent_gate
import ingest
import publish
import sims_import
from consent_gate.errors import GateError

DOCS = Path(__file__).parents[2] / "docs" / "exit-codes.md"


def error_classes() -> list[type[GateError]]:
    for package in (consent_gate, ingest, publish, sims_import):
        for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
            if ".migrations" not in module.name and ".commands" not in module.name:
                importlib.import_module(module.name)
    found, queue = [], [GateError]
    while queue:
        queue += queue[0].__subclasses__()
        found.append(queue.pop(0))
    return found


def with_their_own_code() -> list[type[GateError]]:
    """Errors that end a command; those of the web pages share the base's code."""
    return [cls for cls in error_classes() if "exit_code" in vars(cls)]


def test_exit_codes_are_unique_and_leave_the_usual_ones_alone() -> None:
    codes = [cls.exit_code for cls in with_their_own_code()]
    assert len(codes) == len(set(codes))
    assert not {0, 1, 2} & set(codes)


def test_every_exit_code_is_documented() -> None:
    documented = dict(re.findall(r"^\| (\d+) \| `(\w+)`", DOCS.read_text("utf-8"), re.M))
    assert documented == {str(cls.exit_code): cls.__name__ for cls in with_their_own_code()}


def test_every_error_says_what_to_do_next() -> None:
    assert all(cls.next_step for cls in with_their_own_code())
