"""Preview and result of an import, printed for a person at a terminal."""

from __future__ import annotations

from typing import Any

from consent_gate.cli.console import echo, echo_error, print_table
from consent_gate.home.home import Home
from sims_import.planning.change_text import describe_change, most_serious_first
from sims_import.planning.import_blocks import GatedPlan
from sims_import.planning.preview import answer_lines
from sims_import.reconcile import Change, ChangeKind

MAX_ROWS = 40
"""Changes listed one by one. 'imports show' lists them all."""

_COUNTED = {
    "added": "New pupils",
    "changed": "Pupils with changes",
    "withdrawn": "Pupils who lose a consent",
    "leavers": "Pupils who have left",
    "unchanged": "Pupils without changes",
}


def show_preview(home: Home, preview: dict[str, Any], done: GatedPlan) -> None:
    """Print counts, changes, row problems, open questions and the warnings that stop the import."""
    echo("This import would make these changes:")
    for key, label in _COUNTED.items():
        echo(f"  {label + ':':<34}{len(preview[key])}")
    waiting = sum(len(numbers) for numbers in preview["waiting"].values())
    if waiting:
        echo(f"  {'Changes waiting for an answer:':<34}{waiting}")
    show_uses(preview["preview"])
    show_changes(home, done.apply_now)
    for problem in [*preview["errors"], *preview["warnings"]]:
        echo(f"  Row {problem['row']} {problem['column']}: {problem['message']}")
    for question in preview["questions"]:
        echo(f"  Open question, counts as not stated: {question['message']}")
    for block in preview["blocked"]:
        echo_error(f"  Warning ({block['code']}): {block['message']}")


def show_uses(uses: list[dict[str, Any]]) -> None:
    """What the file says of every use, beside the register, with some pupils of each kind."""
    rows = [
        [line.title, line.answer, str(line.count), str(line.last), ", ".join(line.pupils)]
        for line in answer_lines(uses)
    ]
    if rows:
        print_table("What the file says", ["Use", "Answer", "Pupils", "Now", "Such as"], rows)


def show_changes(home: Home, changes: tuple[Change, ...] | list[Change]) -> None:
    """Print a table of the changes, the most serious first, without names and new pupils."""
    titles = home.settings.consent_titles
    new = {change.pupil for change in changes if change.kind is ChangeKind.ADDED}
    listed = most_serious_first(change for change in changes if change.pupil not in new)
    if not listed:
        return
    rows = ([c.pupil, describe_change(c, titles, names=False)] for c in listed[:MAX_ROWS])
    print_table("Changes", ["Pupil", "What changes"], rows)
    if len(listed) > MAX_ROWS:
        echo(f"  and {len(listed) - MAX_ROWS} more: 'imports show' lists them after the import.")


def show_result(result: dict[str, Any]) -> None:
    """Print what an import did."""
    if result["status"] == "applied":
        echo("The import is applied.")
    else:
        echo_error(
            "Not all changes are applied. Changes that only hold pictures are applied already."
        )
        for block in result["blocked"]:
            echo_error(f"  If this is right, run the command again with --accept {block['code']}")
    echo(f"  {'Enrolled for face matching:':<34}{len(result['enrolled'])}")
    echo(f"  {'Enrolment photos not used:':<34}{len(result['not_enrolled'])}")
    for photo in result["not_enrolled"]:
        echo(f"    {photo['pupil']}: {photo['reason']}")
    echo(f"  {'Published pictures withdrawn:':<34}{result['recalled']}")
    for problem in result["warnings"]:
        if problem["row"] == 0:
            echo(f"  {problem['message']}")
