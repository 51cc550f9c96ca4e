"""Import exports and enrolment photos dropped into ``HOME/sims``, without a command.

The gate imports an export once its file has stopped changing. It applies the changes that no block
stops. Then it moves the file to ``done`` with a note, or to ``waiting`` if a person has to decide
something. Withdrawals are in force in both cases. Photos lie in ``photos``, or in a ZIP with or
without the export.

An error in one file does not stop the other files. The gate imports the registers of all exports
before it enrols photos.
"""

from __future__ import annotations

import hashlib
import logging
import os
import time
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Any

from django.db import Error as DatabaseError

from consent_gate.db.models import ImportRun
from consent_gate.errors import ExportUnreadable, GateError, ItemNotFound
from consent_gate.home.filesystem import open_regular_file, printable_name
from consent_gate.home.home import Home
from ingest.enrolment.enrol import enrol_all
from ingest.enrolment.enrolment_report import photos_report
from ingest.enrolment.new_photos import Progress
from ingest.enrolment.sources import contains_photos, content_of
from ingest.enrolment.upload_queue import PHOTOS_IN, enrol_queued, with_photos
from ingest.enrolment.zip_contents import read_tables
from sims_import.applying.apply import ExportFile
from sims_import.applying.drop_files import (
    WANTED,
    DroppedFile,
    file_identity,
    log_later,
    stable_files,
)
from sims_import.applying.drop_notes import archive_file, free_path, write_note
from sims_import.applying.drop_photos import (
    photo_folder,
    photos_are_new,
    photos_for,
    remember_photos,
)
from sims_import.applying.history import find_run
from sims_import.applying.run import run_import

log = logging.getLogger(__name__)

DROP_FOLDER_ACTOR = "drop folder"
CHECK_WHILE_ENROLLING = 20.0
"""Seconds between two checks for new exports while photos are enrolled."""
_PHOTO_KEYS = ("enrolled", "not_enrolled", "recalled", "warnings")
"""Keys of a report whose values include the result of the enrolment of photos."""


FAILED = (
    "The program could not read this file, because of a fault in the file or in the program. Run"
    " the report again; if that does not help, give the file to your technician."
)


def process_drop_folder(home: Home) -> list[dict[str, Any]]:
    """Import the dropped files that have stopped changing. Returns the report of each export.

    The call waits for the settling time if there is a file, and returns at once otherwise.
    """
    files = stable_files(home)
    reports = _import_exports(home, files)
    for file in files:
        try:
            if file.path.exists() and not content_of(file.path).export:
                _queue_photos(home, file)
        except (OSError, DatabaseError) as error:
            log_later(home, file.path, error)
    progress = _import_meanwhile(home, reports)
    for run, path in enrol_queued(home, progress):
        if run.pk in reports:
            reports[run.pk] |= {key: run.summary[key] for key in _PHOTO_KEYS}
        if path.exists():
            write_note(home, path, run.summary)
    _enrol_photo_folder(home, reports, progress)
    return list(reports.values())


def import_exports(home: Home) -> None:
    """Import the dropped exports that have stopped changing, and no photos."""
    _import_exports(home, stable_files(home))


def _import_exports(home: Home, files: Iterable[DroppedFile]) -> dict[int, dict[str, Any]]:
    """Import the register part of every export. Returns the reports by import number."""
    reports = {}
    for file in files:
        try:
            if content_of(file.path).export and (done := _import_one(home, file)) is not None:
                reports[done[0].pk] = done[1]
        except FileNotFoundError:
            continue
        except (OSError, GateError, DatabaseError) as error:
            log_later(home, file.path, error)
    return reports


def _import_meanwhile(home: Home, reports: dict[int, dict[str, Any]]) -> Progress:
    """Return a callback for enrolment that imports newly dropped exports.

    Enrolment may take hours. The callback adds the reports to ``reports``.
    """
    last_check = [time.monotonic()]

    def progress(_done: int, _total: int) -> None:
        if time.monotonic() - last_check[0] >= CHECK_WHILE_ENROLLING:
            reports.update(_import_exports(home, stable_files(home)))
            last_check[0] = time.monotonic()

    return progress


def accept_blocked(
    home: Home, number: int, accepted: Collection[str], actor: str
) -> dict[str, Any]:
    """Import a waiting file again with the codes that a person accepts. Returns the report.

    Raises:
        ItemNotFound: No file waits under that number.
        ExportUnreadable: The file is no export.
    """
    run = find_run(number)
    path = blocked_file(home, run)
    if path is None:
        raise ItemNotFound(f"No file of import {number} is waiting.")
    with open_regular_file(path) as file:
        export = ExportFile(run.file_name, read_tables(file))
    result = run_import(home, export, accepted, actor, photos_for(home, path)).report
    if result["status"] != "blocked":
        finish_blocked(home, number, result)
    return result


def finish_blocked(home: Home, number: int, result: dict[str, Any]) -> None:
    """Move a waiting file that was imported as a whole to ``done``, and queue its photos.

    Raises:
        ItemNotFound: There is no import of this number.
    """
    run = find_run(number)
    path = blocked_file(home, run)
    if path is not None:
        path.with_name(f"{path.name}.txt").unlink(missing_ok=True)
        _archive(home, run, path, free_path(home, "done", run.file_name), result)


