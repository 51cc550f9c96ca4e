"""Check that every approved folder contains exactly what the ledger lists, byte for byte.

``find_discrepancies`` only reads. ``repair`` moves files that do not belong to quarantine and
schedules missing or changed pictures to be rendered again from the vault, with all checks of a new
picture.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

from django.db import transaction

from consent_gate.db.models import Publication, PublicationState
from consent_gate.decisions.publications import apply_step
from consent_gate.home.home import Home
from consent_gate.publication import IN_MANIFEST, PENDING, Remake
from publish.channel import manifest
from publish.channel.files import FileKind, file_in_format, file_names_of, files_of
from publish.channel.folder import (
    MANIFEST,
    FolderProblem,
    FolderUnavailable,
    folder_of,
    folder_problem,
)
from publish.integrity.quarantine import quarantine
from publish.recall.withdraw import PARTIAL, catching_folder_errors
from publish.release import publish_pending
from publish.renditions.requests import Renderer
from publish.verification.verify import verify

FULL_CHECK_INTERVAL = timedelta(hours=24)
"""How often every file is read. In between, only files whose size, times or inode have changed."""

TEMPORARY_NAME = re.compile(re.escape(PARTIAL) + r"([a-z2-7]{26}-[0-9a-z]{16,26}|[a-z0-9_]{8})")
"""Names of our own temporary files, which ``publish.release`` and ``publish.recall`` remove."""

IN_TRANSITION = (*PENDING, PublicationState.WITHDRAWING)
"""States in which a file may or may not exist yet; the next round of releases settles it."""

Stamp = tuple[int, int, int, int]
"""Size in bytes, modification and change time in nanoseconds, inode."""


@dataclass(frozen=True)
class Discrepancy:
    """One difference between a folder and the ledger."""

    channel: str
    file: str
    """Path below the channel's folder; empty for the folder itself. Never logged."""
    problem: str
    """``unknown``, ``missing``, ``changed``, ``not_clean``, ``manifest`` or ``folder``."""
    sentence: str
    """For staff."""


@dataclass
class VerifiedFilesCache:
    """Files that were read and found correct."""

    stamps: dict[Path, tuple[Stamp, str]] = field(default_factory=dict)
    """By path: the file's stamp when it was read, and its SHA-256."""
    cleared_at: datetime | None = None

    def clear_if_expired(self, now: datetime) -> None:
        """Clear after ``FULL_CHECK_INTERVAL``, or if the clock was set back."""
        cleared = self.cleared_at
        if cleared is None or not timedelta() <= now - cleared < FULL_CHECK_INTERVAL:
            self.stamps.clear()
            self.cleared_at = now


def integrity_round(
    home: Home, renderer: Renderer | None, verified: VerifiedFilesCache | None = None
) -> list[Discrepancy]:
    """Find discrepancies, repair them, and publish the repaired pictures.

    Args:
        home: The installation.
        renderer: As for ``publish.release.publish_pending``.
        verified: Files that need not be read again; updated. None reads all files.

    Returns:
        The discrepancies found before the repair.
    """
    found = find_discrepancies(home, verified)
    if found:
        repair(home, found)
        publish_pending(home, renderer)
    return found


def find_discrepancies(home: Home, verified: VerifiedFilesCache | None = None) -> list[Discrepancy]:
    """Compare the folders of all channels with the ledger. Changes nothing.

    Args:
        home: The installation.
        verified: Files that need not be read again; updated. None reads all files.
    """
    verified = verified or VerifiedFilesCache()
    verified.clear_if_expired(home.now())
    return [
        discrepancy
        for channel in home.settings.channels
        for discrepancy in _channel_discrepancies(home, channel, verified)
    ]


def repair(home: Home, discrepancies: list[Discrepancy]) -> list[FolderProblem]:
    """Quarantine unknown and changed files, rewrite manifests, schedule lost pictures.

    ``publish_pending`` then renders the lost pictures.

    Returns:
        The channels whose folders could not be changed.
    """
    problems = []
    for discrepancy in discrepancies:
        problems += catching_folder_errors(
            discrepancy.channel, partial(_repair_one, home, discrepancy)
        )
    return problems


def _repair_one(home: Home, discrepancy: Discrepancy) -> None:
    if discrepancy.problem == "folder":
        return
    path = home.approved(discrepancy.channel) / discrepancy.file
    if discrepancy.problem in {"unknown", "changed", "not_clean"} and os.path.lexists(path):
        if path.is_dir() and not path.is_symlink():
            path.rmdir()  # its files come first in the list and are in quarantine already
        else:
            quarantine(home, discrepancy.channel, path, discrepancy.problem)
    if discrepancy.problem == "manifest":
        if path.is_symlink() or (path.exists() and not path.is_file()):
            quarantine(home, discrepancy.channel, path, discrepancy.problem)
        manifest.write_manifest(home, discrepancy.channel)
    if discrepancy.problem in {"missing", "changed", "not_clean"}:
        _republish(home, discrepancy)


