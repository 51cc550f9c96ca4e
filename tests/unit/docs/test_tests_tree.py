"""Unit tests lie where the modules that they test lie: tests/README.md states the rule."""

from __future__ import annotations

import ast
import importlib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
UNIT = ROOT / "tests" / "unit"
PACKAGES = ("benchmarks", "ingest", "publish", "sims_import")
"""Packages whose name is a folder of ``tests/unit``. What else lies there is of consent_gate."""

OURS = {"consent_gate", "tests", *PACKAGES}

HOMES = {"home", "home_on_postgresql", "demo_school", "world"}
"""Fixtures that create a home."""

NO_MODULE = {
    "docs": "checks files of the repository: documents, deployment files, contracts, this tree",
    "policy": "one module, consent_gate/policy.py, whose tests are several files",
    "publication": "one module, consent_gate/publication.py, whose tests are several files",
    "sims_import/readers/test_html_and_json.py": "two small readers with the same rules",
    "sims_import/test_closed_world.py": "the plain rules of an import, over all of its modules",
    "sims_import/test_closed_world_properties.py": "properties of a whole import",
    "sims_import/test_each_rule_of_the_closed_world.py": "deletes each rule of a whole import",
    "publish/verification/test_webp_and_avif.py": "the same tests run for both formats",
}
"""Folders and files of ``tests/unit`` that name no module, with the reason."""


def unit_tests() -> list[Path]:
    """Return every test file below ``tests/unit``, relative to it."""
    return sorted(path.relative_to(UNIT) for path in UNIT.rglob("test_*.py"))


def module_of(test: Path) -> Path:
    """Return the path of the module or package that a unit test names, without an ending."""
    top = ROOT if test.parts[0] in PACKAGES else ROOT / "consent_gate"
    return top / test.parent / test.stem.removeprefix("test_")


def exists(module: Path) -> bool:
    """Return whether there is such a module, or such a package."""
    return module.with_suffix(".py").is_file() or (module / "__init__.py").is_file()


def is_exception(test: Path) -> bool:
    """Return whether the test file is allowed to name no module."""
    return test.parts[0] in NO_MODULE or test.as_posix() in NO_MODULE


@pytest.mark.parametrize("test", [test for test in unit_tests() if not is_exception(test)], ids=str)
def test_a_unit_test_names_the_module_that_it_tests(test: Path) -> None:
    assert exists(module_of(test)), f"no module {module_of(test).relative_to(ROOT)}.py"


def test_a_file_that_names_no_module_would_be_found() -> None:
    assert exists(module_of(Path("matching/test_gallery.py")))
    assert exists(module_of(Path("ingest/faces/test_detectors.py")))
    assert not exists(module_of(Path("matching/test_galleries.py")))
    assert not exists(module_of(Path("gallery/test_gallery.py")))


def test_each_exception_is_still_needed() -> None:
    for name in NO_MODULE:
        files = [t for t in unit_tests() if name in (t.parts[0], t.as_posix())]
        assert files, name
        assert not all(exists(module_of(test)) for test in files), name


def test_each_folder_of_tests_is_a_package() -> None:
    folders = {test.parent for test in UNIT.rglob("test_*.py")}
    assert [folder for folder in sorted(folders) if not (folder / "__init__.py").exists()] == []


def test_no_unit_test_needs_a_home() -> None:
    for path in unit_tests():
        for node in ast.walk(ast.parse((UNIT / path).read_text("utf-8"))):
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                assert not {argument.arg for argument in node.args.args} & HOMES, (path, node.name)


def test_no_test_file_takes_helpers_from_another_folder() -> None:
    """Shared helpers lie in ``tests/support``, so that a test file can move or go."""
    for path in (ROOT / "tests").rglob("test_*.py"):
        own = ".".join(path.parent.relative_to(ROOT).parts)
        for line in path.read_text("utf-8").splitlines():
            if line.startswith(("from tests.", "import tests.")):
                module = line.split()[1]
                assert module.startswith(("tests.support", "tests.conftest", own)), path


def programs() -> Iterator[tuple[Path, ast.Module]]:
    """Yield each string in a test that is a Python program: tests start them as processes."""
    for path in (ROOT / "tests").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            parts = node.values if isinstance(node, ast.JoinedStr) else [node]
            text = "".join(
                part.value
                if isinstance(part, ast.Constant) and isinstance(part.value, str)
                else "0"
                for part in parts
            )
            if "import " in text:
                try:
                    yield path, ast.parse(text)
                except SyntaxError:
                    continue


def test_programs_in_tests_import_names_that_exist() -> None:
    """No type checker reads them, and a child process that cannot start may look like a kill."""
    named = [
        (path, line.module, alias.name)
        for path, program in programs()
        for line in ast.walk(program)
        if isinstance(line, ast.ImportFrom) and line.module
        for alias in line.names
        if line.module.split(".")[0] in OURS
    ]
    missing = [
        (path.name, f"{module}.{name}")
        for path, module, name in named
        if not exists(ROOT.joinpath(*module.split("."), name))
        and not hasattr(importlib.import_module(module), name)
    ]
    assert len(named) > 10
    assert missing == []
