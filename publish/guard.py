"""Does every approved folder hold what the ledger says, byte for byte, and nothing else?"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from consent_gate.bootstrap import Home
from consent_gate.db.models import Publication
from consent_gate.db.models.publications import IN_MANIFEST
from publish import manifest
from publish.verify import verify


@dataclass(frozen=True)
class Discrepancy:
    """One thing in a folder that is not as it must be."""

    channel: str
    file: str
    problem: str
    """``unknown``, ``missing``, ``changed``, ``not_clean`` or ``manifest``."""
    sentence: str


def find_discrepancies(home: Home) -> list[Discrepancy]:
    """Compare all channels with the ledger. Reads only."""
    return [found for name in home.settings.channels for found in _of_channel(home, name)]


def _of_channel(home: Home, channel: str) -> Iterator[Discrepancy]:
    folder = home.approved(channel)
    ledger = {
        row.file: row for row in Publication.objects.filter(channel=channel, state__in=IN_MANIFEST)
    }
    present = {path.relative_to(folder).as_posix(): path for path in _files(folder)}
    present.pop(manifest.FILE_NAME, None)
    for name in sorted(present.keys() - ledger.keys()):
        yield Discrepancy(channel, name, "unknown", "The gate did not put this file here.")
    for name in sorted(ledger.keys() - present.keys()):
        yield Discrepancy(channel, name, "missing", "A released picture is gone.")
    for name in sorted(ledger.keys() & present.keys()):
        yield from _of_file(channel, name, present[name].read_bytes(), ledger[name].sha256)
    yield from _of_manifest(home, channel, ledger)


def _files(folder: Path) -> Iterator[Path]:
    for path in folder.rglob("*"):
        if path.is_symlink() or (path.is_file() and not path.name.startswith(".partial-")):
            yield path


def _of_file(channel: str, name: str, data: bytes, sha256: str) -> Iterator[Discrepancy]:
    if hashlib.sha256(data).hexdigest() != sha256:
        yield Discrepancy(channel, name, "changed", "The file is not the one that was released.")
    for finding in verify(data):
        yield Discrepancy(channel, name, "not_clean", finding.sentence)


def _of_manifest(home: Home, channel: str, ledger: dict[str, Publication]) -> Iterator[Discrepancy]:
    path = manifest.manifest_path(home, channel)
    if not path.exists() and not ledger:
        return
    try:
        listed = {(i["file"], i["sha256"]) for i in json.loads(path.read_text("utf-8"))["items"]}
    except (OSError, ValueError, KeyError, TypeError):
        yield Discrepancy(channel, path.name, "manifest", "The list of pictures cannot be read.")
        return
    if listed != {(name, row.sha256) for name, row in ledger.items()}:
        sentence = "The list of pictures differs from what was released."
        yield Discrepancy(channel, path.name, "manifest", sentence)
