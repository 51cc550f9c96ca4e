"""The command ``doctor``, which checks the installation for the technician."""

from __future__ import annotations

import typer

from consent_gate.cli.app import AsJson, app
from consent_gate.cli.console import echo, print_json, print_table
from consent_gate.operations.health.health_check import State, worst_state

LABELS = {State.GOOD: "good", State.WARNING: "please check", State.BAD: "PROBLEM"}


@app.command()
def doctor(context: typer.Context, as_json: AsJson = False) -> None:
    """Check the installation, the folders, the keys, the database and the clock.

    Changes nothing. Exit 1 if there is a problem.

    Example: consent-gate --home /srv/consent-gate doctor
    """
    from consent_gate.operations.doctor.doctor import examine

    found = examine(context.obj)
    state = worst_state(found)
    if as_json:
        print_json({"ok": state is not State.BAD, "findings": [check.as_dict() for check in found]})
    else:
        rows = [[check.title, LABELS[check.state], check.message] for check in found]
        print_table("Health", ["Check", "State", ""], rows)
        echo({State.BAD: "There is a problem: see above."}.get(state, "No problem was found."))
    raise typer.Exit(1 if state is State.BAD else 0)
