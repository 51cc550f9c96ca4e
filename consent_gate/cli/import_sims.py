"""The command ``import-sims``, which imports a SIMS export and enrolment photos."""

from __future__ import annotations

import sys
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from consent_gate.cli.app import AsJson, By, app, open_selected_home
from consent_gate.cli.console import print_json, progress_bar
from consent_gate.cli.import_prompts import ask_for_day, ask_questions
from consent_gate.cli.import_report import show_preview, show_result
from consent_gate.home.home import Home
from consent_gate.register.sibling_lists import save_families
from ingest.enrolment.enrol import PhotoBatch
from ingest.enrolment.sources import contains_photos, photos_at
from ingest.enrolment.zip_contents import read_tables
from sims_import.applying.apply import ExportFile, import_context, preview_import
from sims_import.applying.run import run_import
from sims_import.mapping.file import from_toml
from sims_import.planning.import_blocks import gate_plan
from sims_import.planning.report import Outcome, report
from sims_import.planning.siblings import read_sibling_list
from sims_import.readers.dispatch import read_table
from sims_import.readers.photo_list import read_photo_list


def _existing_file(help_text: str) -> Any:
    return typer.Option(exists=True, dir_okay=False, help=help_text)


Export = Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="CSV, Excel or XML.")]
PhotoSource = Annotated[
    Path | None, typer.Option(exists=True, help="Folder or ZIP of enrolment photos.")
]
PhotosTaken = Annotated[
    datetime | None,
    typer.Option(
        formats=["%Y-%m-%d", "%d/%m/%Y"],
        help="Date the photos were taken, for photos without a date.",
    ),
]
PhotoList = Annotated[Path | None, _existing_file("CSV that says which pupil each photo shows.")]
Siblings = Annotated[
    Path | None,
    _existing_file("Your own list of siblings: one row for each family, with admission numbers."),
]
MappingFile = Annotated[
    Path | None, _existing_file("TOML file that says what the export's headings mean.")
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show the changes, apply nothing.")]
Accept = Annotated[
    list[str] | None, typer.Option(help="Code of a warning that you accept; repeat for more.")
]
ExportedOn = Annotated[
    datetime | None,
    typer.Option(formats=["%Y-%m-%d", "%d/%m/%Y"], help="Date the report was run."),
]
Yes = Annotated[bool, typer.Option("--yes", help="Apply without asking.")]


@app.command("import-sims")
def import_sims(  # noqa: PLR0913, PLR0917  one parameter an option
    context: typer.Context,
    file: Export,
    photos: PhotoSource = None,
    photo_list: PhotoList = None,
    photos_taken: PhotosTaken = None,
    siblings: Siblings = None,
    mapping: MappingFile = None,
    dry_run: DryRun = False,
    accept: Accept = None,
    exported_on: ExportedOn = None,
    by: By = "",
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Import consent from a SIMS export: shows what will change, then applies it.

    At a terminal it asks about headings and answers that it does not know. Exit 1 when a warning
    stops part of the import: accept it with --accept. If this home has not
    seen the layout of the export before, look at the table of uses first, at a terminal or with
    --dry-run. Then say --accept layout.

    Example: consent-gate --home /srv/consent-gate import-sims consent.csv --photos portraits/
    """
    home, accepted = open_selected_home(context), accept or []
    export = _export(home, file, mapping, exported_on.date() if exported_on else None)
    asks = not dry_run and _is_interactive(yes=yes, as_json=as_json)
    export = ask_questions(home, export) if asks else export
    preview = _preview(home, export, accepted, as_json=as_json)
    if dry_run:
        if as_json:
            print_json(preview)
        return
    if asks and not typer.confirm("Apply these changes?"):
        raise typer.Exit(1)
    if asks:
        # The person has just seen what this layout makes of every use.
        accepted = [*accepted, "layout"]
    if siblings:
        save_families(home, read_sibling_list(read_table(siblings.read_bytes(), siblings.name)))
    given = _photo_batch(file, photos, photo_list)
    if given.sources:
        given = replace(given, stated_date=_taken(photos_taken, asks=asks))
    result = _run_import(home, export, accepted, by, given)
    if as_json:
        print_json(result)
    else:
        show_result(result)
    raise typer.Exit(1 if result["status"] == "blocked" else 0)


def _export(home: Home, file: Path, mapping: Path | None, exported_on: date | None) -> ExportFile:
    given = None
    if mapping:
        given = from_toml(mapping.read_text("utf-8"), import_context(home).vocabulary)
    with file.open("rb") as opened:
        return ExportFile(file.name, read_tables(opened), exported_on, given)


def _is_interactive(*, yes: bool, as_json: bool) -> bool:
    """Whether to ask questions: only at a terminal, never with ``--yes`` or ``--json``."""
    return not (yes or as_json) and sys.stdin.isatty() and sys.stdout.isatty()


def _preview(
    home: Home, export: ExportFile, accepted: list[str], *, as_json: bool
) -> dict[str, Any]:
    """Return what the import would do, and print it unless ``--json`` is given."""
    prepared = preview_import(home, export)
    done = gate_plan(prepared.plan, prepared.blocks, accepted)
    outcome = Outcome(
        dry_run=True, questions=prepared.understanding.questions, preview=prepared.preview
    )
    preview = report(prepared.plan, done, outcome)
    if not as_json:
        show_preview(home, preview, done)
    return preview


def _run_import(
    home: Home, export: ExportFile, accepted: list[str], actor: str, photos: PhotoBatch
) -> dict[str, Any]:
    with progress_bar() as bar:
        task = bar.add_task("Enrolment photos", total=None, visible=bool(photos.sources))
        return run_import(
            home,
            export,
            accepted,
            actor,
            photos,
            lambda done, total: bar.update(task, completed=done, total=total, visible=True),
        ).report


def _taken(given: datetime | None, *, asks: bool) -> date | None:
    """Return the date for photos without a date; None when it is not known."""
    if given:
        return given.date()
    question = "Date the photos were taken, for photos without a date (Enter: not known)"
    return ask_for_day(question) if asks else None


def _photo_batch(file: Path, photos: Path | None, photo_list: Path | None) -> PhotoBatch:
    """Return the photos of ``--photos``, else those in the ZIP of the export."""
    listed = (
        read_photo_list(read_table(photo_list.read_bytes(), photo_list.name)) if photo_list else {}
    )
    path = photos or (file if contains_photos(file) else None)
    if path is None:
        return PhotoBatch()
    return PhotoBatch([photos_at(path)], listed)
