"""Commands with odd arguments end with a sentence and an exit code, never with a traceback."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.db import connection
from typer.testing import CliRunner

from consent_gate.cli.app import app
from consent_gate.errors import GateError
from consent_gate.home.home import Home

NOT_TEXT = "caf\udce9.jpg"
"""How Python gives a command the bytes of a name that is not UTF-8."""

LONG = "x" * 300


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (("pupil", "show", NOT_TEXT), 2),
        (("explain", NOT_TEXT), 2),
        (("event-album", NOT_TEXT, "Sports day"), 2),
        (("user", "close", NOT_TEXT), 2),
        (("recall", "--event", NOT_TEXT, "--confirm"), 18),
        (("audit", "export", ""), 10),
        (("audit", "export", "."), 10),
        (("audit", "export", LONG), 10),
        (("audit", "export", "missing/trail.jsonl"), 10),
        (("audit", "export", "\0"), 2),
        (("backup", LONG), 10),
        (("rules", "--html", "."), 2),
    ],
)
def test_odd_arguments_are_answered_in_words(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: tuple[str, ...], code: int
) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    connection.close()
    result = CliRunner().invoke(app, ["--home", str(home.root), *line])
    error = result.exception
    assert isinstance(error, SystemExit | GateError), repr(error)
    assert code == (error.exit_code if isinstance(error, GateError) else error.code)
    assert not list((tmp_path / "here").iterdir()), "nothing half-written is left"
