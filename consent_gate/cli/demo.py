"""The command ``demo``, which builds a made-up school and puts its photos through the gate."""

from __future__ import annotations

import secrets
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from consent_gate.bootstrap import create_home
from consent_gate.cli.app import app
from consent_gate.cli.console import echo, print_table, progress_bar
from consent_gate.cli.item_text import VERDICTS, short_reasons
from consent_gate.db.models import Item, Role, User
from consent_gate.decisions.item_report import item_as_dict
from consent_gate.home.filesystem import replace_with
from consent_gate.home.home import Home
from consent_gate.home.settings import FILE_NAME, default_toml
from consent_gate.operations import demo as sample
from ingest.enrolment.confirmation import confirm_photos, waiting_photos
from ingest.enrolment.enrol import PhotoBatch
from ingest.enrolment.sources import FolderOfPhotos
from ingest.pipeline import ingest_once
from sims_import.applying.apply import ExportFile
from sims_import.applying.run import run_import

USERNAME = "demo.teacher"


@app.command()
def demo(
    folder: Annotated[
        Path | None,
        typer.Argument(help="Folder for the demonstration. Default: a new temporary folder."),
    ] = None,
) -> None:
    """Build a made-up school from public-domain photos and put its photos through the gate.

    Example: consent-gate demo demo-home
    """
    root = folder or Path(tempfile.mkdtemp(prefix="consent-gate-demo-"))
    home = _home(root)
    _import(home)
    sample.write_event(home.inbox)
    with progress_bar() as bar:
        task = bar.add_task("Checking photos", total=None)
        ingest_once(home, lambda n, total: bar.update(task, completed=n, total=total))
    _print_results(home)
    _print_next_steps(home, _account())


def _home(root: Path) -> Home:
    settings = default_toml()
    for old, new in sample.SETTINGS:
        settings = settings.replace(old, new)
    root.mkdir(parents=True, exist_ok=True)
    if not (root / FILE_NAME).exists():
        replace_with(root / FILE_NAME, settings.encode())
    return create_home(root)


def _import(home: Home) -> None:
    export, portraits = sample.write_school(home.root)
    file = ExportFile(export.name, export.read_bytes())
    with progress_bar() as bar:
        task = bar.add_task("Enrolment photos", total=None)
        result = run_import(
            home,
            file,
            (),
            USERNAME,
            PhotoBatch([FolderOfPhotos(portraits)]),
            lambda n, total: bar.update(task, completed=n, total=total),
        ).report
    confirm_photos(home, [photo.pk for photo in waiting_photos(home)], USERNAME)
    enrolled = len(result["enrolled"])
    echo(f"Consent is imported for 3 pupils. The gate may recognise {enrolled} of them:")
    echo("  000101 may be shown everywhere.")
    echo("  000102 may be shown in the Mag and on displays, but not on the website.")
    echo("  000103 may be shown, but has no consent for face matching: staff name them by hand.")
    echo("The demonstration confirms these portraits. In a school, somebody who knows the children")
    echo("looks at them on the page Portraits first; until then they clear nobody.")
    for left_out in result["not_enrolled"]:
        echo(f"  Enrolment photo of {left_out['pupil']}: {left_out['reason']}")


def _print_results(home: Home) -> None:
    rows = []
    for item in Item.objects.order_by("source").prefetch_related("decisions", "publications"):
        result = item_as_dict(item)
        verdicts = [VERDICTS[result["channels"][n]["verdict"]] for n in home.settings.channels]
        rows.append([Path(item.source).name, *verdicts, short_reasons(home, result)])
    titles = [*home.settings.titles.values()]
    print_table("Decisions about the photos", ["Photo", *titles, "Why"], rows)


def _account() -> str:
    """Make an account for the queue. Returns its new random password."""
    user, _ = User.objects.get_or_create(username=USERNAME, defaults={"role": Role.ADMINISTRATOR})
    password = secrets.token_urlsafe(9)
    user.set_password(password)
    user.save()
    return password


def _print_next_steps(home: Home, password: str) -> None:
    echo("Released pictures, without metadata, each folder with a manifest for the website:")
    for name, channel in home.settings.channels.items():
        echo(f"  {channel.title + ':':<18}{home.approved(name)}")
    echo(f"Held pictures stay encrypted in {home.vault}.")
    echo("To decide about held pictures, start the gate and open the queue in a browser:")
    echo(f"  make run HOME_FOLDER={home.root}        (or: consent-gate --home {home.root} run)")
    echo(f"  http://{home.settings.web.host}:{home.settings.web.port}/")
    echo(f"  Log in as {USERNAME} with the password {password}")
