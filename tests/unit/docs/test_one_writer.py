"""Only ``decisions.publications`` makes publications and changes their state."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PACKAGES = ("consent_gate", "ingest", "publish", "sims_import")
WRITER = Path("consent_gate/decisions/publications.py")

OTHER_STATES = {"ItemState"}
"""Enumerations whose values other modules write to a field ``state`` of their own tables."""

MAKING = {"create", "get_or_create", "update_or_create", "bulk_create", "bulk_update", "delete"}
"""Methods of a manager or a query that make, replace or delete rows."""


def sources() -> Iterator[Path]:
    """Every module of the program but the writer and the migrations."""
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            relative = path.relative_to(ROOT)
            if relative != WRITER and "migrations" not in relative.parts:
                yield relative


def writes(source: str) -> list[str]:
    """The places of a source that may make a publication or change its state, as text."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            values = [key.value for key in node.keywords if key.arg == "state"]
            if values and name_of(node.func) in {*MAKING, "update"} and not all(map(other, values)):
                found.append(ast.unparse(node))
            if name_of(node.func) == "Publication":
                found.append(ast.unparse(node))
            made = isinstance(node.func, ast.Attribute) and node.func.attr in MAKING
            if made and "Publication.objects" in ast.unparse(node.func):
                found.append(ast.unparse(node))
        targets = node.targets if isinstance(node, ast.Assign) else []
        if isinstance(node, ast.AugAssign | ast.AnnAssign):
            targets = [node.target]
        for target in targets:
            state = isinstance(target, ast.Attribute) and target.attr == "state"
            if state and not (isinstance(node, ast.Assign) and other(node.value)):
                found.append(ast.unparse(node))
        if isinstance(node, ast.Constant) and "UPDATE gate_publication " in str(node.value):
            found.append(str(node.value))
    return found


def name_of(function: ast.expr) -> str:
    """The last part of a called name."""
    return ast.unparse(function).rpartition(".")[2]


def other(value: ast.expr) -> bool:
    """Whether each state that the expression can be is of another table."""
    if isinstance(value, ast.IfExp):
        return other(value.body) and other(value.orelse)
    return ast.unparse(value).rpartition(".")[0] in OTHER_STATES


def test_no_other_module_moves_a_publication() -> None:
    found = {str(p): writes((ROOT / p).read_text(encoding="utf-8")) for p in sources()}
    assert len(found) > 300
    assert {path: places for path, places in found.items() if places} == {}


@pytest.mark.parametrize(
    "source",
    [
        "row.state = PublicationState.LIVE",
        "row.state = transition.after",
        "rows.update(state=PublicationState.CLOSED)",
        "rows.filter(pk=1).update(state=after, cause='x')",
        "Publication.objects.create(item=item)",
        "Publication.objects.filter(pk=1).delete()",
        "Publication(item=item).save()",
        "cursor.execute('UPDATE gate_publication SET state = 1')",
        "item.state = ItemState.ERASED if erased else PublicationState.LIVE",
    ],
)
def test_another_writer_would_be_found(source: str) -> None:
    assert writes(source)


def test_the_writer_is_seen_to_write() -> None:
    assert len(writes((ROOT / WRITER).read_text(encoding="utf-8"))) >= 4