def _republish(home: Home, discrepancy: Discrepancy) -> None:
    with transaction.atomic():
        rows = Publication.objects.select_for_update().filter(channel=discrepancy.channel)
        row = rows.filter(
            file=file_in_format(discrepancy.file, FileKind.JPEG), state__in=IN_MANIFEST
        ).first()
        if row and not os.path.lexists(home.approved(discrepancy.channel) / discrepancy.file):
            apply_step(home, [row], Remake())


def _channel_discrepancies(
    home: Home, channel: str, verified: VerifiedFilesCache
) -> Iterator[Discrepancy]:
    try:
        folder = folder_of(home, channel)
        present = {path.relative_to(folder).as_posix(): path for path in _walk(folder)}
    except (OSError, FolderUnavailable) as error:
        yield Discrepancy(channel, "", "folder", folder_problem(channel, error).message)
        return
    # The ledger is read after the folder, so a picture placed in between is not "unknown".
    rows = list(Publication.objects.filter(channel=channel))
    released = [file for row in rows if row.state in IN_MANIFEST for file in files_of(row)]
    ledger = {file.name: file.sha256 for file in released}
    in_transition = {
        name for row in rows if row.state in IN_TRANSITION for name in file_names_of(row)
    }
    for name in sorted(present.keys() - ledger.keys() - in_transition, key=_deepest_first):
        yield Discrepancy(channel, name, "unknown", "The gate did not put this file here.")
    for name in sorted(ledger.keys() - present.keys()):
        if not os.path.lexists(folder / name):  # it may have been placed since the folder was read
            yield Discrepancy(channel, name, "missing", "A released picture is missing.")
    for name in sorted(ledger.keys() & present.keys()):
        yield from _file_discrepancies(channel, name, present[name], ledger[name], verified)
    yield from _manifest_discrepancies(home, channel)


def _deepest_first(name: str) -> tuple[int, str]:
    return -name.count("/"), name


def _walk(folder: Path) -> Iterator[Path]:
    """All files, links and folders below, except the manifest, temporary files, month folders."""
    for path, folders, files in os.walk(folder, followlinks=False):
        parent = Path(path)
        for name in files:
            if parent != folder or not (name == MANIFEST or TEMPORARY_NAME.fullmatch(name)):
                yield parent / name
        for name in folders:
            is_month = parent == folder and re.fullmatch(r"\d{4}-\d\d", name)
            if (parent / name).is_symlink() or not is_month:
                yield parent / name


def _file_discrepancies(
    channel: str, name: str, path: Path, sha256: str, verified: VerifiedFilesCache
) -> Iterator[Discrepancy]:
    try:
        if path.is_symlink() or not path.is_file():
            yield Discrepancy(channel, name, "changed", "This should be a picture but is no file.")
            return
        stamp = _stamp(path)
        if verified.stamps.get(path) == (stamp, sha256):
            return
        data = path.read_bytes()
    except OSError:
        yield Discrepancy(channel, name, "folder", "A released picture cannot be read.")
        return
    if hashlib.sha256(data).hexdigest() != sha256:
        yield Discrepancy(channel, name, "changed", "The file is not the one that was released.")
    elif findings := verify(data):
        yield Discrepancy(channel, name, "not_clean", findings[0].sentence)
    else:
        verified.stamps[path] = stamp, sha256


def _stamp(path: Path) -> Stamp:
    stat = path.lstat()
    return stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino


def _manifest_discrepancies(home: Home, channel: str) -> Iterator[Discrepancy]:
    path = manifest.manifest_path(home, channel)
    expected = manifest.build_current(home, channel)
    if not path.exists() and not expected["sequence"]:
        return
    if manifest.manifest_is_stale(home, channel) and path.is_file():
        return  # the next round of releases writes it
    try:
        written = json.loads(path.read_bytes()) if not path.is_symlink() else None
    except (OSError, ValueError):
        written = None
    if not isinstance(written, dict):
        yield Discrepancy(channel, MANIFEST, "manifest", "The list of pictures cannot be read.")
    elif written | {"generated_at": ""} != expected | {"generated_at": ""}:
        message = "The list of pictures differs from what was released."
        yield Discrepancy(channel, MANIFEST, "manifest", message)
