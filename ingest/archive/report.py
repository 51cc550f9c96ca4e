"""What a look through an archive found, for whoever has to act on it: a table and a page.

Rows in, text out. Pictures are sorted by what a person has to do about them, the most urgent
first. No pupil is named.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import TextIO

from django.template.loader import render_to_string

from consent_gate.messages import LABELS
from consent_gate.model import Reason

MAX_ROWS_ON_PAGE = 500
"""Pictures listed by name on the page; the table has them all."""


class ScreeningOutcome(StrEnum):
    """What a picture means for one channel, in order of urgency."""

    WITHOUT_CONSENT = "shows someone without consent"
    UNSURE = "a person should look"
    UNREADABLE = "could not be checked"
    CLEAR = "clear"


WITHOUT_CONSENT = frozenset(
    {
        Reason.NEVER_PUBLISH,
        Reason.CONSENT_REFUSED,
        Reason.CONSENT_EXPIRED,
        Reason.CONSENT_MISSING,
    }
)
"""A pupil was recognised, and the consent for the channel is not there."""

UNREADABLE = frozenset({Reason.NOT_EXAMINED, Reason.UNSUPPORTED_FORMAT})


@dataclass(frozen=True)
class Screened:
    """One picture of the archive."""

    path: str
    faces: int
    reasons: Mapping[str, tuple[Reason, ...]]
    """By channel; empty: it would be cleared."""
    exported_on: date | None
    """Of the consent list it was judged by."""


@dataclass(frozen=True)
class About:
    """What the page says of the look itself."""

    location: str
    school: str
    made_at: datetime
    finished: bool
    channels: Mapping[str, str]
    """Title by name."""


def outcome_of(reasons: Iterable[Reason]) -> ScreeningOutcome:
    """What these reasons come to."""
    found = frozenset(reasons)
    if not found:
        return ScreeningOutcome.CLEAR
    if found & WITHOUT_CONSENT:
        return ScreeningOutcome.WITHOUT_CONSENT
    return ScreeningOutcome.UNREADABLE if found <= UNREADABLE else ScreeningOutcome.UNSURE


def write_table(out: TextIO, channels: Mapping[str, str], rows: Iterable[Screened]) -> None:
    """All pictures as CSV, one a line."""
    table = csv.writer(out)
    heads = [head for title in channels.values() for head in (title, f"{title}: why")]
    table.writerow(["Picture", "Faces", *heads, "Consent list of"])
    for row in rows:
        cells: list[object] = [_harmless(row.path), row.faces]
        for name in channels:
            reasons = row.reasons.get(name, (Reason.NOT_EXAMINED,))
            cells += [outcome_of(reasons).value, "; ".join(LABELS[reason] for reason in reasons)]
        table.writerow([*cells, row.exported_on or ""])


def _harmless(text: str) -> str:
    """A file may be named like a formula; a spreadsheet must not run it (OWASP, CSV injection)."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


def counts(
    channels: Iterable[str], rows: Iterable[Screened]
) -> tuple[dict[str, Counter[ScreeningOutcome]], list[tuple[str, Screened]]]:
    """Findings by channel, and the first pictures without consent, each with its channel."""
    by_channel: dict[str, Counter[ScreeningOutcome]] = {name: Counter() for name in channels}
    listed: list[tuple[str, Screened]] = []
    for row in rows:
        for name, counter in by_channel.items():
            found = outcome_of(row.reasons.get(name, (Reason.NOT_EXAMINED,)))
            counter[found] += 1
            if found is ScreeningOutcome.WITHOUT_CONSENT and len(listed) < MAX_ROWS_ON_PAGE:
                listed.append((name, row))
    return by_channel, listed


def page(about: About, rows: Iterable[Screened]) -> str:
    """The page as HTML, complete in itself."""
    by_channel, listed = counts(about.channels, rows)
    context = {
        "school": about.school,
        "location": about.location,
        "day": f"{about.made_at:%d %B %Y, %H:%M}",
        "finished": about.finished,
        "titles": list(about.channels.values()),
        "totals": [
            (found.value.capitalize(), [counter[found] for counter in by_channel.values()])
            for found in ScreeningOutcome
        ],
        "listed": [(row.path, about.channels[name], _why(row, name)) for name, row in listed],
    }
    return render_to_string("reports/screening.html", context)


def _why(row: Screened, channel: str) -> str:
    return ", ".join(LABELS[reason] for reason in row.reasons[channel] if reason in WITHOUT_CONSENT)
