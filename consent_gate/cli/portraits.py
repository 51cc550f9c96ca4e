"""The commands ``portraits``: print a contact sheet and confirm enrolment portraits."""

from __future__ import annotations

import hmac
from pathlib import Path
from typing import Annotated

import typer

from consent_gate.cli.app import AsJson, app, open_selected_home
from consent_gate.cli.console import echo, print_json
from consent_gate.db.models import EnrolmentPhoto
from consent_gate.errors import GateError, ItemNotFound
from consent_gate.home.filesystem import replace_with
from consent_gate.home.home import Home
from consent_gate.messages import counted
from consent_gate.subject_rights.access import find_pupil

portraits_app = typer.Typer(
    help="Check that each enrolment portrait shows the pupil whose name it carries.\n\n"
    "Example: consent-gate --home /srv/consent-gate portraits sheet --class 5B 5b.pdf",
    no_args_is_help=True,
)
app.add_typer(portraits_app, name="portraits")

ClassName = Annotated[str, typer.Option("--class", metavar="CLASS", help="Only this class.")]


class NoSuchClass(ItemNotFound):
    """No portrait belongs to a pupil of this class."""

    next_step = "Write the class as SIMS does, for example --class 5B."


class PortraitsChanged(GateError):
    """The code is not that of the portraits of the class as they are now."""

    next_step = "Print the sheet of the class again, and look at it before you confirm."


@portraits_app.command("sheet")
def sheet(
    context: typer.Context,
    out: Annotated[Path, typer.Argument(help="File to write; it ends in .pdf or .html.")],
    class_name: ClassName = "",
) -> None:
    """Write a contact sheet with name, class and portrait of each enrolled pupil, 30 a page.

    Each class has a code, for 'portraits confirm --class CLASS --code CODE'.

    Example: consent-gate --home /srv/consent-gate portraits sheet --class 5B 5b.pdf
    """
    from consent_gate.operations.contact_sheet import sheet_entries, sheet_html
    from consent_gate.operations.contact_sheet_pdf import sheet_pdf

    write = {".pdf": sheet_pdf, ".html": sheet_html}.get(out.suffix.lower())
    if write is None:
        raise typer.BadParameter("The name of the file must end in .pdf or .html.")
    home = open_selected_home(context)
    entries = sheet_entries(home, class_name or None)
    if class_name and not entries:
        raise NoSuchClass("There is no portrait of a pupil in this class.")
    replace_with(out.absolute(), write(home, entries), 0o600)
    echo(
        f"{counted(len(entries), 'portrait')} written to {out}. The file shows children with their"
        " names: do not send it by mail, and delete it after the check."
    )


@portraits_app.command("confirm")
def confirm(  # noqa: PLR0913, PLR0917  one argument for each option
    context: typer.Context,
    by: Annotated[str, typer.Option("--by", help="Who looked at the portraits.")],
    pupils: Annotated[
        list[str] | None, typer.Argument(metavar="[PUPIL]...", help="Admission numbers.")
    ] = None,
    everybody: Annotated[bool, typer.Option("--all", help="All portraits that wait.")] = False,
    class_name: ClassName = "",
    code: Annotated[
        str, typer.Option(metavar="CODE", help="Code of the class on the sheet that was looked at.")
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Confirm that portraits show the pupils whose names they carry. Look at the sheet first.

    Pupils whose portraits differ from each other are confirmed by admission number only. Exit code
    1: such pupils were left out and still wait.

    With --code, nothing is confirmed if a portrait of the class changed since the sheet was made.

    Example: consent-gate --home /srv/consent-gate portraits confirm --class 5B --by "J. Shaw"
    """
    if code and not class_name:
        raise typer.BadParameter("--code needs --class CLASS: each class has a code of its own.")
    if sum([everybody, bool(class_name), bool(pupils)]) != 1:
        raise typer.BadParameter("Give either --all, or --class CLASS, or admission numbers.")
    if not by.strip():
        raise typer.BadParameter("--by needs the name of the person who looked at the portraits.")
    home = open_selected_home(context)
    from ingest.enrolment.confirmation import confirm_photos

    if code:
        photos = _as_printed(home, class_name, code)
    else:
        photos = [photo.pk for photo in _chosen(home, pupils or (), class_name)]
    result = confirm_photos(home, photos, by.strip(), one_by_one=bool(pupils))
    if as_json:
        print_json({"confirmed": list(result.confirmed), "left_out": list(result.left_out)})
    else:
        echo(f"{counted(len(result.confirmed), 'pupil')} confirmed.")
        for number in result.left_out:
            echo(
                f"Pupil {number} still waits: two portraits do not look like the same child. Remove"
                " the wrong one on the page Portraits."
            )
    if result.left_out:
        raise typer.Exit(1)


def _as_printed(home: Home, class_name: str, code: str) -> list[int]:
    """The portraits of a class, by primary key, if the sheet with this code shows them.

    Raises:
        NoSuchClass: There is no portrait of a pupil in this class.
        PortraitsChanged: They changed since the sheet was printed.
    """
    from consent_gate.operations.contact_sheet import sheet_code, sheet_entries

    entries = sheet_entries(home, class_name)
    if not entries:
        raise NoSuchClass("There is no portrait of a pupil in this class.")
    if not hmac.compare_digest(sheet_code(home, entries).encode(), code.strip().upper().encode()):
        raise PortraitsChanged("The portraits changed since the sheet was printed.")
    return [entry.photo.pk for entry in entries]


def _chosen(home: Home, pupils: list[str] | tuple[()], class_name: str) -> list[EnrolmentPhoto]:
    """The photos that wait, of these pupils, of this class, or of everybody.

    Raises:
        ItemNotFound: There is no such pupil, or no portrait of a pupil in this class.
    """
    from consent_gate.operations.contact_sheet import sheet_entries
    from ingest.enrolment.confirmation import waiting_in_class, waiting_photos

    if pupils:
        return waiting_photos(home, [find_pupil(number) for number in pupils])
    if not class_name:
        return waiting_photos(home)
    if not sheet_entries(home, class_name):
        raise NoSuchClass("There is no portrait of a pupil in this class.")
    return waiting_in_class(home, class_name)
