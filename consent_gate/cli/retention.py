"""The command ``retention``, which deletes expired data. ``run`` does the same every hour."""

from __future__ import annotations

from dataclasses import asdict

import typer

from consent_gate.cli.app import AsJson, app, open_selected_home
from consent_gate.cli.console import echo, print_json
from consent_gate.messages import counted


@app.command()
def retention(context: typer.Context, as_json: AsJson = False) -> None:
    """Delete permanently what is older than the retention periods in the settings.

    Example: consent-gate --home /srv/consent-gate retention
    """
    from publish.retention import retention_round

    done = retention_round(open_selected_home(context))
    if as_json:
        print_json(asdict(done))
        return
    echo(counted(done.refused, "refused picture was", "refused pictures were") + " erased.")
    echo(f"{done.originals} originals and {done.previews} previews were deleted.")
    echo(f"{done.withdrawn} closed withdrawals were removed from the manifests.")
