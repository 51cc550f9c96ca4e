"""Consent in: the SIMS export and the enrolment photos."""

from __future__ import annotations

import getpass
import sys
import zipfile
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from consent_gate.bootstrap import Home
from consent_gate.cli.app import AsJson, app, the_home
from consent_gate.cli.console import complain, print_json, progress_bar, say
from sims_import.apply import ExportFile, school_of, work_out
from sims_import.brakes import split
from sims_import.bring_in import PhotosGiven, bring_in
from sims_import.mapping_file import from_toml
from sims_import.own_siblings import keep_families
from sims_import.photos import read_photo_list
from sims_import.portraits import FolderOfPhotos, ZipOfPhotos, holds_photos
from sims_import.prepare import Prepared
from sims_import.readers.dispatch import read_table
from sims_import.report import Outcome, report
from sims_import.siblings import read_sibling_list


@app.command("import-sims")
def import_sims(  # noqa: PLR0913, PLR0917  one parameter an option
    context: typer.Context,
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="CSV, Excel or XML.")],
    photos: Annotated[
        Path | None, typer.Option(exists=True, help="Folder or ZIP of enrolment photos.")
    ] = None,
    photo_list: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="CSV that says whose each photo is."),
    ] = None,
    siblings: Annotated[
        Path | None,
        typer.Option(
            exists=True,
            dir_okay=False,
            help="Your own list of brothers and sisters: a row a family, admission numbers.",
        ),
    ] = None,
    mapping: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="What the export's headings mean."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show it, change nothing.")] = False,
    accept: Annotated[
        list[str] | None, typer.Option(help="Code of a warning that you accept; repeat for more.")
    ] = None,
    exported_on: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d", "%d/%m/%Y"], help="Day the report was run."),
    ] = None,
    by: Annotated[str | None, typer.Option(help="Your name, for the record.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: AsJson = False,
) -> None:
    """Bring consent in from a SIMS export: shows what will change, then applies it.

    Exit 1 when something stops for a person to accept.

    Example: consent-gate --home /srv/consent-gate import-sims consent.csv --photos portraits/
    """
    home = the_home(context)
    export = _export(home, file, mapping, exported_on.date() if exported_on else None)
    who, accepted = by or getpass.getuser(), accept or []
    prepared = work_out(home, export)
    preview = _report(prepared, accepted, Outcome(dry_run=True))
    if not as_json:
        _show(preview)
    if dry_run:
        if as_json:
            print_json(preview)
        return
    if _must_ask(yes=yes, as_json=as_json) and not typer.confirm("Apply this?"):
        raise typer.Exit(1)
    if siblings:
        keep_families(home, read_sibling_list(read_table(siblings.read_bytes(), siblings.name)))
    with progress_bar() as bar:
        task = bar.add_task("Enrolment photos", total=None, visible=bool(photos))
        result = bring_in(
            home,
            export,
            accepted,
            who,
            _photos_given(file, photos, photo_list),
            lambda done, total: bar.update(task, completed=done, total=total, visible=True),
        )
    if as_json:
        print_json(result)
    else:
        _show_result(result)
    raise typer.Exit(1 if result["status"] == "blocked" else 0)


def _export(home: Home, file: Path, mapping: Path | None, exported_on: date | None) -> ExportFile:
    given = None
    if mapping:
        given = from_toml(mapping.read_text("utf-8"), school_of(home).vocabulary)
    return ExportFile(file.name, file.read_bytes(), exported_on, given)


def _must_ask(*, yes: bool, as_json: bool) -> bool:
    """Only somebody at a terminal can be asked; programs never wait."""
    return not (yes or as_json) and sys.stdin.isatty() and sys.stdout.isatty()


def _photos_given(file: Path, photos: Path | None, photo_list: Path | None) -> PhotosGiven:
    """The photos asked for; else those in the ZIP that the export came in."""
    listed = (
        read_photo_list(read_table(photo_list.read_bytes(), photo_list.name))
        if (photo_list)
        else {}
    )
    path = photos or (file if holds_photos(file) else None)
    if path is None:
        return PhotosGiven()
    source = ZipOfPhotos(path) if zipfile.is_zipfile(path) else FolderOfPhotos(path)
    return PhotosGiven([source], listed)


def _report(prepared: Prepared, accepted: list[str], outcome: Outcome) -> dict[str, Any]:
    done = split(prepared.plan, prepared.brakes, accepted)
    return dict(report(prepared.plan, done, outcome))


def _show(preview: dict[str, Any]) -> None:
    """What would change, for a person."""
    say("This import would make these changes:")
    for key, words in _WORDS.items():
        numbers = preview[key]
        say(f"  {words + ':':<34}{len(numbers)}{_some(numbers)}")
    waiting = sum(len(numbers) for numbers in preview["waiting"].values())
    if waiting:
        say(f"  {'Waiting for a person:':<34}{waiting}")
    for problem in [*preview["errors"], *preview["warnings"]]:
        say(f"  Row {problem['row']} {problem['column']}: {problem['message']}")
    for question in preview["questions"]:
        say(f"  Question: {question['message']}")
    for brake in preview["blocked"]:
        complain(f"  Stopped ({brake['code']}): {brake['message']}")


def _show_result(result: dict[str, Any]) -> None:
    if result["status"] == "applied":
        say("Applied.")
    else:
        complain("Not all of it was applied. What only holds pictures back is in force already.")
        for brake in result["blocked"]:
            complain(f"  If it is right, say: --accept {brake['code']}")
    say(f"  {'Enrolled for face matching:':<34}{len(result['enrolled'])}")
    say(f"  {'Enrolment photos left out:':<34}{len(result['not_enrolled'])}")
    for left in result["not_enrolled"]:
        say(f"    {left['pupil']}: {left['reason']}")
    say(f"  {'Released pictures taken back:':<34}{result['recalled']}")
    for problem in result["warnings"]:
        if problem["row"] == 0:
            say(f"  {problem['message']}")


def _some(numbers: list[str]) -> str:
    if not numbers:
        return ""
    more = f" and {len(numbers) - 8} more" if len(numbers) > 8 else ""
    return f"  ({', '.join(numbers[:8])}{more})"


_WORDS = {
    "added": "New pupils",
    "changed": "Pupils with changes",
    "withdrawn": "Pupils who lose a consent",
    "leavers": "Pupils who have left",
    "unchanged": "Pupils without changes",
}
