"""What was closed for good, kept in a small file beside the keys for the day of a restore.

A backup is older than the home that was lost. Restored as it is, it would bring back templates that
were destroyed since, show pictures that were recalled, open what was sealed. The audit trail knows
all of these, but is lost with the database. So every entry that *closes* something is also appended
to ``secrets/closings.jsonl``; each backup copies the file, and a restore carries out again whatever
in it the restored trail does not know (docs/backup.md). It holds item ids and pseudonyms, no name.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path

from consent_gate.audit import Entry
from consent_gate.db.models import AuditEntry
from consent_gate.errors import GateError
from consent_gate.home.home import Home

FILE = "closings.jsonl"

MAX_LINE_BYTES = 4096
"""Bytes: a line holds ids, an account and a reason, some 500 in all."""

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
    "thresholds.accepted",
)
"""Entries of the audit trail that no restore may undo. Of accounts and cameras also what opened
something: only both together lead to who may do what, and which cameras count, in the end."""


_NEEDED = (
    *("channel", "publication", "cause", "token", "role"),
    *("camera", "classes", "versions", "fused_tail", "sface_tail"),
)


class RevocationLogCorrupt(GateError):
    """The list of what was closed was altered, or belongs to other keys."""

    exit_code = 23
    next_step = "Take the list from a newer backup, or from the folder of the keys."


def revocations_file(home: Home) -> Path:
    """Where the home keeps its list."""
    return home.secrets / FILE


def append_new(home: Home) -> int:
    """Append what the trail has and the list has not. Returns how many. Raises OSError."""
    path = revocations_file(home)
    sequence, mac = _last_entry(path)
    follows = AuditEntry.objects.filter(sequence=sequence, mac=mac).exists()
    known = set() if follows else {entry.mac for entry in read(home.keys.audit, path)}
    after = sequence if follows else 0
    rows = AuditEntry.objects.filter(action__in=REVOKING_ACTIONS, sequence__gt=after)
    fresh = [
        Entry(r.sequence, r.at, r.actor, r.action, r.subject, _needed_detail(r.detail), r.mac)
        for r in rows.order_by("sequence").iterator()
        if r.mac not in known
    ]
    if fresh:
        _append(path, (_line(home.keys.audit, entry) for entry in fresh))
    return len(fresh)


def read(key: bytes, path: Path) -> Iterator[Entry]:
    """All entries of a list; none where there is no file. Raises RevocationLogCorrupt.

    A last line cut short by a power failure is left out: its entry is still in the trail.
    """
    if not path.is_file():
        return
    with path.open(encoding="utf-8") as file:
        for line in file:
            if not line.endswith("\n"):
                return
            yield _entry(key, line)


def _needed_detail(detail: dict[str, object]) -> dict[str, object]:
    """Without what staff wrote."""
    return {name: detail[name] for name in _NEEDED if name in detail}


def _entry(key: bytes, line: str) -> Entry:
    try:
        body, seal = json.loads(line)
        if hmac.compare_digest(_signature(key, body), seal):
            return Entry(**body)
    except (ValueError, TypeError) as error:
        raise RevocationLogCorrupt("The list of what was closed cannot be read.") from error
    raise RevocationLogCorrupt(
        "The list of what was closed was altered, or the key is another one."
    )


def _line(key: bytes, entry: Entry) -> str:
    body = asdict(entry)
    return json.dumps([body, _signature(key, body)], ensure_ascii=False) + "\n"


def _signature(key: bytes, body: dict[str, object]) -> str:
    text = json.dumps(body, sort_keys=True, ensure_ascii=False)
    return hmac.new(key, b"closing:" + text.encode(), hashlib.sha256).hexdigest()


def _append(path: Path, lines: Iterable[str]) -> None:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    with os.fdopen(descriptor, "r+b") as file:
        file.seek(_end_of_whole_lines(path))
        file.truncate()
        for line in lines:
            file.write(line.encode())
        file.flush()
        os.fsync(file.fileno())


def _end_of_whole_lines(path: Path) -> int:
    return path.read_bytes().rfind(b"\n") + 1


def _last_entry(path: Path) -> tuple[int, str]:
    """Place and mac of the newest entry of the list; 0 and "" when there is none."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - MAX_LINE_BYTES))
            tail = file.read()
        body = json.loads(tail[: tail.rfind(b"\n") + 1].splitlines()[-1])[0]
        return int(body["sequence"]), str(body["mac"])
    except (FileNotFoundError, ValueError, LookupError, TypeError):
        return 0, ""
