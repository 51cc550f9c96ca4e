"""A settled file of the inbox becomes an item: copied into the vault first, then into the ledger.

The order makes a crash harmless anywhere. The encrypted copy is whole and synced before its row
exists; the row exists before the file in the inbox is touched. A copy without a row is removed at
the next start: its file is still in the inbox. The same bytes a second time are the same item.
"""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from django.db import transaction

from consent_gate.bootstrap import Home
from consent_gate.db import trail
from consent_gate.db.models import Item, Sighting
from consent_gate.db.originals import read_part, vault_of
from consent_gate.errors import StorageFull, Undecryptable
from consent_gate.ids import new_id

NOT_PHOTOS = ("._", "~$", ".")
"""Beginnings of names that computers leave behind; a hidden file is never a photo."""
STILL_COPYING = (".part", ".filepart", ".crdownload", ".tmp", ".download", ".partial")
LEFT_BEHIND = frozenset({"thumbs.db", "desktop.ini", "ehthumbs.db"})
SYSTEM_FOLDERS = frozenset({"@eadir", "__macosx", "$recycle.bin", "lost+found"})


@dataclass(frozen=True)
class Candidate:
    """A file in the inbox as it was at one look."""

    path: Path
    source: str
    """Below the inbox, with forward slashes."""
    size: int
    modified_ns: int


@dataclass(frozen=True)
class TakenIn:
    """What one look through the inbox came to."""

    new: int
    known: int
    """Files whose bytes are an item already."""
    not_ready: tuple[str, ...]
    """Files still changing, unreadable or empty: looked at again next time."""


def take_in(home: Home) -> TakenIn:
    """Make an item of every settled file that is not one yet. Raises StorageFull."""
    new, known = 0, 0
    not_ready: list[str] = []
    for candidate in _settled(home, list(_unseen(home)), not_ready):
        try:
            claimed = claim(home, candidate)
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EROFS):
                raise StorageFull("There is no room left to take photos in.") from error
            not_ready.append(candidate.source)
            continue
        if claimed is None:
            not_ready.append(candidate.source)
        elif claimed:
            new += 1
        else:
            known += 1
    return TakenIn(new, known, tuple(not_ready))


def clean_vault(home: Home) -> int:
    """Remove what a crash left in the vault without a row. Returns how many files."""
    vault = vault_of(home)
    known = set(Item.objects.values_list("pk", flat=True))
    orphans = [vault.path(name) for name in vault.names() if name not in known]
    leftovers = [*orphans, *vault.partials()]
    for path in leftovers:
        path.unlink(missing_ok=True)
    return len(leftovers)


def _unseen(home: Home) -> Iterator[Candidate]:
    """Files of the inbox, oldest first, that are not a known item in this very state."""
    seen = {(s.source, s.size, s.modified_ns) for s in Sighting.objects.all()}
    found = [c for c in _files(home.inbox) if (c.source, c.size, c.modified_ns) not in seen]
    yield from sorted(found, key=lambda c: (c.modified_ns, c.source))


def _files(inbox: Path) -> Iterator[Candidate]:
    for folder, folders, names in os.walk(inbox, followlinks=False):
        folders[:] = [
            f for f in folders if not _is_system_name(f) and f.lower() not in SYSTEM_FOLDERS
        ]
        for name in names:
            path = Path(folder, name)
            candidate = None if _is_system_name(name) else _look_at(inbox, path)
            if candidate:
                yield candidate


def _is_system_folder(name: str) -> bool:
    return name.startswith(".") or name.lower() in SYSTEM_FOLDERS


def _is_system_name(name: str) -> bool:
    lower = name.lower()
    return lower.startswith(NOT_PHOTOS) or lower.endswith(STILL_COPYING) or lower in LEFT_BEHIND


def _look_at(inbox: Path, path: Path) -> Candidate | None:
    """Size and time of a regular file; None for links, devices and what vanished."""
    try:
        facts = path.lstat()
    except OSError:
        return None
    if path.is_symlink() or not path.is_file():
        return None
    source = path.relative_to(inbox).as_posix().encode("utf-8", "surrogateescape")
    return Candidate(
        path, source.decode("utf-8", "backslashreplace"), facts.st_size, facts.st_mtime_ns
    )


def _settled(home: Home, found: list[Candidate], not_ready: list[str]) -> Iterator[Candidate]:
    """Those that did not change for the settling time; waits once for the young ones."""
    quiet = home.settings.inbox.settle_seconds
    now = time.time()
    youngest = max((c.modified_ns / 1e9 for c in found), default=0.0)
    if found and now - youngest < quiet:
        time.sleep(min(quiet, max(0.0, quiet - (now - youngest))))
    for candidate in found:
        again = _look_at(home.inbox, candidate.path)
        if again == candidate:
            yield candidate
        elif again is not None:
            not_ready.append(candidate.source)


def claim(home: Home, candidate: Candidate) -> bool | None:
    """Copy one file into the vault and enter it. True: a new item; False: bytes already known;
    None: the file changed under the copy, so nothing was entered.
    """
    vault, item_id = vault_of(home), new_id()
    key, wrapped = vault.new_key(item_id)
    with candidate.path.open("rb") as source:
        stored = vault.write(item_id, key, source)
    if stored.size != candidate.size or _look_at(home.inbox, candidate.path) != candidate:
        vault.remove(item_id)
        return None
    with transaction.atomic():
        item, created = Item.objects.get_or_create(
            sha256=stored.sha256,
            defaults={
                "id": item_id,
                "size": stored.size,
                "source": candidate.source,
                "event": candidate.source.rpartition("/")[0],
                "received_at": home.now(),
                "wrapped_key": wrapped,
            },
        )
        Sighting.objects.update_or_create(
            source=candidate.source,
            defaults={
                "item": item,
                "size": candidate.size,
                "modified_ns": candidate.modified_ns,
                "seen_at": home.now(),
            },
        )
        if created:
            detail = {"sha256": stored.sha256, "size": stored.size}
            trail.record(home, "item.received", f"item:{item.pk}", detail)
    if not created:
        vault.remove(item_id)
    _clear_away(home, candidate, item)
    return created


def _clear_away(home: Home, candidate: Candidate, item: Item) -> None:
    """Do with the file in the inbox what the settings say, once the copy is proven good."""
    afterwards = home.settings.inbox.afterwards
    if afterwards == "leave" or not _copy_is_good(home, item):
        return
    if _look_at(home.inbox, candidate.path) != candidate:
        return  # changed since: it will be taken in again
    if afterwards == "delete":
        candidate.path.unlink(missing_ok=True)
        return
    target = home.root / "done" / candidate.source
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.exists():
        target = target.with_name(f"{target.stem}-{item.pk}{target.suffix}")
    shutil.move(candidate.path, target)


def _copy_is_good(home: Home, item: Item) -> bool:
    try:
        return hashlib.sha256(read_part(home, item)).hexdigest() == item.sha256
    except (OSError, Undecryptable):
        return False
