"""The keys of a home."""

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
    """Give the home new keys: after a stick was lost, or somebody left who had them.

    Stop the gate first. Everybody has to log in again. Old backups open only with the old keys.

    Example: consent-gate --home /srv/consent-gate keys change
    """
    from consent_gate.operations.rotate_keys import rotate_keys

    count = rotate_keys(context.obj, by)
    if as_json:
        print_json({"sealed_anew": count})
        return
    echo(f"The keys are new; {count} entries were sealed anew.")
    echo(
        "Copy the new keys to their safe place now, and make a backup: consent-gate backup FOLDER."
    )
    echo(
        "Destroy the old copies of the keys, and backups older than this, when the new one is made."
    )
