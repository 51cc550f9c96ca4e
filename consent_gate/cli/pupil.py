"""Pupils of the register: list their consents, show, export and erase one pupil."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from consent_gate.cli.app import AsJson, By, app, open_selected_home
from consent_gate.cli.console import echo, print_json, print_table
from consent_gate.db import audit_log
from consent_gate.home.filesystem import replace_with
from consent_gate.messages import counted
from consent_gate.register.consent_list import list_pupils
from consent_gate.subject_rights.access import export_subject_data, find_pupil, subject_data
from consent_gate.subject_rights.access_letter import write_letter
from consent_gate.subject_rights.erase import erase_pupil

pupil_app = typer.Typer(
    help="The data about pupils.\n\n"
    "Example: consent-gate --home /srv/consent-gate pupil show 004123",
    no_args_is_help=True,
)
app.add_typer(pupil_app, name="pupil")

Number = Annotated[str, typer.Argument(help="Admission number, as SIMS shows it.")]


@pupil_app.command("list")
def list_all(context: typer.Context, as_json: AsJson = False) -> None:
    """List every pupil's consents and which of them count now. Names are left out.

    Example: consent-gate --home /srv/consent-gate pupil list --json
    """
    home = open_selected_home(context)
    titles = home.settings.consent_titles
    pupils = list_pupils(list(titles), home.now().date())
    if as_json:
        for pupil in pupils:
            print_json(pupil)
        return
    heads = [title or purpose for purpose, title in titles.items()]
    columns = ["Pupil", "On roll", *heads, "Face matching", "Never publish"]
    print_table("Consents that count today", columns, map(_cells, pupils))


def _cells(pupil: dict[str, Any]) -> list[str]:
    answers = [_answer_text(consent) for consent in pupil["consents"].values()]
    flags = ["yes" if pupil["on_roll"] else "no", "yes" if pupil["never_publish"] else ""]
    return [pupil["pupil"], flags[0], *answers, flags[1]]


def _answer_text(consent: dict[str, Any]) -> str:
    if consent["live"]:
        return "yes"
    texts = {"given": "yes, but it does not count now", "refused": "no"}
    return texts.get(consent["answer"], "")


@pupil_app.command("show")
def show(context: typer.Context, number: Number, as_json: AsJson = False) -> None:
    """Show consents with history, face templates and pictures of one pupil.

    Example: consent-gate --home /srv/consent-gate pupil show 004123
    """
    home = open_selected_home(context)
    data = subject_data(home, find_pupil(number))
    if as_json:
        print_json(data)
    else:
        echo(write_letter(home, data))


@pupil_app.command("export")
def export(
    context: typer.Context,
    number: Number,
    out: Annotated[Path, typer.Argument(help="ZIP file to write.")],
    by: By = "",
) -> None:
    """Write all data about one pupil to a ZIP file, for a subject access request.

    Example: consent-gate --home /srv/consent-gate pupil export 004123 request.zip
    """
    from django.db import transaction

    home = open_selected_home(context)
    entry = find_pupil(number)
    replace_with(out.absolute(), export_subject_data(home, entry), 0o600)
    with transaction.atomic():
        subject = audit_log.pupil_subject(home, entry.admission_number)
        audit_log.record(home, "pupil.exported", subject, {}, by)
    echo(f"Written to {out}. It holds personal data: hand it over safely, then delete it.")


@pupil_app.command("erase")
def erase(
    context: typer.Context,
    number: Number,
    confirmed: Annotated[bool, typer.Option("--confirm", help="Erase. This cannot be undone.")] = (
        False
    ),
    by: By = "",
    as_json: AsJson = False,
) -> None:
    """Erase one pupil from all stores and print a certificate. Needs --confirm.

    Example: consent-gate --home /srv/consent-gate pupil erase 004123 --confirm
    """
    home = open_selected_home(context)
    find_pupil(number)
    if not confirmed:
        echo("This withdraws the pupil's pictures and erases the pupil's data permanently.")
        echo("Add --confirm to erase. If the pupil is in SIMS, the next import adds them again.")
        raise typer.Exit(1)
    certificate = erase_pupil(home, number, by)
    if as_json:
        print_json(certificate)
        return
    for store, count in certificate["destroyed"].items():
        echo(f"  {store.replace('_', ' ') + ':':<28}{count}")
    for place, count in certificate["not_searched"].items():
        echo(f"  not searched in {place}: {counted(count, 'file')}")
    echo("Not covered:")
    for sentence in certificate["not_covered"]:
        echo(f"  - {sentence}")
    echo(f"The certificate is in {home.root / 'certificates'}.")
