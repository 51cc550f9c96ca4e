"""Writing and checking the audit trail."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC

from django.db import transaction

from consent_gate.audit import GENESIS, Anchor, ChainBreak, Entry, chain, find_breaks
from consent_gate.db.bulk import write_rows
from consent_gate.db.models import AuditEntry
from consent_gate.home.filesystem import replace_with
from consent_gate.home.home import Home
from consent_gate.home.keys import decrypt, encrypt, pseudonym

SYSTEM_ACTOR = "gate"
ANCHOR_FILE = "audit-anchor"
_COLUMNS = ("sequence", "at", "actor", "action", "subject", "detail", "mac")


@dataclass(frozen=True)
class AuditEvent:
    """Something that happened, before it has its place in the chain."""

    action: str
    subject: str
    detail: Mapping[str, object] = field(default_factory=dict)


def record(
    home: Home,
    action: str,
    subject: str,
    detail: Mapping[str, object] | None = None,
    actor: str = SYSTEM_ACTOR,
) -> None:
    """Add one entry. Call it inside the transaction of the change it tells of."""
    record_all(home, [AuditEvent(action, subject, detail or {})], actor)


def record_all(home: Home, events: Iterable[AuditEvent], actor: str = SYSTEM_ACTOR) -> None:
    """Add entries in order. Call it inside the transaction of the changes they tell of."""
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("an audit entry belongs to the transaction of its change")
    last = AuditEntry.objects.select_for_update().order_by("-sequence").first()
    sequence, mac = (last.sequence, last.mac) if last else (0, GENESIS)
    at = home.clock().astimezone(UTC).isoformat(timespec="microseconds")
    rows = []
    for fact in events:
        sequence += 1
        detail = _as_stored(fact.detail)
        entry = Entry(sequence, at, actor, fact.action, fact.subject, detail)
        mac = chain(home.keys.audit, mac, entry)
        rows.append((sequence, at, actor, fact.action, fact.subject, json.dumps(detail), mac))
    write_rows(AuditEntry, _COLUMNS, rows)


def _as_stored(detail: Mapping[str, object]) -> Mapping[str, object]:
    """With its numbers as every database gives them back: PostgreSQL knows no -0.0, and writes
    1e16 as a whole number."""
    text = json.dumps(detail)
    if "e+" not in text and "-0.0" not in text:
        return detail
    kept: dict[str, object] = json.loads(text, parse_float=_plain)
    return kept


def _plain(text: str) -> float:
    number = float(text) + 0.0
    return int(number) if abs(number) >= 1e16 else number


def pupil_subject(home: Home, admission_number: str) -> str:
    """How the trail speaks of a pupil: a pseudonym that only this home can resolve."""
    return "pupil:" + pseudonym(home.keys.audit, admission_number)


def entries() -> Iterator[Entry]:
    """The whole trail, oldest first."""
    for row in AuditEntry.objects.order_by("sequence").iterator():
        yield Entry(row.sequence, row.at, row.actor, row.action, row.subject, row.detail, row.mac)


def verify(home: Home) -> list[ChainBreak]:
    """Every place where the trail does not hold."""
    return find_breaks(home.keys.audit, entries(), _read_anchor(home))


def save_anchor(home: Home) -> None:
    """Remember the newest entry outside the database, so that cutting it off is noticed; and what
    was closed, so that no restore opens it again."""
    from consent_gate.db import revocations

    revocations.append_new(home)
    last = AuditEntry.objects.order_by("-sequence").first()
    if last:
        body = json.dumps([last.sequence, last.mac]).encode()
        sealed = encrypt(home.keys.audit, body, ANCHOR_FILE)
        replace_with(home.secrets / ANCHOR_FILE, sealed, 0o600)


def _read_anchor(home: Home) -> Anchor | None:
    path = home.secrets / ANCHOR_FILE
    if not path.exists():
        return None
    return Anchor(*json.loads(decrypt(home.keys.audit, path.read_bytes(), ANCHOR_FILE)))
