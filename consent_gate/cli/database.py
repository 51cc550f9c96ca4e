"""The command ``database move``, which moves a home to PostgreSQL."""

from __future__ import annotations

import getpass
from typing import Annotated

import typer

from consent_gate.cli.app import AsJson, app, open_selected_home
from consent_gate.cli.console import echo, print_json, progress_bar

group = typer.Typer(no_args_is_help=True)
app.add_typer(
    group,
    name="database",
    help="Move the home's database to PostgreSQL.\n\n"
    "Example: consent-gate database move postgresql://oakfield@db/consent_gate?schema=oakfield",
)


@group.command()
def move(
    context: typer.Context,
    address: Annotated[
        str,
        typer.Argument(
            help="postgresql://ROLE@HOST:PORT/DATABASE?schema=SCHEMA, without the password."
        ),
    ],
    as_json: AsJson = False,
) -> None:
    """Move everything from the SQLite file to a PostgreSQL schema. Stop the gate first.

    The settings change only after every row was compared and the audit trail was verified. If the
    server needs a password, put it into the file secrets/database-password.

    Example: consent-gate database move "postgresql://oakfield@db/consent_gate?schema=oakfield"
    """
    from consent_gate.home.database_url import from_address
    from consent_gate.operations.database.move_database import move_to_postgresql

    chosen = from_address(address)
    home = open_selected_home(context)
    with progress_bar() as bar:
        task = bar.add_task("Moving", total=None)
        copied = move_to_postgresql(
            home,
            chosen,
            getpass.getuser(),
            lambda done, total: bar.update(task, completed=done, total=total),
        )
    if as_json:
        rows = {"rows": copied.rows, "audit_sequence": copied.audit_sequence}
        print_json({"status": "moved", "schema": chosen.schema_name, **rows})
        return
    echo(f"Moved and verified: {copied.total} rows of {len(copied.rows)} tables.")
    echo(f"The audit trail is complete up to entry {copied.audit_sequence}.")
    echo("The old database file stays beside the settings. The next backup removes it.")
    echo("Start the gate again: consent-gate run")
