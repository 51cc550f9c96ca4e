"""Where the guard puts what does not belong: private, under a name that says nothing.

A stray file may be somebody's original, with a child's name for a file name. It is kept for a
person to look at, never shown to readers, and neither logs nor the audit repeat its name.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
from pathlib import Path

from django.db import transaction

from consent_gate.db import audit_log
from consent_gate.home.filesystem import sync_folder
from consent_gate.home.home import Home
from consent_gate.ids import new_id


def quarantine_folder(home: Home) -> Path:
    """Readable by this account only."""
    folder = home.root / "quarantine"
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder


def quarantine(home: Home, channel: str, path: Path, problem: str) -> None:
    """Out of the reader's sight, and into the audit. Raises OSError.

    The file is copied and synced before it is removed: an approved folder may be on another disk.
    Links, pipes and devices hold nothing of their own and are only removed.
    """
    detail: dict[str, object] = {"channel": channel, "problem": problem}
    if stat.S_ISREG(path.lstat().st_mode):
        kept = quarantine_folder(home) / f"{channel}-{new_id()}"
        detail |= {"kept": kept.name, "sha256": _copy(path, kept)}
    else:
        detail["kept"] = None
    with transaction.atomic():
        audit_log.record(home, "folder.quarantined", f"channel:{channel}", detail)
    path.unlink(missing_ok=True)
    sync_folder(path.parent)


def _copy(source: Path, target: Path) -> str:
    """The copy's SHA-256. A link put in the file's place meanwhile is not followed."""
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
