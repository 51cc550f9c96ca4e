"""Is everything in order? For whoever looks after the machine."""

from __future__ import annotations

import typer

from consent_gate.cli.app import AsJson, app
from consent_gate.cli.console import echo, print_json, print_table
from consent_gate.operations.health import State, worst_state

WORDS = {State.GOOD: "good", State.WARNING: "have a look", State.BAD: "NOT WELL"}


@app.command()
def doctor(context: typer.Context, as_json: AsJson = False) -> None:
    """Look at the installation, the folders, the keys, the database and the clock.

    Changes nothing. Exit 1 if something is not well.

    Example: consent-gate --home /srv/consent-gate doctor
    """
    from consent_gate.operations.doctor import examine

    found = examine(context.obj)
    state = worst_state(found)
    if as_json:
        print_json(
            {"ok": state is not State.BAD, "findings": [finding.as_dict() for finding in found]}
        )
    else:
        rows = [[check.title, WORDS[check.state], check.message] for check in found]
        print_table("Health", ["What", "State", ""], rows)
        echo({State.BAD: "Something is not well: see above."}.get(state, "All is well."))
    raise typer.Exit(1 if state is State.BAD else 0)
