"""Queue enrolment photos from the browser until the running gate enrols them.

Enrolling a school's portraits takes minutes, too long for a page. A ZIP lies in
``HOME/sims/uploads``, which only the gate's account may read. It is staged under a token until its
export is applied. Then it is named ``<number of its import>.zip``; the gate enrols the photos and
deletes the ZIP. A staged ZIP whose export is never applied is deleted after a day.
"""

from __future__ import annotations

import hashlib
import logging
import os
import shutil
from datetime import date
from pathlib import Path
from typing import IO, Any

from django.db.models import Q

from consent_gate.db.models import ImportRun
from consent_gate.errors import GateError
from consent_gate.home.filesystem import open_regular_file, set_modified
from consent_gate.home.home import Home
from ingest.enrolment.enrol import PhotoBatch, enrol_all, no_progress
from ingest.enrolment.enrolment_report import photos_report
from ingest.enrolment.new_photos import Progress
from ingest.enrolment.sources import ZipOfPhotos

log = logging.getLogger(__name__)

PHOTOS_IN = "photos_in"
"""Key of an import's summary: path below ``HOME/sims`` of a ZIP whose photos are not enrolled yet.

It is written when the register part is done. So a crash during enrolment loses no photo.
"""
_STATED_DATE = "photos_taken_on"

STAGED_SECONDS = 24 * 3600
"""A staged ZIP may contain portraits of all pupils, so it is deleted after a day."""


def stage(home: Home, token: str, source: IO[bytes]) -> None:
    """Store a ZIP until its export is applied.

    Args:
        home: The home of the school.
        token: Letters and digits that identify the export.
        source: The content of the ZIP.

    Raises:
        OSError: It is not a ZIP with photos, or it cannot be written.
    """
    path = _staged_path(home, token)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as sink:
            shutil.copyfileobj(source, sink)
        set_modified(path, home.clock())
        if not ZipOfPhotos(path).names():
            raise OSError("There is no photo in this ZIP.")
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def is_staged(home: Home, token: str) -> bool:
    """Whether a ZIP is staged for this export."""
    return _staged_path(home, token).exists()


def discard(home: Home, token: str) -> None:
    """Delete the ZIP of an export that was cancelled."""
    _staged_path(home, token).unlink(missing_ok=True)


def enqueue(
    home: Home, token: str, name: str, actor: str, stated_date: date | None
) -> ImportRun | None:
    """Queue the staged ZIP for the gate. Returns its import; None where no ZIP is staged.

    Args:
        home: The home of the school.
        token: As for ``stage``.
        name: Name of the uploaded file, for the history of imports.
        actor: Who uploaded it.
        stated_date: Day on which that person says that the photos were taken.
    """
    path = _staged_path(home, token)
    if not path.exists():
        return None
    with open_regular_file(path) as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    run = ImportRun.objects.create(
        file_name=name,
        file_sha256=digest,
        status=ImportRun.Status.QUEUED,
        complete=False,
        actor=actor,
        created_at=home.now(),
        summary={_STATED_DATE: stated_date.isoformat()} if stated_date else {},
    )
    path.replace(_folder(home) / f"{run.pk}.zip")
    return run


def enrol_queued(home: Home, progress: Progress = no_progress) -> list[tuple[ImportRun, Path]]:
    """Enrol all queued photos, oldest import first.

    Returns the imports whose photos are done, and the ZIP of each.

    Photos that cannot be enrolled now stay queued and stop no others. Safe to repeat after a crash.
    """
    delete_expired(home)
    queued = Q(status=ImportRun.Status.QUEUED) | Q(summary__has_key=PHOTOS_IN)
    done = []
    for run in ImportRun.objects.filter(queued).order_by("pk"):
        path = _photos_path(home, run)
        try:
            _record_photos(home, run, path, progress)
        except (GateError, OSError) as error:
            log.warning(
                "The photos of import %s are enrolled later (%s).", run.pk, type(error).__name__
            )
            continue
        (_folder(home) / f"{run.pk}.zip").unlink(missing_ok=True)
        done.append((run, path))
    return done


def _photos_path(home: Home, run: ImportRun) -> Path:
    dropped = run.summary.get(PHOTOS_IN)
    return home.sims / dropped if dropped else _folder(home) / f"{run.pk}.zip"


def _record_photos(home: Home, run: ImportRun, path: Path, progress: Progress) -> None:
    """Enrol a ZIP of photos and save the result in ``run``, beside what the import reported."""
    stated_date = run.summary.get(_STATED_DATE)
    try:
        source = ZipOfPhotos(path)
    except OSError:
        found: dict[str, Any] = {"enrolled": [], "not_enrolled": [], "recalled": 0}
        found["warnings"] = [{"row": 0, "column": "", "message": NO_PHOTOS_LEFT}]
    else:
        batch = PhotoBatch(
            [source], stated_date=date.fromisoformat(stated_date) if stated_date else None
        )
        found = photos_report(enrol_all(home, batch, run.actor, progress))
    run.refresh_from_db()  # an erasure may have changed the summary meanwhile
    if run.status == ImportRun.Status.QUEUED:
        run.summary, run.status = found, ImportRun.Status.APPLIED
    else:
        run.summary = with_photos(run.summary, found)
    run.save(update_fields=["summary", "status"])


NO_PHOTOS_LEFT = "The photos were deleted before they were enrolled. Upload them again."


def with_photos(report: dict[str, Any], found: dict[str, Any]) -> dict[str, Any]:
    """The report of an import together with what became of its photos."""
    kept = {key: value for key, value in report.items() if key != PHOTOS_IN}
    recalled = kept.get("recalled", 0) + found["recalled"]
    lists = {}
    for key in ("enrolled", "not_enrolled", "warnings"):
        before = kept.get(key, [])
        lists[key] = [*before, *(entry for entry in found[key] if entry not in before)]
    return {**kept, **lists, "recalled": recalled}


def delete_expired(home: Home) -> None:
    """Delete staged ZIPs older than ``STAGED_SECONDS``."""
    oldest = home.clock().timestamp() - STAGED_SECONDS
    for path in _folder(home).glob("*.aside"):
        if path.stat().st_mtime < oldest:
            path.unlink(missing_ok=True)


def delete_all(home: Home) -> int:
    """Delete every ZIP, because one may contain a pupil who is erased. Returns how many."""
    found = list(_folder(home).glob("*"))
    for path in found:
        path.unlink(missing_ok=True)
    return len(found)


def stored_bytes(home: Home) -> int:
    """The size of all ZIPs, staged and queued."""
    return sum(path.stat().st_size for path in _folder(home).glob("*"))


def _folder(home: Home) -> Path:
    return home.sims / "uploads"


def _staged_path(home: Home, token: str) -> Path:
    """Path of a staged ZIP; a token with other characters than letters and digits has none."""
    return _folder(home) / f"{token if token.isalnum() else 'none'}.aside"
