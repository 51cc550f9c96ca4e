"""The figures in docs/architecture.md are those of the code."""

from __future__ import annotations

import re

import grimp
import pytest

from benchmarks.architecture import PACKAGES, ROOT, Figures, figures, import_graph

TABLE = (ROOT / "docs" / "architecture.md").read_text("utf-8")
NEAR = 0.1
"""Arrows and lines may differ by this share. Each change of the code moves them a little."""
HINT = "the table has other figures than `python -m benchmarks.architecture`"


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    return import_graph()


def stated(package: str) -> Figures:
    """The figures after the arrows in the package's row."""
    row = re.search(rf"^\| `{package}` \|(.*)\|$", TABLE, re.MULTILINE)
    assert row
    after = (cell.split("→")[1] for cell in row[1].split("|"))
    return Figures(*(int(cell.replace(" ", "").replace("\u202f", "")) for cell in after))


@pytest.mark.parametrize("package", PACKAGES)
def test_the_table_of_the_architecture_is_current(package: str, graph: grimp.ImportGraph) -> None:
    now, written = figures(package, graph), stated(package)
    assert (written.rooms, written.circles) == (now.rooms, now.circles), HINT
    assert written.arrows == pytest.approx(now.arrows, rel=NEAR), HINT
    assert written.lines == pytest.approx(now.lines, rel=NEAR), HINT


def test_a_circle_would_be_counted() -> None:
    graph = grimp.ImportGraph()
    for name in ("publish", "publish.one", "publish.two", "publish.three"):
        graph.add_module(name)
    graph.add_import(importer="publish.one", imported="publish.two")
    graph.add_import(importer="publish.two", imported="publish.three")
    assert figures("publish", graph).circles == 0
    graph.add_import(importer="publish.three", imported="publish.one")
    assert figures("publish", graph).circles == 1
