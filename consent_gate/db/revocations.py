"""A file with all revocations, so that restoring a backup does not undo them.

A backup is older than the home that was lost. It may have templates that were destroyed since,
pictures that were recalled since, and pictures that were sealed since. The audit trail records all
this, but is lost with the database. So each audit entry that revokes something is also appended to
``secrets/closings.jsonl``. Each backup copies the file. A restore repeats the entries that the
restored trail does not have (docs/backup.md). The file has item ids and pseudonyms, no names.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path

from consent_gate.db.audit_chain import Entry
from consent_gate.db.models import AuditEntry
from consent_gate.errors import GateError
from consent_gate.home.home import Home

FILE = "closings.jsonl"

MAX_LINE_BYTES = 65_536
"""From the end of the list, so much is read to find its last entry. Most lines have 500 bytes, and
one that names the pupils at an event has about 70 for each. After a longer line all are read."""

REVOKING_ACTIONS = (
    "templates.destroyed",
    "publication.recalled",
    "publication.abandoned",
    "channel.refused",
    "item.sealed",
    "item.erased",
    "pupil.erased",
    "feed.token_ended",
    "user.close",
    "user.role",
    "user.email",
    "user.password",
    "user.untie",
    "camera.registered",
    "camera.removed",
    "event.classes_named",
    "face.added",
    "face.tagged",
    "thresholds.accepted",
)
"""Actions of audit entries that a restore must not undo. For accounts and cameras, entries that
grant something are included too: the final state follows only from both kinds together."""

_DETAIL_KEYS = (
    *("channel", "publication", "cause", "token", "role"),
    *("camera", "classes", "pupils", "unknown", "versions", "fused_tail", "sface_tail"),
    "kind",
)
"""Keys of an entry's detail that a restore needs."""


class RevocationListCorrupt(GateError):
    """The revocation list was altered, or belongs to other keys."""

    exit_code = 23
    next_step = "Use the file closings.jsonl of a newer backup, or of the folder with the keys."


def revocations_file(home: Home) -> Path:
    """Return the path of the home's revocation list."""
    return home.secrets / FILE


def append_new(home: Home) -> int:
    """Append the revocations that are in the audit trail only. Returns how many.

    Raises:
        RevocationListCorrupt: The list was altered.
        OSError: The file cannot be read or written.
    """
    path = revocations_file(home)
    sequence, mac = _last_entry(path)
    is_same_trail = AuditEntry.objects.filter(sequence=sequence, mac=mac).exists()
    known = set() if is_same_trail else {entry.mac for entry in read(home.keys.audit, path)}
    after = sequence if is_same_trail else 0
    rows = AuditEntry.objects.filter(action__in=REVOKING_ACTIONS, sequence__gt=after)
    new = [
        Entry(r.sequence, r.at, r.actor, r.action, r.subject, _needed_detail(r.detail), r.mac)
        for r in rows.order_by("sequence").iterator()
        if r.mac not in known
    ]
    if new:
        _append(path, (_line(home.keys.audit, entry) for entry in new))
    return len(new)


def read(key: bytes, path: Path) -> Iterator[Entry]:
    """Yield all entries of a list; none if the file does not exist.

    An incomplete last line, as after a power failure, is left out: the trail still has its entry.

    Raises:
        RevocationListCorrupt: A line was altered or belongs to another key.
        OSError: The file cannot be read.
    """
    if not path.is_file():
        return
    with path.open(encoding="utf-8") as file:
        for line in file:
            if not line.endswith("\n"):
                return
            yield _entry(key, line)


def _needed_detail(detail: dict[str, object]) -> dict[str, object]:
    """The parts of the detail that a restore needs, without texts that staff wrote."""
    return {name: detail[name] for name in _DETAIL_KEYS if name in detail}


def _entry(key: bytes, line: str) -> Entry:
    try:
        body, signature = json.loads(line)
        if hmac.compare_digest(_signature(key, body), signature):
            return Entry(**body)
    except (ValueError, TypeError) as error:
        raise RevocationListCorrupt("The revocation list cannot be read.") from error
    raise RevocationListCorrupt("The revocation list was altered, or belongs to another key.")


def _line(key: bytes, entry: Entry) -> str:
    body = asdict(entry)
    return json.dumps([body, _signature(key, body)], ensure_ascii=False) + "\n"


def _signature(key: bytes, body: dict[str, object]) -> str:
    text = json.dumps(body, sort_keys=True, ensure_ascii=False)
    return hmac.new(key, b"closing:" + text.encode(), hashlib.sha256).hexdigest()


def _append(path: Path, lines: Iterable[str]) -> None:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    with os.fdopen(descriptor, "r+b") as file:
        file.seek(_end_of_complete_lines(path))
        file.truncate()
        for line in lines:
            file.write(line.encode())
        file.flush()
        os.fsync(file.fileno())


def _end_of_complete_lines(path: Path) -> int:
    return path.read_bytes().rfind(b"\n") + 1


def _last_entry(path: Path) -> tuple[int, str]:
    """Sequence number and mac of the newest entry of the list; 0 and "" if there is none."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - MAX_LINE_BYTES))
            tail = file.read()
        body = json.loads(tail[: tail.rfind(b"\n") + 1].splitlines()[-1])[0]
        return int(body["sequence"]), str(body["mac"])
    except (FileNotFoundError, ValueError, LookupError, TypeError):
        return 0, ""
