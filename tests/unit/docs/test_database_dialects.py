"""Every module whose statements depend on the database names a test that runs on both databases."""

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
    "consent_gate.bootstrap": "integration/db/test_postgresql",
    "consent_gate.decisions.closed_pictures": "attacks/test_closed_copies",
    "consent_gate.decisions.cameras": "integration/decisions/test_cameras",
    "consent_gate.cli.trust": "scale/test_schools_apart",
    "consent_gate.operations.restore_replay": "integration/operations/test_restore_replay",
    "consent_gate.db.bulk": "integration/web/test_large_school",
    "consent_gate.operations.copy_rows": "integration/operations/test_move_database",
    "consent_gate.db.vacuum": "integration/ingest/enrolment/test_enrol",
    "consent_gate.decisions.apply": "integration/review/test_service",
    "consent_gate.decisions.publications": "integration/publish/test_recall",
    "consent_gate.decisions.lookalikes": "integration/ingest/enrolment/test_enrol",
    "consent_gate.db.postgresql.base": "integration/db/test_postgresql",
    "consent_gate.register.thresholds": "integration/register/test_matching_choices",
    "consent_gate.db.audit_log": "integration/operations/test_backup",
    "consent_gate.decisions.event_classes": "integration/decisions/test_event_classes",
    "consent_gate.operations.doctor": "integration/operations/test_doctor",
    "consent_gate.operations.machine_checks": "integration/operations/test_metrics",
    "consent_gate.db.jobs": "scale/test_jobs",
    "consent_gate.home.clock": "scale/test_worker_machines",
    "consent_gate.operations.move_database": "integration/operations/test_move_database",
    "consent_gate.web.channel": "attacks/test_slow_clients",
    "consent_gate.web.pages.queue": "integration/web/test_pages",
    "consent_gate.review.transaction": "integration/review/test_service",
    "consent_gate.review.sealed_exports": "integration/review/test_sealed_exports",
    "ingest.examinations": "integration/operations/test_demo",
    "consent_gate.operations.school_scheduler": "scale/test_schools_apart",
    "ingest.runtime.runner": "faults/test_disk",
    "ingest.runtime.faults": "faults/test_disk",
    "ingest.enrolment.upload_queue": "attacks/test_hostile_neighbours",
    "sims_import.applying.drop_folder": "attacks/test_hostile_neighbours",
    "consent_gate.review.descriptions": "integration/publish/test_albums",
    "publish.feed.views": "integration/publish/test_feed",
    "publish.feed.tokens": "integration/publish/test_feed",
    "publish.integrity.check": "integration/publish/test_integrity_check",
    "publish.channel.manifest": "integration/publish/test_recall",
    "publish.recall.withdraw": "integration/publish/test_recall",
    "publish.release": "integration/operations/test_demo",
    "publish.retention": "integration/publish/test_retention",
    "publish.recall.by_hand": "integration/publish/test_recall",
    "publish.recall.tickets": "integration/publish/test_recall",
    "ingest.enrolment.from_picture": "integration/ingest/enrolment/test_from_picture",
    "consent_gate.subject_rights.never_publish": "integration/subject_rights/test_never_publish",
}
"""The test file below ``tests`` that runs the statements, by the module that has them."""


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
        path = ROOT / "tests" / f"{test}.py"
        text = path.read_text("utf-8")
        always = test.startswith("scale/") or NEEDS_A_SERVER.search(text)
        assert always or is_marked(text), test


def is_marked(source: str) -> bool:
    """Whether a module or at least one test in it is marked; what stands in a text is no mark."""
    marks = [ast.unparse(mark) for line in ast.parse(source).body for mark in _marks_of(line)]
    return any("pytest.mark.dialect" in mark for mark in marks)


def _marks_of(line: ast.stmt) -> list[ast.expr]:
    match line:
        case ast.Assign(targets=[ast.Name(id="pytestmark")]):
            return [line.value]
        case ast.FunctionDef(name=name) if name.startswith("test_"):
            return line.decorator_list
    return []
