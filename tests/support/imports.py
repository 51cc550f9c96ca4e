"""Consent exports of a made-up school as CSV, and short ways to import them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

from django.db import connection
from django.db.models import Model
from django.forms.models import model_to_dict
from typer.testing import CliRunner

from consent_gate.cli.app import app
from consent_gate.db.models import (
    AuditEntry,
    ConsentAnswer,
    ImportRun,
    Item,
    Lookalike,
    PupilChange,
    PupilEntry,
    SuspendedPurpose,
    Template,
)
from consent_gate.errors import GateError
from consent_gate.home.home import Home
from consent_gate.register.template_vectors import encrypt_vector
from sims_import.applying.apply import Applied, ExportFile
from sims_import.applying.run import run_import
from tests.conftest import ROOT
from tests.support import postgresql

HEADER = (
    "Adno,UPN,Legal Forename,Legal Surname,Reg Group,Family,Photograph - Website,"
    "Photograph - Millfields Mag,Photograph - Displays,Biometric Consent,Biometric Objection,"
    "Never Publish"
)


def consent_csv(**answers: str) -> str:
    """An export of 40 pupils who said yes to everything, but for the rows given.

    ``answers``: by admission number with an underscore before it, the last six cells.
    """
    return consent_csv_of(40, **answers)


def consent_csv_of(pupils: int, /, **answers: str) -> str:
    """The same with so many pupils."""
    rows = []
    for at in range(pupils):
        number = f"{7000 + at:06d}"
        cells = answers.get(f"_{number}", "T,T,T,T,,")
        if cells != "gone":
            rows.append(f"{number},,Name{at},Surname{at},3W,F{at},{cells}")
    return "\n".join([HEADER, *rows])


def import_csv(home: Home, text: str | bytes, *accepted: str, **how: Any) -> Applied:
    data = text if isinstance(text, bytes) else text.encode()
    return run_import(home, ExportFile("consent.csv", data, **how), accepted, "office")


def make_template(home: Home, number: str) -> bytes:
    """Enrol a pupil with a made-up vector. Returns the bytes that lie in the database."""
    from consent_gate.db.models import EnrolmentPhoto

    entry = PupilEntry.objects.get(admission_number=number)
    photo = EnrolmentPhoto.objects.create(
        pupil=entry,
        sha256=f"{number:0>64}",
        first_imported_on=home.now().date(),
        confirmed_by="office",
        confirmed_at=home.now(),
    )
    template = Template(photo=photo, model="sface", model_version="test")
    encrypt_vector(home, number, template, os.urandom(512))
    template.save()
    return bytes(template.ciphertext)


def confirm_portraits(home: Home) -> None:
    """Confirm every portrait that waits, for tests that are about something else."""
    from ingest.enrolment.confirmation import confirm_photos, waiting_photos

    confirm_photos(home, [photo.pk for photo in waiting_photos(home)], "office")


def database_bytes(home: Home) -> bytes:
    """The database with its log; on PostgreSQL the tables of templates and portraits."""
    if connection.vendor == "postgresql":
        tables = ("gate_template", "gate_portrait")
        return b"".join(postgresql.table_bytes(home.settings.database, table) for table in tables)
    return b"".join(p.read_bytes() for p in sorted(home.root.glob("gate.sqlite3*")))


def verdict_of(item: Item, channel: str = "website") -> str:
    return item.decisions.get(channel=channel).verdict


COMMAND = "from consent_gate.cli import main; main()"


def run_here(home: Home, *arguments: str) -> tuple[int, str]:
    """Run a command in the test's process. Returns its exit code and what it printed."""
    connection.close()
    result = CliRunner().invoke(app, ["--home", str(home.root), *arguments])
    error = result.exception
    return error.exit_code if isinstance(error, GateError) else result.exit_code, result.stdout


def run_command(home: Home, *arguments: str) -> tuple[int, dict[str, Any]]:
    """Run the real command as a program, without a terminal."""
    run = subprocess.run(
        [sys.executable, "-c", COMMAND, "--home", str(home.root), *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=240,
        check=False,
    )
    return run.returncode, json.loads(run.stdout)


SHIFTED_ANSWERS = {f"_{7000 + at:06d}": ",T,T,T,," for at in range(20)}


def drop_export(home: Home, name: str, data: str | bytes) -> None:
    (home.sims / name).write_bytes(data if isinstance(data, bytes) else data.encode())


def drop_folder_names(home: Home, folder: str) -> list[str]:
    return sorted(path.name for path in (home.sims / folder).glob("*"))


UNKNOWN_CAPTION = "Photos online"

HEAD = "Adno,Legal Forename,Legal Surname,Photograph - Displays"


def csv_with_caption(caption: str = UNKNOWN_CAPTION, **answers: str) -> str:
    """Twelve pupils under an odd caption; ``answers`` by admission number with an underscore."""
    rows = [f"{HEAD},{caption}"]
    for number in range(7001, 7013):
        rows.append(f"00{number},Name{number},Surname{number},T,{answers.get(f'_{number}', 'T')}")
    return "\n".join(rows)


def consented_to_website() -> set[str]:
    """Admission numbers of those who consented to the website."""
    given = ConsentAnswer.objects.filter(purpose="website", answer="given")
    return set(given.values_list("pupil__admission_number", flat=True))


def register_rows(home: Home) -> dict[str, Any]:
    """Everything a decision or an import rests on, as plain values."""
    tables: list[type[Model]] = [PupilEntry, ConsentAnswer, Template, Lookalike, SuspendedPurpose]
    tables += [ImportRun, PupilChange, AuditEntry]
    return {
        table.__name__: [model_to_dict(row) for row in table._default_manager.order_by("pk")]
        for table in tables
    }
