"""Does every approved folder hold what the ledger says, byte for byte, and nothing else?

``find_discrepancies`` only looks. ``repair`` takes away what does not belong and has released
pictures made again that are gone or changed: from the vault, through every check of a new one.
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
from consent_gate.db.models.publications import IN_MANIFEST, PENDING
from consent_gate.decisions.ledger import DecisionContext, republish
from consent_gate.home.home import Home
from consent_gate.register.repository import load_register
from publish.channel import manifest
from publish.channel.files import file_names_of, files_of, named
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
from publish.rendering.render import ImageFormat
from publish.rendition_requests import Renderer
from publish.verification.verify import verify

FULL_CHECK_INTERVAL = timedelta(hours=24)
"""In between, a file whose size, times and number on the disk are as before is not read again."""

HALF_MADE = re.compile(re.escape(PARTIAL) + r"([a-z2-7]{26}-[0-9a-z]{16,26}|[a-z0-9_]{8})")
"""Names of our own temporary files; ``release`` and ``recall`` look after those."""

MOVING = (*PENDING, PublicationState.WITHDRAWING)
"""States in which a file may be there or not: the next step puts it right."""

Stamp = tuple[int, int, int, int]


@dataclass(frozen=True)
class Discrepancy:
    """One thing in a folder that is not as it must be."""

    channel: str
    file: str
    """Below the channel's folder; empty for the folder itself. Never logged."""
    problem: str
    """``unknown``, ``missing``, ``changed``, ``not_clean``, ``manifest`` or ``folder``."""
    sentence: str


@dataclass
class VerifiedFilesCache:
    """Files that were read and found right, and how they looked then."""

    stamps: dict[Path, tuple[Stamp, str]] = field(default_factory=dict)
    """To the file's stamp and the SHA-256 it was compared with."""
    since: datetime | None = None

    def forget_if_old(self, now: datetime) -> None:
        """Once a day everything is read again; also when the clock was set back."""
        if self.since is None or not timedelta() <= now - self.since < FULL_CHECK_INTERVAL:
            self.stamps.clear()
            self.since = now


def integrity_round(
    home: Home, renderer: Renderer | None, verified: VerifiedFilesCache | None = None
) -> list[Discrepancy]:
    """Look, mend, and release again what was mended. Returns what was wrong before."""
    found = find_discrepancies(home, verified)
    if found:
        repair(home, found)
        publish_pending(home, renderer)
    return found


def find_discrepancies(home: Home, verified: VerifiedFilesCache | None = None) -> list[Discrepancy]:
    """Compare all channels with the ledger. Reads only."""
    verified = verified or VerifiedFilesCache()
    verified.forget_if_old(home.now())
    return [found for name in home.settings.channels for found in _of_channel(home, name, verified)]


def repair(home: Home, found: list[Discrepancy]) -> list[FolderProblem]:
    """Put right what can be put right here; the rest waits for ``publish_pending``."""
    troubles = []
    for one in found:
        troubles += catching_folder_errors(one.channel, partial(_repair_one, home, one))
    return troubles


def _repair_one(home: Home, discrepancy: Discrepancy) -> None:
    if discrepancy.problem == "folder":
        return
    path = home.approved(discrepancy.channel) / discrepancy.file
    if discrepancy.problem in {"unknown", "changed", "not_clean"} and os.path.lexists(path):
        if path.is_dir() and not path.is_symlink():
            path.rmdir()  # what was in it has gone already
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
            file=named(discrepancy.file, ImageFormat.JPEG), state__in=IN_MANIFEST
        ).first()
        if row and not os.path.lexists(home.approved(discrepancy.channel) / discrepancy.file):
            now = home.now()
            republish(DecisionContext(home, load_register(now.date()), now), row)


def _of_channel(home: Home, channel: str, verified: VerifiedFilesCache) -> Iterator[Discrepancy]:
    try:
        folder = folder_of(home, channel)
        present = {path.relative_to(folder).as_posix(): path for path in _walk(folder)}
    except (OSError, FolderUnavailable) as error:
        yield Discrepancy(channel, "", "folder", folder_problem(channel, error).message)
        return
    rows = list(Publication.objects.filter(channel=channel))  # after the look
    ledger = {p.file: p.sha256 for row in rows if row.state in IN_MANIFEST for p in files_of(row)}
    moving = {name for row in rows if row.state in MOVING for name in file_names_of(row)}
    for name in sorted(present.keys() - ledger.keys() - moving, key=_deepest_first):
        yield Discrepancy(channel, name, "unknown", "The gate did not put this here.")
    for name in sorted(ledger.keys() - present.keys()):
        if not os.path.lexists(folder / name):  # not one placed since the look
            yield Discrepancy(channel, name, "missing", "A released picture is gone.")
    for name in sorted(ledger.keys() & present.keys()):
        yield from _of_file(channel, name, present[name], ledger[name], verified)
    yield from _of_manifest(home, channel)


def _deepest_first(name: str) -> tuple[int, str]:
    return -name.count("/"), name


def _walk(folder: Path) -> Iterator[Path]:
    """Everything below the folder that is not ours by its kind: files, links, odd folders."""
    for where, folders, files in os.walk(folder, followlinks=False):
        here = Path(where)
        for name in files:
            if here != folder or not (name == MANIFEST or HALF_MADE.fullmatch(name)):
                yield here / name
        for name in folders:
            is_month = here == folder and re.fullmatch(r"\d{4}-\d\d", name)
            if (here / name).is_symlink() or not is_month:
                yield here / name


def _of_file(
    channel: str, name: str, path: Path, sha256: str, verified: VerifiedFilesCache
) -> Iterator[Discrepancy]:
    try:
        if path.is_symlink() or not path.is_file():
            yield Discrepancy(channel, name, "changed", "Something else is in a picture's place.")
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
    facts = path.lstat()
    return facts.st_size, facts.st_mtime_ns, facts.st_ctime_ns, facts.st_ino


def _of_manifest(home: Home, channel: str) -> Iterator[Discrepancy]:
    path = manifest.manifest_path(home, channel)
    right = manifest.build_now(home, channel)
    if not path.exists() and not right["sequence"]:
        return
    if manifest.manifest_is_stale(home, channel) and path.is_file():
        return  # about to be written
    try:
        listed = json.loads(path.read_bytes()) if not path.is_symlink() else None
    except (OSError, ValueError):
        listed = None
    if not isinstance(listed, dict):
        yield Discrepancy(channel, MANIFEST, "manifest", "The list of pictures cannot be read.")
    elif listed | {"generated_at": ""} != right | {"generated_at": ""}:
        sentence = "The list of pictures differs from what was released."
        yield Discrepancy(channel, MANIFEST, "manifest", sentence)
