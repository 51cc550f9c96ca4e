"""Write and verify the audit trail."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC

from django.db import transaction

from consent_gate.db.audit_chain import GENESIS, Anchor, ChainBreak, Entry, entry_mac, find_breaks
from consent_gate.db.bulk import write_rows
from consent_gate.db.models import AuditEntry
from consent_gate.home.filesystem import replace_with
from consent_gate.home.home import Home
from consent_gate.home.keys import decrypt, encrypt, pseudonym

SYSTEM_ACTOR = "gate"
"""Actor of entries that no person caused."""
ANCHOR_FILE = "audit-anchor"
_COLUMNS = ("sequence", "at", "actor", "action", "subject", "detail", "mac")


@dataclass(frozen=True)
class AuditEvent:
    """An event to record; ``record_all`` adds its number, time and mac."""

    action: str
    """``noun.verb``."""
    subject: str
    """Item id or pseudonym; see ``audit.Entry``."""
    detail: Mapping[str, object] = field(default_factory=dict)


def record(
    home: Home,
    action: str,
    subject: str,
    detail: Mapping[str, object] | None = None,
    actor: str = SYSTEM_ACTOR,
) -> None:
    """Add one entry. Call inside the transaction of the change that it records."""
    record_all(home, [AuditEvent(action, subject, detail or {})], actor)


def record_all(home: Home, events: Iterable[AuditEvent], actor: str = SYSTEM_ACTOR) -> None:
    """Add entries in order. Call inside the transaction of the changes that they record.

    Raises:
        RuntimeError: There is no open transaction.
    """
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("an audit entry must be written in the transaction of its change")
    last = AuditEntry.objects.select_for_update().order_by("-sequence").first()
    sequence, mac = (last.sequence, last.mac) if last else (0, GENESIS)
    at = home.clock().astimezone(UTC).isoformat(timespec="microseconds")
    rows = []
    for event in events:
        sequence += 1
        detail = _normalise_numbers(event.detail)
        entry = Entry(sequence, at, actor, event.action, event.subject, detail)
        mac = entry_mac(home.keys.audit, mac, entry)
        rows.append((sequence, at, actor, event.action, event.subject, json.dumps(detail), mac))
    write_rows(AuditEntry, _COLUMNS, rows)


def _normalise_numbers(detail: Mapping[str, object]) -> Mapping[str, object]:
    """Change numbers to the form in which every database returns them, so that the mac stays valid.

    PostgreSQL returns 0.0 for -0.0, and a whole number for 1e16.
    """
    text = json.dumps(detail)
    if "e+" not in text and "-0.0" not in text:
        return detail
    normalised: dict[str, object] = json.loads(text, parse_float=_normalise_float)
    return normalised


def _normalise_float(text: str) -> float:
    number = float(text) + 0.0
    return int(number) if abs(number) >= 1e16 else number


def pupil_subject(home: Home, admission_number: str) -> str:
    """Return the subject of entries about a pupil: a pseudonym that depends on this home's key."""
    return "pupil:" + pseudonym(home.keys.audit, admission_number)


def entries() -> Iterator[Entry]:
    """Yield the whole trail, oldest entry first."""
    for row in AuditEntry.objects.order_by("sequence").iterator():
        yield Entry(row.sequence, row.at, row.actor, row.action, row.subject, row.detail, row.mac)


def verify(home: Home) -> list[ChainBreak]:
    """Return every place where the chain of the trail is broken."""
    return find_breaks(home.keys.audit, entries(), _read_anchor(home))


def save_anchor(home: Home) -> None:
    """Write the newest entry to the anchor file, and new revocations to their file.

    With the anchor ``verify`` finds that the newest entries were deleted. With the revocations a
    restore does not undo them.

    Raises:
        OSError: A file cannot be written.
    """
    from consent_gate.db import revocations

    revocations.append_new(home)
    last = AuditEntry.objects.order_by("-sequence").first()
    if last:
        body = json.dumps([last.sequence, last.mac]).encode()
        ciphertext = encrypt(home.keys.audit, body, ANCHOR_FILE)
        replace_with(home.secrets / ANCHOR_FILE, ciphertext, 0o600)


def _read_anchor(home: Home) -> Anchor | None:
    path = home.secrets / ANCHOR_FILE
    if not path.exists():
        return None
    return Anchor(*json.loads(decrypt(home.keys.audit, path.read_bytes(), ANCHOR_FILE)))
