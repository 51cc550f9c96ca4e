"""The command ``init``, which makes a home folder."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from consent_gate.bootstrap import create_home
from consent_gate.cli.app import app
from consent_gate.cli.console import echo
from consent_gate.home.database_url import from_address


@app.command()
def init(
    folder: Annotated[Path, typer.Argument(help="Folder for the new home.")],
    postgresql: Annotated[
        str | None,
        typer.Option(help="Use PostgreSQL: postgresql://ROLE@HOST:PORT/DATABASE?schema=SCHEMA."),
    ] = None,
) -> None:
    """Make a home folder: settings, keys, database and the folders for photos.

    Example: consent-gate init /srv/consent-gate
    """
    home = create_home(folder, from_address(postgresql) if postgresql else None)
    echo(f"The home is ready: {home.root}")
    echo(f"  Settings:            {home.root / 'consent-gate.toml'}")
    echo(f"  Drop photos into:    {home.inbox}")
    for name, channel in home.settings.channels.items():
        echo(f"  {channel.title + ':':<20} {home.approved(name)}")
    echo(f"Keep a copy of the keys in {home.secrets}, apart from your backups. Without the keys,")
    echo("nobody can open the data. With keys and data, anybody can.")
    echo(f"Next: consent-gate --home {home.root} import-sims YOUR-EXPORT.csv --photos PORTRAITS")
