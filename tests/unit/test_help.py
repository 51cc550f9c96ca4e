"""Every command explains itself with an example."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from typer.main import get_command

from consent_gate.cli.commands import app


def commands() -> Iterator[tuple[str, str]]:
    """Every command and group by its whole name, with its help."""
    waiting = [("", get_command(app))]
    while waiting:
        name, command = waiting.pop()
        if name:
            yield name.strip(), command.help or ""
        for part, inner in getattr(command, "commands", {}).items():
            waiting.append((f"{name} {part}", inner))


CONTRACT = """init import-sims ingest run check items explain calibrate recall sanitise verify
backup restore doctor status demo pupil publish audit user"""


@pytest.mark.parametrize(("name", "text"), list(commands()))
def test_every_command_has_an_example(name: str, text: str) -> None:
    assert re.search(rf"Example: consent-gate (--home \S+ )?{name}\b", text)


def test_every_command_of_the_contract_is_there() -> None:
    assert set(CONTRACT.split()) <= {name for name, _ in commands()}
