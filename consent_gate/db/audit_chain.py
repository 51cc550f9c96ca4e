"""The audit chain: compute and check the message authentication code of each audit entry.

The ``mac`` of an entry is the HMAC-SHA256 of its canonical JSON and the previous entry's mac. The
key is the home's audit key. An edited, deleted, inserted or reordered entry breaks the chain at
that point, and the chain cannot be repaired without the key. The *anchor*, a small encrypted file
outside the database, names the newest entry. With it a check finds that the newest entries were
deleted.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

GENESIS = "0" * 64


@dataclass(frozen=True)
class Entry:
    """One entry of the audit trail."""

    sequence: int
    """1, 2, 3 … without gaps."""
    at: str
    """UTC, ISO 8601 to the microsecond."""
    actor: str
    """Account name, or ``gate`` for the program itself."""
    action: str
    """What happened, as ``noun.verb``."""
    subject: str
    """Item id, or the pseudonym of a pupil; never a name."""
    detail: Mapping[str, object]
    mac: str = ""


@dataclass(frozen=True)
class Anchor:
    """The newest entry that is known to have been written."""

    sequence: int
    mac: str


@dataclass(frozen=True)
class ChainBreak:
    """A place where the chain is broken."""

    sequence: int
    problem: str
    """Short description for staff, without a full stop."""


def entry_mac(key: bytes, previous_mac: str, entry: Entry) -> str:
    """Return the mac of ``entry``, which follows ``previous_mac``: 64 hexadecimal digits."""
    body = json.dumps(
        [
            previous_mac,
            entry.sequence,
            entry.at,
            entry.actor,
            entry.action,
            entry.subject,
            entry.detail,
        ],
        sort_keys=True,
        ensure_ascii=False,
        separators=(",", ":"),
    )
    return hmac.new(key, body.encode(), hashlib.sha256).hexdigest()


def find_breaks(key: bytes, entries: Iterable[Entry], anchor: Anchor | None) -> list[ChainBreak]:
    """Return every place where the chain is broken, in order; empty when it is intact.

    ``entries`` start with the oldest. ``anchor`` is None where no anchor was written yet.
    """
    breaks = []
    previous, expected, seen_anchor = GENESIS, 1, anchor is None
    for entry in entries:
        if entry.sequence != expected:
            breaks.append(ChainBreak(expected, f"entry {expected} is missing or out of order"))
        if not hmac.compare_digest(entry_mac(key, previous, entry), entry.mac):
            breaks.append(
                ChainBreak(entry.sequence, f"entry {entry.sequence} was altered or moved")
            )
        if anchor and entry.sequence == anchor.sequence:
            seen_anchor = hmac.compare_digest(entry.mac, anchor.mac)
        previous, expected = entry.mac, entry.sequence + 1
    if not seen_anchor and anchor:
        breaks.append(
            ChainBreak(anchor.sequence, f"the newest entries, up to {anchor.sequence}, are missing")
        )
    return breaks
