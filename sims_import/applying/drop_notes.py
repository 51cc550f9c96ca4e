"""Move dropped files out of the way, each with a note for the office."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import Any

from consent_gate.home.filesystem import printable_name, replace_with, set_modified
from consent_gate.home.home import Home

_COUNTED = {
    "added": "New pupils",
    "changed": "Pupils with changes",
    "withdrawn": "Pupils who lost a consent",
    "leavers": "Pupils who have left",
    "enrolled": "Enrolled for face matching",
}


def free_path(home: Home, folder: str, name: str) -> Path:
    """A path in a folder of ``HOME/sims`` that no file has yet."""
    name = printable_name(name)
    target, number = home.sims / folder / name, 1
    while os.path.lexists(target):
        again = "" if number == 1 else f" {number}"
        target = target.with_name(f"{home.now():%Y-%m-%d %H%M%S}{again} {name}")
        number += 1
    return target


def archive_file(home: Home, path: Path, target: Path, result: dict[str, Any]) -> None:
    """Move a file to a free path and write what became of it.

    Raises:
        OSError: The file cannot be moved, or the note cannot be written.
    """
    target.parent.mkdir(exist_ok=True)
    path.rename(target)
    with suppress(OSError):  # somebody else's file on a share keeps its own date
        set_modified(target, home.clock())
    _waiting_note(home, path).unlink(missing_ok=True)
    write_note(home, target, result)


def write_note(home: Home, path: Path, result: dict[str, Any]) -> None:
    """Write what became of a file, in plain words and with admission numbers only."""
    _write(home, path, result_note(home, path.name, result))


def put_aside(home: Home, path: Path, message: str) -> None:
    """Move what is no file to ``waiting`` without opening it, and say why.

    Raises:
        OSError: It cannot be moved.
    """
    target = free_path(home, "waiting", path.name)
    target.parent.mkdir(exist_ok=True)
    path.rename(target)
    _write(home, target, f"{target.name}\n\n{message}\n")


def note_waiting(home: Home, path: Path, message: str) -> None:
    """Say once why a file that stays in the drop folder cannot be read yet."""
    note = _waiting_note(home, path)
    if not note.exists():
        _write(home, note.with_suffix(""), f"{printable_name(path.name)}\n\n{message}\n")


def _waiting_note(home: Home, path: Path) -> Path:
    return home.sims / "waiting" / f"{printable_name(path.name)} (not read yet).txt"


def _write(home: Home, path: Path, text: str) -> None:
    note = path.with_name(f"{path.name}.txt")
    replace_with(note, text.encode(), 0o600)
    set_modified(note, home.clock())


def result_note(home: Home, name: str, result: dict[str, Any]) -> str:
    """What became of a dropped file, for the office."""
    lines = [f"{name}, looked at on {home.now():%d/%m/%Y at %H:%M}", ""]
    if result.get("status") == "blocked":
        lines += ["A person has to look at this import. What only holds pictures is in force."]
        lines += [f"- {brake['message']} ({brake['code']})" for brake in result["blocked"]]
        lines += ["Open the page Imports, or use 'consent-gate imports accept'.", ""]
    lines += [f"{words}: {len(result[key])}" for key, words in _COUNTED.items() if key in result]
    if "recalled" in result:
        lines.append(f"Published pictures taken back: {result['recalled']}")
    left_out = result.get("not_enrolled", [])
    lines += ["", f"Photos left out: {len(left_out)}"] if left_out else []
    lines += [f"- {left['pupil']}: {left['reason']}" for left in left_out]
    lines += [f"- {problem['message']}" for problem in result.get("warnings", [])]
    return "\n".join(lines) + "\n"
