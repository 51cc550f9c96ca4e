"""The commands ``trust``: several schools in one installation, and their figures."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from consent_gate.cli.app import AsJson, app
from consent_gate.cli.console import echo, print_json, print_table
from consent_gate.messages import counted
from consent_gate.operations.trust import (
    Trust,
    add_school,
    check_nothing_shared,
    load_trust,
    open_summary,
)

trust_app = typer.Typer(
    help="Several schools in one installation, each with a home of its own.\n\n"
    "Example: consent-gate trust status /srv/trust",
    no_args_is_help=True,
)
app.add_typer(trust_app, name="trust")

TrustFolder = Annotated[Path, typer.Argument(help="Folder with trust.toml.")]


@trust_app.command("add")
def add(
    folder: TrustFolder,
    name: Annotated[str, typer.Argument(help="Short name of the school, e.g. oakwood.")],
    home: Annotated[
        Path, typer.Argument(help="Home folder of the school, made by 'consent-gate init'.")
    ],
) -> None:
    """Add a school. It must not share a folder, schema, database role or key with another.

    Example: consent-gate trust add /srv/trust oakwood /srv/schools/oakwood
    """
    trust = add_school(folder, name, home)
    echo(f"{name} is added. The trust has {counted(len(trust.schools), 'school')} now.")


@trust_app.command("list")
def list_schools(folder: TrustFolder, as_json: AsJson = False) -> None:
    """List the schools and their homes, and check that no two share anything.

    Example: consent-gate trust list /srv/trust
    """
    trust = load_trust(folder)
    check_nothing_shared(trust)
    for name, home in sorted(trust.schools.items()):
        if as_json:
            print_json({"school": name, "home": str(home)})
        else:
            echo(f"{name}  {home}")


@trust_app.command("status")
def status(folder: TrustFolder, as_json: AsJson = False) -> None:
    """Show figures of each school for the trust's data protection officer. Never shows a name.

    Exit 1 if a school cannot be read. Example: consent-gate trust status /srv/trust
    """
    trust = load_trust(folder)
    rows = [(name, school_status(trust, name)) for name in sorted(trust.schools)]
    if as_json:
        for name, numbers in rows:
            print_json({**numbers, "school": name})
    else:
        columns = (
            "school",
            "consent",
            "pupils",
            "waiting",
            "decided",
            "published",
            "held",
            "problems",
        )
        print_table("Schools", columns, [_table_row(name, numbers) for name, numbers in rows])
    raise typer.Exit(1 if any("error" in numbers for _, numbers in rows) else 0)


def school_status(trust: Trust, name: str) -> dict[str, Any]:
    """Return the figures of one school, without file names; or the name of the error."""
    from django.db import DatabaseError

    from consent_gate.cli.status import status_data
    from consent_gate.errors import GateError
    from consent_gate.operations.health import health
    from consent_gate.operations.health.health_check import State

    try:
        home = open_summary(trust.schools[name])
        data = status_data(home)
        trouble = [f.code for f in health.all_checks(home) if f.state is State.BAD]
    except (GateError, DatabaseError, OSError) as error:
        return {"error": type(error).__name__}
    return {**data, "title": data["school"], "trouble": trouble}


def _table_row(name: str, numbers: dict[str, Any]) -> tuple[str, ...]:
    if "error" in numbers:
        return (name, *[""] * 6, f"cannot be read ({numbers['error']})")
    register, channels = numbers["register"], numbers["channels"].values()
    return (
        name,
        "TOO OLD" if register["stale"] else f"{register['age_days']} days old",
        str(register["pupils"]),
        str(numbers["waiting"]),
        str(numbers["decided"]),
        str(sum(channel["live"] for channel in channels)),
        str(sum(channel["held"] for channel in channels)),
        ", ".join(numbers["trouble"]),
    )
