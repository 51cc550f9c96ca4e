"""`make test-all` runs every test somewhere, whatever its marks are."""

from __future__ import annotations

import ast
import itertools
import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[3]
MAKEFILE = (ROOT / "Makefile").read_text("utf-8").replace("\\\n", " ")

WORDS = ("slow", "costly", "wordpress", "dialect", "sqlite_only", "postgresql_only")
"""The marks by which the runs choose; ``tests/conftest.py`` leaves out the other database's."""


@dataclass(frozen=True)
class Run:
    """One call of pytest in a recipe."""

    database: str
    marks: str
    """The expression after ``-m``."""

    def has(self, marks: set[str]) -> bool:
        """Return whether a test with these marks is run."""
        other = "sqlite" if self.database == "postgresql" else "postgresql"
        chosen = eval(self.marks, {}, {word: word in marks for word in WORDS})  # noqa: S307
        return chosen and f"{other}_only" not in marks


def runs_of(makefile: str, target: str) -> list[Run]:
    """Return the calls of pytest of a target and of those that it needs."""
    head = re.search(rf"^{target}:(.*)\n((?:\t.*\n|#.*\n)*)", makefile, re.MULTILINE)
    if head is None:
        return []
    needed = [run for name in head[1].split() for run in runs_of(makefile, name)]
    calls = re.findall(r"(?:\$\(PYTEST\)|-m pytest)([^&\n]*)", head[2])
    return [*needed, *map(_run_of, calls)]


def _run_of(arguments: str) -> Run:
    database = re.search(r"--database (\w+)", arguments)
    marks = re.search(r'-m "([^"]+)"|-m (\w+)', arguments)
    assert marks, arguments
    return Run(database[1] if database else "sqlite", marks[1] or marks[2])


def left_out(makefile: str, target: str) -> list[set[str]]:
    """Return the combinations of marks with which a test is in no run of the target."""
    runs = runs_of(makefile, target)
    combinations = (
        set(itertools.compress(WORDS, chosen))
        for chosen in itertools.product((True, False), repeat=len(WORDS))
    )
    return [
        marks
        for marks in combinations
        if not {"sqlite_only", "postgresql_only"} <= marks
        and not {"wordpress", "postgresql_only"} <= marks
        and not any(run.has(marks) for run in runs)
    ]


def test_no_test_runs_nowhere() -> None:
    assert left_out(MAKEFILE, "test-all") == []


def test_a_run_that_is_missing_would_be_found() -> None:
    assert {"slow"} in left_out(MAKEFILE, "test")
    assert {"slow", "sqlite_only"} in left_out(
        MAKEFILE.replace("slow and sqlite_only", "wordpress"), "test-all"
    )
    assert left_out("test-all:\n", "test-all")


def test_what_make_test_runs_is_run_on_sqlite_and_what_depends_on_the_database_on_both() -> None:
    runs = runs_of(MAKEFILE, "test")
    assert [run.database for run in runs if run.has(set())] == ["sqlite"]
    assert [run.database for run in runs if run.has({"dialect"})] == ["sqlite", "postgresql"]


def test_only_make_test_fast_leaves_out_costly_tests() -> None:
    assert not any(run.has({"costly"}) for run in runs_of(MAKEFILE, "test-fast"))
    assert {"costly"} not in left_out(MAKEFILE, "test")
    assert {"costly", "dialect"} not in left_out(MAKEFILE, "test")


def test_tests_of_wordpress_lie_in_their_folder_and_name_no_database() -> None:
    """That run has no other folder and no PostgreSQL."""
    for path in (ROOT / "tests").rglob("test_*.py"):
        tree = ast.walk(ast.parse(path.read_text("utf-8")))
        marks = {ast.unparse(node) for node in tree if isinstance(node, ast.Attribute)}
        inside = path.parent.name == "wordpress"
        assert inside or "pytest.mark.wordpress" not in marks, path
        assert not inside or "pytest.mark.postgresql_only" not in marks, path
