"""Enrolment photos that came through the browser: looked at by the gate that runs.

Making templates of a school's portraits takes minutes, too long for a page. A ZIP lies in
``HOME/sims/uploads``, readable by the gate's account alone: aside under a token until the export
it came with is applied, then as ``<number of its import>.zip`` until the gate has looked at it,
which then deletes it. One put aside and never applied goes after a day.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from datetime import date
from pathlib import Path
from typing import IO, Any

from consent_gate.db.models import ImportRun
from consent_gate.home.filesystem import set_modified
from consent_gate.home.home import Home
from ingest.enrolment.enrol import PhotoBatch, enrol_all, photos_report
from ingest.enrolment.sources import ZipOfPhotos

_SAID_ON = "photos_taken_on"

KEPT_SECONDS = 24 * 3600
"""Portraits of all children lie in it: a forgotten one goes after a day."""


def stage(home: Home, token: str, source: IO[bytes]) -> None:
    """Keep a ZIP until its export is applied. Raises OSError where it is no ZIP of photos."""
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
    """Whether photos wait for this export."""
    return _staged_path(home, token).exists()


def discard(home: Home, token: str) -> None:
    """The export was cancelled: its photos go."""
    _staged_path(home, token).unlink(missing_ok=True)


def enqueue(
    home: Home, token: str, name: str, actor: str, said_on: date | None
) -> ImportRun | None:
    """Let the gate look at the photos put aside; None where there are none.

    ``said_on``: when the person says they were taken.
    """
    path = _staged_path(home, token)
    if not path.exists():
        return None
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    run = ImportRun.objects.create(
        file_name=name,
        file_sha256=digest,
        status=ImportRun.Status.QUEUED,
        complete=False,
        actor=actor,
        created_at=home.now(),
        summary={_SAID_ON: said_on.isoformat()} if said_on else {},
    )
    path.replace(_folder(home) / f"{run.pk}.zip")
    return run


def enrol_queued(home: Home) -> int:
    """Look at everything queued, oldest first. Returns how many. Safe to repeat after a crash."""
    delete_expired(home)
    runs = list(ImportRun.objects.filter(status=ImportRun.Status.QUEUED).order_by("pk"))
    for run in runs:
        path = _folder(home) / f"{run.pk}.zip"
        record_photos(home, run, path)
        path.unlink(missing_ok=True)
    return len(runs)


def record_photos(home: Home, run: ImportRun, path: Path) -> dict[str, Any]:
    """Enrol a ZIP of photos; keep and return what became of them."""
    said_on = run.summary.get(_SAID_ON)
    try:
        source = ZipOfPhotos(path)
    except OSError:
        told: dict[str, Any] = {"enrolled": [], "not_enrolled": [], "recalled": 0}
        told["warnings"] = [
            {"row": 0, "column": "", "message": "The photos are not here any more."}
        ]
    else:
        given = PhotoBatch([source], said_on=date.fromisoformat(said_on) if said_on else None)
        told = photos_report(enrol_all(home, given, run.actor))
    run.summary, run.status = told, ImportRun.Status.APPLIED
    run.save(update_fields=["summary", "status"])
    return told


def delete_expired(home: Home) -> None:
    """Remove what was put aside and never applied."""
    oldest = home.clock().timestamp() - KEPT_SECONDS
    for path in _folder(home).glob("*.aside"):
        if path.stat().st_mtime < oldest:
            path.unlink(missing_ok=True)


def delete_all(home: Home) -> int:
    """Remove every ZIP, looked at or not: a pupil in it is erased. Returns how many."""
    found = list(_folder(home).glob("*"))
    for path in found:
        path.unlink(missing_ok=True)
    return len(found)


def _folder(home: Home) -> Path:
    return home.sims / "uploads"


def _staged_path(home: Home, token: str) -> Path:
    """Tokens are letters and digits; anything else finds nothing."""
    return _folder(home) / f"{token if token.isalnum() else 'none'}.aside"
