"""Commands that verify the approved folders, the audit trail and single pictures."""

from __future__ import annotations

import getpass
import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from consent_gate.cli.app import AsJson, app, open_selected_home
from consent_gate.cli.console import echo, print_json
from consent_gate.db import audit_log
from consent_gate.home.filesystem import atomic_file, replace_with
from consent_gate.home.home import Home
from consent_gate.register.repository import load_gallery

if TYPE_CHECKING:
    from publish.integrity.check import Discrepancy

publish_app = typer.Typer(
    help="Check and refill the approved folders.\n\n"
    "Example: consent-gate --home /srv/consent-gate publish verify",
    no_args_is_help=True,
)
audit_app = typer.Typer(
    help="Verify and export the audit trail.\n\n"
    "Example: consent-gate --home /srv/consent-gate audit verify",
    no_args_is_help=True,
)
app.add_typer(publish_app, name="publish")
app.add_typer(audit_app, name="audit")


@publish_app.command("verify")
def publish_verify(
    context: typer.Context,
    mend: Annotated[
        bool,
        typer.Option("--mend", help="Remove unknown files and restore missing pictures."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Compare the approved folders with the database, byte for byte. Exit 1 if they differ.

    With --mend, unknown files are moved to the home's quarantine folder and missing or changed
    pictures are made again. Exit 1 if a difference remains.

    Example: consent-gate --home /srv/consent-gate publish verify
    """
    from publish.integrity.check import find_discrepancies

    home = open_selected_home(context)
    found = find_discrepancies(home)
    left = _repair(home) if found and mend else found
    if as_json:
        mended = {"mended": [asdict(problem) for problem in found]} if mend else {}
        print_json({"ok": not left, "problems": [asdict(problem) for problem in left], **mended})
    elif not left:
        echo("Every approved folder holds exactly the released pictures.")
    for problem in left if not as_json else ():
        echo(f"{home.approved(problem.channel) / problem.file}: {problem.sentence}")
    raise typer.Exit(1 if left else 0)


def _repair(home: Home) -> list[Discrepancy]:
    """Repair the folders. Returns the remaining differences."""
    from ingest.workers.analysis_pool import AnalysisPool
    from publish.integrity.check import find_discrepancies, integrity_round

    with AnalysisPool(home, load_gallery(home)) as pool:
        integrity_round(home, pool)
    return find_discrepancies(home)


@publish_app.command("adopt")
def publish_adopt(
    context: typer.Context,
    channel: Annotated[str, typer.Argument(help="Name of the channel, e.g. website.")],
) -> None:
    """Confirm that a channel's folder was moved or emptied on purpose. It is filled again.

    Example: consent-gate --home /srv/consent-gate publish adopt website
    """
    from publish.channel.folder import adopt

    home = open_selected_home(context)
    if channel not in home.settings.channels:
        raise typer.BadParameter(f"There is no channel '{channel}'.")
    adopt(home, channel, getpass.getuser())
    echo("The gate will fill it soon. To fill it now, run 'publish verify --mend'.")


@audit_app.command("verify")
def audit_verify(context: typer.Context, as_json: AsJson = False) -> None:
    """Verify that no entry of the audit trail was changed, removed or moved. Exit 1 if one was.

    Example: consent-gate --home /srv/consent-gate audit verify
    """
    home = open_selected_home(context)
    breaks = audit_log.verify(home)
    count = sum(1 for _ in audit_log.entries())
    if as_json:
        print_json({"ok": not breaks, "entries": count, "breaks": [asdict(b) for b in breaks]})
    elif not breaks:
        echo(f"The audit trail is complete: {count} entries.")
    for found in breaks if not as_json else ():
        echo(f"The audit trail is damaged: {found.problem}.")
    raise typer.Exit(1 if breaks else 0)


@audit_app.command("export")
def audit_export(
    context: typer.Context,
    out: Annotated[Path, typer.Argument(help="File to write, with one JSON entry on each line.")],
) -> None:
    """Write the whole audit trail to a file. The export itself is recorded.

    Example: consent-gate --home /srv/consent-gate audit export trail.jsonl
    """
    from django.db import transaction

    home = open_selected_home(context)
    with transaction.atomic():
        audit_log.record(home, "audit.exported", "audit", {}, getpass.getuser())
    with atomic_file(out, 0o600) as file:
        for entry in audit_log.entries():
            file.write((json.dumps(asdict(entry), ensure_ascii=False) + "\n").encode())
    echo(f"Written to {out}.")


@app.command()
def sanitise(
    source: Annotated[
        Path, typer.Argument(metavar="IN", exists=True, dir_okay=False, help="The picture.")
    ],
    out: Annotated[Path, typer.Argument(metavar="OUT", help="The copy to write: a JPEG.")],
) -> None:
    """Write a copy of a picture without metadata. Does not check consent.

    Example: consent-gate sanitise IMG_0042.jpg clean.jpg
    """
    from ingest.sanitise import sanitise as clean

    replace_with(out, clean(source.read_bytes()))
    echo(f"Written to {out}. To learn whether it may be published, use 'check'.")


@app.command()
def verify(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="The picture.")],
    as_json: AsJson = False,
) -> None:
    """Check a file for anything that a published picture must not hold. Exit 1 if it has any.

    Example: consent-gate verify approved/website/2026-11/7q2m.jpg
    """
    from publish.verification.verify import verify as find

    findings = find(file.read_bytes())
    if as_json:
        print_json({"ok": not findings, "findings": [asdict(f) for f in findings]})
    elif not findings:
        echo("The file holds nothing but the picture.")
    for finding in findings if not as_json else ():
        echo(finding.sentence)
    raise typer.Exit(1 if findings else 0)
