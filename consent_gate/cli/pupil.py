"""What the gate knows of one pupil: show it, hand it over, forget it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from consent_gate.cli.app import AsJson, By, app, open_selected_home
from consent_gate.cli.console import echo, print_json
from consent_gate.db import audit_log
from consent_gate.home.filesystem import replace_with
from consent_gate.subject_rights.access import collect_subject_data, export_subject_data, find_pupil
from consent_gate.subject_rights.access_letter import summary
from consent_gate.subject_rights.erase import erase_pupil

pupil_app = typer.Typer(
    help="What the gate knows of one pupil.\n\n"
    "Example: consent-gate --home /srv/consent-gate pupil show 004123",
    no_args_is_help=True,
)
app.add_typer(pupil_app, name="pupil")

Number = Annotated[str, typer.Argument(help="Admission number, as SIMS shows it.")]


@pupil_app.command("show")
def show(context: typer.Context, number: Number, as_json: AsJson = False) -> None:
    """Show consents with their history, templates and pictures of one pupil.

    Example: consent-gate --home /srv/consent-gate pupil show 004123
    """
    home = open_selected_home(context)
    facts = collect_subject_data(find_pupil(number))
    if as_json:
        print_json(facts)
    else:
        echo(summary(home, facts))


@pupil_app.command("export")
def export(
    context: typer.Context,
    number: Number,
    out: Annotated[Path, typer.Argument(help="ZIP file to write.")],
    by: By = "",
) -> None:
    """Write everything about one pupil to a ZIP, to answer a subject access request.

    Example: consent-gate --home /srv/consent-gate pupil export 004123 request.zip
    """
    from django.db import transaction

    home = open_selected_home(context)
    entry = find_pupil(number)
    replace_with(out.absolute(), export_subject_data(home, entry), 0o600)
    with transaction.atomic():
        subject = audit_log.pupil_subject(home, entry.admission_number)
        audit_log.record(home, "pupil.exported", subject, {}, by)
    echo(f"Written to {out}. It holds personal data: hand it over safely and delete it.")


@pupil_app.command("erase")
def erase(
    context: typer.Context,
    number: Number,
    confirmed: Annotated[bool, typer.Option("--confirm", help="Do it; it cannot be undone.")] = (
        False
    ),
    by: By = "",
    as_json: AsJson = False,
) -> None:
    """Forget one pupil everywhere and print a certificate. Nothing happens without --confirm.

    Example: consent-gate --home /srv/consent-gate pupil erase 004123 --confirm
    """
    home = open_selected_home(context)
    find_pupil(number)
    if not confirmed:
        echo("This takes the pupil's pictures back and forgets the pupil for good.")
        echo(
            "Say --confirm to do it. If the pupil is still in SIMS, the next import adds them anew."
        )
        raise typer.Exit(1)
    certificate = erase_pupil(home, number, by)
    if as_json:
        print_json(certificate)
        return
    for what, count in certificate["destroyed"].items():
        echo(f"  {what.replace('_', ' ') + ':':<28}{count}")
    echo("Not covered:")
    for sentence in certificate["not_covered"]:
        echo(f"  - {sentence}")
    echo(f"The certificate is in {home.root / 'certificates'}.")
