"""Move files that do not belong in an approved folder to a private folder under a random name.

Such a file may be somebody's original, and its name may contain a child's name. Staff can look at
it in the quarantine folder for ``KEEP_DAYS``. Neither the logs nor the audit log contain its name.
A file with the bytes of a picture that the gate published is not kept: it may have been recalled.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
from datetime import timedelta
from pathlib import Path

from django.db import transaction

from consent_gate.db import audit_log
from consent_gate.db.models import Publication
from consent_gate.home.filesystem import set_modified, sync_folder
from consent_gate.home.home import Home
from consent_gate.home.ids import new_id

KEEP_DAYS = 30
"""Days for which a file is kept. Nobody knows who is shown in it, so that neither a withdrawn
consent nor an erasure reaches it."""


def quarantine_folder(home: Home) -> Path:
    """The home's quarantine folder, created if missing; only the gate's account can read it."""
    folder = home.root / "quarantine"
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder


def quarantine(home: Home, channel: str, path: Path, problem: str) -> None:
    """Move a file to the quarantine folder and record it in the audit log.

    The file is copied and synced before it is removed, because the folders may be on different
    disks. Links, pipes and devices have no content and are only removed.

    Args:
        home: The installation.
        channel: Name of the channel.
        path: The file, inside the channel's folder.
        problem: ``Discrepancy.problem``, for the audit log.

    Raises:
        OSError: The file cannot be copied or removed.
    """
    detail: dict[str, object] = {"channel": channel, "problem": problem}
    if stat.S_ISREG(path.lstat().st_mode):
        kept = quarantine_folder(home) / f"{channel}-{new_id()}"
        digest = _copy(path, kept)
        set_modified(kept, home.clock())
        if _was_published(digest):
            kept.unlink()
            detail |= {"kept": None, "sha256": digest}
        else:
            detail |= {"kept": kept.name, "sha256": digest}
    else:
        detail["kept"] = None
    with transaction.atomic():
        audit_log.record(home, "folder.quarantined", f"channel:{channel}", detail)
    path.unlink(missing_ok=True)
    sync_folder(path.parent)


def _was_published(sha256: str) -> bool:
    """Whether a file has the bytes of a picture or film that the gate published, now or earlier."""
    if Publication.objects.filter(sha256=sha256).exists():
        return True
    others = Publication.objects.exclude(siblings=[]).values_list("siblings", flat=True)
    return any(part["sha256"] == sha256 for parts in others.iterator() for part in parts)


def delete_old_quarantine(home: Home) -> int:
    """Delete the files that were put into quarantine ``KEEP_DAYS`` ago. Returns how many."""
    folder, deleted = home.root / "quarantine", 0
    before = home.clock().timestamp() - timedelta(days=KEEP_DAYS).total_seconds()
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        if stat.S_ISREG(path.lstat().st_mode) and path.lstat().st_mtime < before:
            path.unlink(missing_ok=True)
            deleted += 1
    if deleted:
        with transaction.atomic():
            audit_log.record(home, "quarantine.emptied", "home", {"files": deleted})
    return deleted


def _copy(source: Path, target: Path) -> str:
    """Copy a file and return the copy's SHA-256. Does not follow a link, even one put there now."""
    descriptor = os.open(source, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0))
    with os.fdopen(descriptor, "rb") as file, target.open("xb") as copy:
        target.chmod(0o600)
        shutil.copyfileobj(file, copy)
        copy.flush()
        os.fsync(copy.fileno())
    with target.open("rb") as copy:
        digest = hashlib.file_digest(copy, "sha256").hexdigest()
    sync_folder(target.parent)
    return digest
