"""The audit chain: each entry authenticates itself and the one before it.

An entry's ``mac`` is HMAC-SHA256, under the home's audit key, over its canonical JSON and the
previous entry's mac. Editing, deleting, inserting or reordering breaks the chain at that point;
without the key nobody can mend it. Cutting off the newest entries is found against the *anchor*,
a small authenticated file outside the database that names the newest entry known.
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
    """One line of the audit trail."""

    sequence: int
    """1, 2, 3 … without gaps."""
    at: str
    """UTC, ISO 8601 to the microsecond."""
    actor: str
    """Account name, or ``gate`` for the machine."""
    action: str
    """What happened, as ``noun.verb``."""
    subject: str
    """Item id, or the pseudonym of a pupil; never a name."""
    detail: Mapping[str, object]
    mac: str = ""


@dataclass(frozen=True)
class Anchor:
    """The newest entry that was certainly written."""

    sequence: int
    mac: str


@dataclass(frozen=True)
class ChainBreak:
    """A place where the chain does not hold."""

    sequence: int
    problem: str


def chain(key: bytes, previous_mac: str, entry: Entry) -> str:
    """The mac of an entry that follows ``previous_mac``: 64 hexadecimal digits."""
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
    """Every place where the chain does not hold; empty when it is whole."""
    breaks = []
    previous, expected, seen_anchor = GENESIS, 1, anchor is None
    for entry in entries:
        if entry.sequence != expected:
            breaks.append(ChainBreak(expected, f"entry {expected} is missing or out of order"))
        if not hmac.compare_digest(chain(key, previous, entry), entry.mac):
            breaks.append(
                ChainBreak(entry.sequence, f"entry {entry.sequence} was altered or moved")
            )
        if anchor and entry.sequence == anchor.sequence:
            seen_anchor = hmac.compare_digest(entry.mac, anchor.mac)
        previous, expected = entry.mac, entry.sequence + 1
    if not seen_anchor and anchor:
        breaks.append(
            ChainBreak(anchor.sequence, f"the newest entries, up to {anchor.sequence}, are gone")
        )
    return breaks
