"""Every statement that depends on the database's dialect is met by a test that runs on both."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import consent_gate
import ingest
import publish
import sims_import

ROOT = Path(__file__).parents[3]

DEPENDS = re.compile(
    r"\.cursor\(\)|select_for_update|bulk_create|__has_key|__contains|Cast\(|connection\.vendor"
    r"|except \(?[\w, ]*DatabaseError|OperationalError"
)
"""Locks, statements written by hand, questions into JSON, many rows at once, faults."""

NEEDS_A_SERVER = re.compile(r"home_on_postgresql|postgresql_server")
"""Runs on PostgreSQL whatever the other tests run on, as everything in ``tests/scale`` does."""

REACHED_BY = {
    "consent_gate.bootstrap": "test_postgresql",
    "consent_gate.cameras": "test_cameras",
    "consent_gate.cli.trust": "test_schools_apart",
    "consent_gate.close_again": "test_backup",
    "consent_gate.db.bulk": "test_web_scale",
    "consent_gate.db.copy_rows": "test_database_move",
    "consent_gate.db.decisions": "test_web_review_service",
    "consent_gate.db.lookalikes": "test_enrol",
    "consent_gate.db.postgresql.base": "test_postgresql",
    "consent_gate.db.threshold_store": "test_matching_choices",
    "consent_gate.db.trail": "test_backup",
    "consent_gate.doctor": "test_doctor",
    "consent_gate.health": "test_metrics",
    "consent_gate.jobs": "test_jobs",
    "consent_gate.move_database": "test_database_move",
    "consent_gate.web.queue": "test_web_pages",
    "consent_gate.web.saving": "test_web_review_service",
    "consent_gate.web.sealed_exports": "test_sealed_exports",
    "ingest.pipeline": "test_demo",
    "ingest.rota": "test_schools_apart",
    "ingest.runner": "test_watching_faults",
    "ingest.trouble": "test_watching_faults",
    "publish.feed": "test_feed",
    "publish.feed_tokens": "test_feed",
    "publish.guard": "test_guard",
    "publish.manifest": "test_recall",
    "publish.recall": "test_recall",
    "publish.release": "test_demo",
    "publish.retention": "test_retention",
    "publish.take_back": "test_recall",
    "publish.tickets": "test_recall",
    "sims_import.enrol_face": "test_enrol_face",
    "sims_import.lifting": "test_lifting",
    "sims_import.templates": "test_enrol",
}
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
        always = path.parent.name == "scale" or NEEDS_A_SERVER.search(text)
        assert always or is_marked(text), test


def is_marked(source: str) -> bool:
    """Whether all tests of a module are marked; what stands in a text is no mark."""
    marks = (
        ast.unparse(line.value)
        for line in ast.parse(source).body
        if isinstance(line, ast.Assign) and ast.unparse(line.targets[0]) == "pytestmark"
    )
    return any("pytest.mark.dialect" in mark for mark in marks)
