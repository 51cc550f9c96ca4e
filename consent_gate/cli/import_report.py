"""What an import would change, and what it did, for a person at a terminal."""

from __future__ import annotations

from typing import Any

from consent_gate.cli.console import echo, echo_error, print_table
from consent_gate.home.home import Home
from sims_import.planning.change_text import describe_change, most_serious_first
from sims_import.planning.import_blocks import GatedPlan
from sims_import.planning.preview import answer_lines
from sims_import.reconcile import Change, ChangeKind

MAX_ROWS = 40
"""Changes listed one by one; 'imports show' lists them all."""

_COUNTED = {
    "added": "New pupils",
    "changed": "Pupils with changes",
    "withdrawn": "Pupils who lose a consent",
    "leavers": "Pupils who have left",
    "unchanged": "Pupils without changes",
}


def show_preview(home: Home, preview: dict[str, Any], done: GatedPlan) -> None:
    """Counts, the changes one by one, odd rows, open questions and what stops it."""
    echo("This import would make these changes:")
    for key, words in _COUNTED.items():
        echo(f"  {words + ':':<34}{len(preview[key])}")
    waiting = sum(len(numbers) for numbers in preview["waiting"].values())
    if waiting:
        echo(f"  {'Waiting for a person:':<34}{waiting}")
    show_uses(preview["preview"])
    show_changes(home, done.apply_now)
    for problem in [*preview["errors"], *preview["warnings"]]:
        echo(f"  Row {problem['row']} {problem['column']}: {problem['message']}")
    for question in preview["questions"]:
        echo(f"  Open, so not stated: {question['message']}")
    for block in preview["blocked"]:
        echo_error(f"  Stopped ({block['code']}): {block['message']}")


def show_uses(uses: list[dict[str, Any]]) -> None:
    """What the file says of every use, beside the register, with some pupils of each kind."""
    rows = [
        [line.title, line.answer, str(line.count), str(line.last), ", ".join(line.pupils)]
        for line in answer_lines(uses)
    ]
    if rows:
        print_table("What the file says", ["Use", "Answer", "Pupils", "Now", "Such as"], rows)


def show_changes(home: Home, changes: tuple[Change, ...] | list[Change]) -> None:
    """A table of the changes, the most serious first; new pupils are only counted. No names."""
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
    """What was done."""
    if result["status"] == "applied":
        echo("Applied.")
    else:
        echo_error("Not all of it was applied. What only holds pictures back is in force already.")
        for block in result["blocked"]:
            echo_error(f"  If it is right, say: --accept {block['code']}")
    echo(f"  {'Enrolled for face matching:':<34}{len(result['enrolled'])}")
    echo(f"  {'Enrolment photos left out:':<34}{len(result['not_enrolled'])}")
    for left in result["not_enrolled"]:
        echo(f"    {left['pupil']}: {left['reason']}")
    echo(f"  {'Released pictures taken back:':<34}{result['recalled']}")
    for problem in result["warnings"]:
        if problem["row"] == 0:
            echo(f"  {problem['message']}")
