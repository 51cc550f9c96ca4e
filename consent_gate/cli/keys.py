"""The command ``keys change``, which replaces the keys of a home."""

from __future__ import annotations

import typer

from consent_gate.cli.app import AsJson, By, app
from consent_gate.cli.console import echo, print_json

keys = typer.Typer(
    help="The keys that protect templates, portraits and originals.\n\n"
    "Example: consent-gate --home /srv/consent-gate keys change"
)
app.add_typer(keys, name="keys")


@keys.command("change")
def change(
    context: typer.Context,
    by: By = "",
    as_json: AsJson = False,
) -> None:
    """Replace the keys of the home, for example after a copy of the keys was lost.

    Stop the gate first. Everybody must log in again. Old backups open only with the old keys.

    Example: consent-gate --home /srv/consent-gate keys change
    """
    from consent_gate.operations.rotate_keys import rotate_keys

    count = rotate_keys(context.obj, by)
    if as_json:
        print_json({"sealed_anew": count})
        return
    echo(f"The keys are replaced. {count} entries were encrypted again.")
    echo("Now copy the new keys to a safe place and make a backup: consent-gate backup FOLDER.")
    echo("After that backup, destroy the old copies of the keys and all older backups.")