def blocked_file(home: Home, run: ImportRun) -> Path | None:
    """The dropped file of this import that waits for a person; None if there is none."""
    found = sorted((home.sims / "waiting").glob(f"{run.pk} *"))
    wanted = (path for path in found if path.suffix.lower() in WANTED)
    return next((path for path in wanted if path.is_file() and not path.is_symlink()), None)


# --- import --------------------------------------------------------------------------------


def _import_one(home: Home, file: DroppedFile) -> tuple[ImportRun, dict[str, Any]] | None:
    """Import the register part of one file and move the file away. None if the file changed."""
    failure, data = "", b""
    with open_regular_file(file.path) as opened:
        try:
            data = read_tables(opened)
        except ExportUnreadable as error:
            failure = str(error)
        if file_identity(os.fstat(opened.fileno())) != file.identity:
            return None
    run, result = _import_register(home, printable_name(file.path.name), data, failure)
    is_blocked = result["status"] == "blocked"
    name = f"{run.pk} {file.path.name}" if is_blocked else file.path.name
    target = free_path(home, "waiting" if is_blocked else "done", name)
    _archive(home, run, file.path, target, result)
    return run, result


def _import_register(
    home: Home, name: str, data: bytes, failure: str
) -> tuple[ImportRun, dict[str, Any]]:
    """Import the register part. A ``failure`` says why the file could not be read at all."""
    sha256 = hashlib.sha256(data).hexdigest()
    last = ImportRun.objects.order_by("-pk").first()
    is_repeated = last is not None and last.actor == DROP_FOLDER_ACTOR and last.undone_at is None
    if data and last and is_repeated and last.file_sha256 == sha256:
        return last, last.summary  # imported already; only the file could not be moved
    if not failure:
        try:
            applied = run_import(home, ExportFile(name, data), (), DROP_FOLDER_ACTOR)
        except ExportUnreadable as error:
            failure = str(error)
        except (GateError, OSError, DatabaseError):
            raise  # a fault of the home, not of the file: the file stays and is imported later
        except Exception:
            log.exception("A file in the drop folder could not be read.")
            failure = FAILED
        else:
            return applied.run, applied.report
    return _record_unreadable(home, name, sha256, failure)


def _record_unreadable(
    home: Home, name: str, sha256: str, message: str
) -> tuple[ImportRun, dict[str, Any]]:
    """Record a file that is no export. It waits for a person like a blocked import."""
    result: dict[str, Any] = {
        "status": "blocked",
        "blocked": [{"code": "unreadable", "message": message}],
        "errors": [{"row": 0, "column": "", "message": message}],
    }
    return _record_run(home, name, sha256, ImportRun.Status.BLOCKED, result), result


def _record_run(
    home: Home, name: str, sha256: str, status: ImportRun.Status, summary: dict[str, Any]
) -> ImportRun:
    """Record a dropped file that changes nothing on the register."""
    return ImportRun.objects.create(
        file_name=name,
        file_sha256=sha256,
        status=status,
        complete=False,
        actor=DROP_FOLDER_ACTOR,
        created_at=home.now(),
        summary=summary,
    )


def _archive(home: Home, run: ImportRun, path: Path, target: Path, result: dict[str, Any]) -> None:
    """Move a file away. Its photos are queued before, so that a crash loses none of them."""
    run.summary.pop(PHOTOS_IN, None)
    if contains_photos(path):
        run.summary[PHOTOS_IN] = target.relative_to(home.sims).as_posix()
    run.save(update_fields=["summary"])
    try:
        archive_file(home, path, target, result)
    except OSError:
        if not target.exists():
            run.summary.pop(PHOTOS_IN, None)
            run.save(update_fields=["summary"])
        raise


# --- photos --------------------------------------------------------------------------------


def _queue_photos(home: Home, file: DroppedFile) -> None:
    """Queue a ZIP that holds only photos, and move it to ``done``."""
    name, target = printable_name(file.path.name), free_path(home, "done", file.path.name)
    summary = {PHOTOS_IN: target.relative_to(home.sims).as_posix()}
    run = _record_run(home, name, file.sha256, ImportRun.Status.QUEUED, summary)
    try:
        archive_file(home, file.path, target, {})
    except OSError:
        if not target.exists():
            run.delete()
        raise


def _enrol_photo_folder(home: Home, reports: dict[int, dict[str, Any]], progress: Progress) -> None:
    """Enrol from ``photos`` if it has changed, and add the result to the last export's report."""
    try:
        if not photos_are_new(home):
            return
        batch, warnings = photo_folder(home)
        found = photos_report(enrol_all(home, batch, DROP_FOLDER_ACTOR, progress))
        found["warnings"] += warnings
        write_note(home, home.sims / "done" / "photos", found)
        remember_photos(home)
    except (GateError, OSError) as error:
        log.warning("Photos in the drop folder are enrolled later (%s).", type(error).__name__)
        return
    if reports:
        number = max(reports)
        reports[number] = with_photos(reports[number], found)
        run = find_run(number)
        run.summary = with_photos(run.summary, found)
        run.save(update_fields=["summary"])
