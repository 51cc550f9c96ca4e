"""Moves dropped files out of the drop folder, each with a note for the office."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import Any

from consent_gate.home.filesystem import printable_name, replace_with, set_modified
from consent_gate.home.home import Home
from sims_import.planning.preview import answer_lines

_COUNTED = {
    "added": "New pupils",
    "changed": "Pupils with changes",
    "withdrawn": "Pupils who lost a consent",
    "leavers": "Pupils who have left",
    "enrolled": "Enrolled for face matching",
}


def free_path(home: Home, folder: str, name: str) -> Path:
    """Return a free path for ``name`` in a folder of ``HOME/sims``. Adds date and time if taken."""
    name = printable_name(name)
    target, number = home.sims / folder / name, 1
    while os.path.lexists(target):
        suffix = "" if number == 1 else f" {number}"
        target = target.with_name(f"{home.now():%Y-%m-%d %H%M%S}{suffix} {name}")
        number += 1
    return target


def archive_file(home: Home, path: Path, target: Path, result: dict[str, Any]) -> None:
    """Move a file to a free path, and write a note on the result beside it.

    Raises:
        OSError: The file cannot be moved, or the note cannot be written.
    """
    target.parent.mkdir(exist_ok=True)
    path.rename(target)
    with suppress(OSError):  # on a network share another account's file keeps its date
        set_modified(target, home.clock())
    _waiting_note(home, path).unlink(missing_ok=True)
    write_note(home, target, result)


def write_note(home: Home, path: Path, result: dict[str, Any]) -> None:
    """Write the note on a file beside it. The note names pupils by admission number only."""
    _write(home, path, result_note(home, path.name, result))


def put_aside(home: Home, path: Path, message: str) -> None:
    """Move a folder, link or device to ``waiting`` unopened, with a note that says why.

    Raises:
        OSError: It cannot be moved, or the note cannot be written.
    """
    target = free_path(home, "waiting", path.name)
    target.parent.mkdir(exist_ok=True)
    path.rename(target)
    _write(home, target, f"{target.name}\n\n{message}\n")


def note_waiting(home: Home, path: Path, message: str) -> None:
    """Write why a file that stays in the drop folder cannot be imported yet.

    A note that says the same is not written again.

    Raises:
        OSError: The note cannot be written.
    """
    note = _waiting_note(home, path)
    text = f"{printable_name(path.name)}\n\n{message}\n"
    if not (note.exists() and note.read_text("utf-8") == text):
        _write(home, note.with_suffix(""), text)


def _waiting_note(home: Home, path: Path) -> Path:
    return home.sims / "waiting" / f"{printable_name(path.name)} (not read yet).txt"


def _write(home: Home, path: Path, text: str) -> None:
    note = path.with_name(f"{path.name}.txt")
    replace_with(note, text.encode(), 0o600)
    set_modified(note, home.clock())


def _problem_line(problem: dict[str, Any]) -> str:
    where = [f"row {problem['row']}"] if problem.get("row") else []
    where += [f"'{problem['column']}'"] if problem.get("column") else []
    return f"- {', '.join(where)}: {problem['message']}" if where else f"- {problem['message']}"


def _open_question_lines(questions: list[dict[str, Any]]) -> list[str]:
    """Lines with the questions of the page Imports, without samples from the file."""
    if not questions:
        return []
    asked = [f"- {question['message']}" for question in questions]
    return ["Open questions. Until somebody answers, it counts as not stated:", *asked, ""]


def _preview_lines(uses: list[dict[str, Any]]) -> list[str]:
    """Lines with the file's answers for each use, beside those of the register."""
    if not uses:
        return []
    lines = ["What the file says of each use (in brackets: what the register says now):"]
    for line in answer_lines(uses):
        such = f", such as {', '.join(line.pupils)}" if line.pupils else ""
        lines.append(f"- {line.title}, {line.answer}: {line.count} ({line.last}){such}")
    return [*lines, ""]


def result_note(home: Home, name: str, result: dict[str, Any]) -> str:
    """Return the office's note on a file: what was applied, what waits and what is asked."""
    lines = [f"{name}, read on {home.now():%d/%m/%Y at %H:%M}", ""]
    if result.get("status") == "blocked":
        lines += [f"- {block['message']} ({block['code']})" for block in result["blocked"]]
        if all(block["code"] == "unreadable" for block in result["blocked"]):
            lines += ["Nothing in this file was read or applied.", ""]
        else:
            lines[2:2] = [
                "This import waits for a person. Withdrawals and refusals are in force already."
            ]
            lines += ["Open the page Imports, or use 'consent-gate imports accept'.", ""]
    lines += _open_question_lines(result.get("questions", []))
    lines += _preview_lines(result.get("preview", []))
    lines += [f"{label}: {len(result[key])}" for key, label in _COUNTED.items() if key in result]
    if "recalled" in result:
        lines.append(f"Published pictures withdrawn: {result['recalled']}")
    left_out = result.get("not_enrolled", [])
    lines += ["", f"Photos left out: {len(left_out)}"] if left_out else []
    lines += [f"- {left['pupil']}: {left['reason']}" for left in left_out]
    problems = [*result.get("errors", []), *result.get("warnings", [])]
    lines += [_problem_line(problem) for problem in problems]
    return "\n".join(lines) + "\n"
