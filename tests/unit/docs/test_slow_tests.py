"""Each slow test has a quick one of the same rule, which `make test` runs: tests/README.md."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[2]
PARAMETRIZE = "pytest.mark.parametrize"
ROW = re.compile(r"^\| `([\w/]+\.py::\w+)` \| (`.+`) \|$", re.MULTILINE)


@dataclass(frozen=True)
class WrittenTest:
    """A test as its file has it."""

    name: str
    """``folder/test_file.py::test_name``, relative to ``tests``."""
    is_slow: bool
    """Every case of it is slow."""
    has_slow_cases: bool
    needs_photos: bool
    """It is skipped without the test photos."""


def written_tests(source: str, file: str) -> Iterator[WrittenTest]:
    """Yield the tests of a file, those in classes too."""
    tree = ast.parse(source)
    whole = [
        line.value
        for line in tree.body
        if isinstance(line, ast.Assign) and ast.unparse(line.targets[0]) == "pytestmark"
    ]
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            marks = [*node.decorator_list, *whole]
            of_all_cases = [m for m in marks if not ast.unparse(m).startswith(PARAMETRIZE)]
            arguments = {argument.arg for argument in node.args.args}
            yield WrittenTest(
                f"{file}::{node.name}",
                is_slow=has_mark(of_all_cases, "slow"),
                has_slow_cases=has_mark(marks, "slow"),
                needs_photos="shared_data" in arguments or has_mark(marks, "shared_data"),
            )


def has_mark(marks: Sequence[ast.expr], name: str) -> bool:
    """Return whether ``pytest.mark.name`` is written in one of them."""
    return any(
        isinstance(part, ast.Attribute) and ast.unparse(part) == f"pytest.mark.{name}"
        for mark in marks
        for part in ast.walk(mark)
    )


def all_tests() -> dict[str, WrittenTest]:
    """Return every test by name."""
    return {
        test.name: test
        for path in TESTS.rglob("test_*.py")
        for test in written_tests(path.read_text("utf-8"), path.relative_to(TESTS).as_posix())
    }


def table() -> dict[str, list[str]]:
    """Return the quick tests by slow test, as tests/README.md has them."""
    rows = ROW.findall((TESTS / "README.md").read_text("utf-8"))
    assert len({slow for slow, _ in rows}) == len(rows)
    return {slow: re.findall("`([^`]+)`", quick) for slow, quick in rows}


def test_the_table_has_every_slow_test_and_no_other() -> None:
    slow = {test.name for test in all_tests().values() if test.has_slow_cases}
    assert len(slow) > 15
    assert set(table()) == slow


def test_each_slow_test_names_quick_tests_that_run_in_any_clone() -> None:
    tests = all_tests()
    for slow, quick in table().items():
        found = [tests[name] for name in quick]
        assert found, slow
        assert not any(test.is_slow for test in found), slow
        assert not all(test.needs_photos for test in found), slow


@pytest.mark.parametrize(
    ("source", "is_slow", "has_slow_cases"),
    [
        ("def test_x(): ...", False, False),
        ("@pytest.mark.slow\ndef test_x(): ...", True, True),
        ("class TestY:\n    @pytest.mark.slow\n    def test_x(self): ...", True, True),
        ("pytestmark = [pytest.mark.slow]\ndef test_x(): ...", True, True),
        (
            "@pytest.mark.parametrize('n', [1, pytest.param(2, marks=pytest.mark.slow)])\n"
            "def test_x(n): ...",
            False,
            True,
        ),
    ],
)
def test_a_slow_test_is_recognised_by_its_mark(
    source: str, is_slow: bool, has_slow_cases: bool
) -> None:
    (found,) = written_tests(source, "test_made_up.py")
    assert (found.is_slow, found.has_slow_cases) == (is_slow, has_slow_cases)
