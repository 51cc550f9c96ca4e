"""Every statement that depends on the database's dialect is met by a test that runs on both."""

from __future__ import annotations

import re
from pathlib import Path

import consent_gate
import ingest
import publish
import sims_import

ROOT = Path(__file__).parents[3]
INTEGRATION = ROOT / "tests" / "integration"

DEPENDS = re.compile(
    r"\.cursor\(\)|select_for_update|bulk_create|__has_key|__contains|Cast\(|connection\.vendor"
    r"|except \(?[\w, ]*DatabaseError|OperationalError"
)
"""Locks, statements written by hand, questions into JSON, many rows at once, faults."""

MARKED = re.compile(r"pytest\.mark\.dialect\b")
NEEDS_A_SERVER = re.compile(r"home_on_postgresql|postgresql_server|pytest\.mark\.sqlite_only")
"""Runs on PostgreSQL whatever the other tests run on."""

REACHED_BY = {
TABLE}
"""By module that has such statements, the test that carries them out."""


def modules_that_depend() -> dict[str, Path]:
    """By dotted name: what the pattern is in, but migrations and the PostgreSQL backend."""
    found = {}
    for package in (consent_gate, ingest, publish, sims_import):
        folder = Path(str(package.__file__)).parent
        for path in folder.rglob("*.py"):
            name = ".".join(path.relative_to(folder.parent).with_suffix("").parts)
            if ".migrations." not in name and DEPENDS.search(path.read_text("utf-8")):
                found[name] = path
    return found


def test_every_module_with_such_statements_names_the_test_that_meets_them() -> None:
    assert set(REACHED_BY) == set(modules_that_depend())


def test_each_of_these_tests_runs_on_either_database() -> None:
    for test in set(REACHED_BY.values()):
        (path,) = (ROOT / "tests").glob(f"*/{test}.py")
        text = path.read_text("utf-8")
        assert MARKED.search(text) or NEEDS_A_SERVER.search(text), test
