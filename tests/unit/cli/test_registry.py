"""Every command is listed, is imported only when it is run, and explains itself with an example."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pkgutil import iter_modules
from typing import Any, cast

import pytest
from rich.text import Text
from typer.main import get_command

import consent_gate.cli
from consent_gate.cli.app import Commands, app, imported_command
from consent_gate.cli.registry import COMMANDS

SLOW_TO_IMPORT = {"dlib", "matplotlib", "onnx", "onnxruntime", "scipy"}
"""Packages for face models and charts, which most commands do without."""


def commands() -> Iterator[tuple[str, Any]]:
    """Every command and group by its whole name."""
    waiting = [(name, imported_command(name)) for name in COMMANDS]
    while waiting:
        name, command = waiting.pop()
        yield name, command
        for part, inner in getattr(command, "commands", {}).items():
            waiting.append((f"{name} {part}", inner))


CONTRACT = """init import-sims ingest run check items explain calibrate recall sanitise verify
backup restore doctor status demo pupil publish audit user"""


@pytest.mark.parametrize(("name", "command"), list(commands()))
def test_every_command_has_an_example(name: str, command: Any) -> None:
    assert re.search(rf"Example: consent-gate (--home \S+ )?{name}\b", command.help or "")


@pytest.mark.parametrize(("name", "command"), list(commands()))
def test_every_word_that_may_be_typed_is_explained(name: str, command: Any) -> None:
    assert [p.name for p in command.params if not getattr(p, "help", "")] == []


def test_every_command_of_the_contract_is_there() -> None:
    assert set(CONTRACT.split()) <= {name for name, _ in commands()}


@pytest.mark.parametrize(("name", "command"), list(commands()))
def test_no_word_in_brackets_is_lost_in_print(name: str, command: Any) -> None:
    """Rich takes ``[analysis]`` for a colour and prints nothing."""
    for text in (command.help, *(p.help for p in command.params)):
        assert Text.from_markup(text).plain == text.replace("\\[", "[")


def test_every_command_that_a_module_adds_is_listed() -> None:
    for module in iter_modules(consent_gate.cli.__path__):
        import_module(f"consent_gate.cli.{module.name}")
    assert set(cast(Commands, get_command(app)).imported) == set(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_the_list_says_what_the_command_says_of_itself(name: str) -> None:
    said = imported_command(name).help.split("\n\n")[0]
    assert COMMANDS[name].summary == said.replace("\n", " ")


def test_listing_the_commands_and_showing_the_state_load_no_face_models() -> None:
    """In a process of its own: this one has loaded everything."""
    program = """
import json, sys
from typer.testing import CliRunner
from consent_gate.bootstrap import configure_django
configure_django()
from consent_gate.cli.app import app
assert "Maintenance" in CliRunner().invoke(app, ["--help"]).stdout
listing = list(sys.modules)
assert CliRunner().invoke(app, ["status", "--help"]).exit_code == 0
print(json.dumps([listing, list(sys.modules)]))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    listing, status = map(set, json.loads(done.stdout))
    ours = {name for name in listing if name.startswith("consent_gate.cli.")}
    assert ours == {"consent_gate.cli.app", "consent_gate.cli.registry"}
    assert listing & (SLOW_TO_IMPORT | {"cv2", "numpy"}) == set()
    assert status & SLOW_TO_IMPORT == set()
    assert "consent_gate.cli.calibrate" not in status
