"""Every command explains itself with an example."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from rich.text import Text
from typer.main import get_command

from consent_gate.cli.registry import app


def commands() -> Iterator[tuple[str, Any]]:
    """Every command and group by its whole name."""
    waiting: list[tuple[str, Any]] = [("", get_command(app))]
    while waiting:
        name, command = waiting.pop()
        if name:
            yield name.strip(), command
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
