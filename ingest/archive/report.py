"""Write the results of screening an archive as a CSV table and an HTML page.

Each picture has an outcome per channel; the outcomes are ordered by urgency. No pupil is named.
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
"""The most pictures listed by path on the page; the table lists all."""


class ScreeningOutcome(StrEnum):
    """The result of one picture for one channel, the most urgent first."""

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
"""Reasons by which a recognised pupil has no consent for the channel."""

UNREADABLE = frozenset({Reason.NOT_EXAMINED, Reason.UNSUPPORTED_FORMAT})
"""Reasons by which the file could not be examined."""


@dataclass(frozen=True)
class Screened:
    """One picture of the archive."""

    path: str
    """Path below the archive."""
    faces: int
    """The number of faces found."""
    reasons: Mapping[str, tuple[Reason, ...]]
    """By channel name; empty where the gate would release the picture."""
    exported_on: date | None
    """Date of the consent list by which it was judged."""


@dataclass(frozen=True)
class ReportHeader:
    """What the page says of the screening itself."""

    location: str
    """Folder or bucket that was screened."""
    school: str
    made_at: datetime
    finished: bool
    """Whether every picture was screened."""
    channels: Mapping[str, str]
    """Channel titles by name."""


def outcome_of(reasons: Iterable[Reason]) -> ScreeningOutcome:
    """The outcome for a picture with these reasons."""
    found = frozenset(reasons)
    if not found:
        return ScreeningOutcome.CLEAR
    if found & WITHOUT_CONSENT:
        return ScreeningOutcome.WITHOUT_CONSENT
    return ScreeningOutcome.UNREADABLE if found <= UNREADABLE else ScreeningOutcome.UNSURE


def write_table(out: TextIO, channels: Mapping[str, str], rows: Iterable[Screened]) -> None:
    """Write all pictures as CSV, one per line. ``channels`` has titles by name."""
    table = csv.writer(out)
    heads = [head for title in channels.values() for head in (title, f"{title}: why")]
    table.writerow(["Picture", "Faces", *heads, "Consent list of"])
    for row in rows:
        cells: list[object] = [_escape_formula(row.path), row.faces]
        for name in channels:
            reasons = row.reasons.get(name, (Reason.NOT_EXAMINED,))
            cells += [outcome_of(reasons).value, "; ".join(LABELS[reason] for reason in reasons)]
        table.writerow([*cells, row.exported_on or ""])


def _escape_formula(text: str) -> str:
    """Quote a path that a spreadsheet would run as a formula (OWASP, CSV injection)."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


def count_outcomes(
    channels: Iterable[str], rows: Iterable[Screened]
) -> tuple[dict[str, Counter[ScreeningOutcome]], list[tuple[str, Screened]]]:
    """Count the outcomes by channel.

    Also returns the first ``MAX_ROWS_ON_PAGE`` pictures without consent, each with its channel.
    """
    by_channel: dict[str, Counter[ScreeningOutcome]] = {name: Counter() for name in channels}
    listed: list[tuple[str, Screened]] = []
    for row in rows:
        for name, counter in by_channel.items():
            found = outcome_of(row.reasons.get(name, (Reason.NOT_EXAMINED,)))
            counter[found] += 1
            if found is ScreeningOutcome.WITHOUT_CONSENT and len(listed) < MAX_ROWS_ON_PAGE:
                listed.append((name, row))
    return by_channel, listed


def render_page(header: ReportHeader, rows: Iterable[Screened]) -> str:
    """Render the page as HTML without external files."""
    by_channel, listed = count_outcomes(header.channels, rows)
    context = {
        "school": header.school,
        "location": header.location,
        "day": f"{header.made_at:%d %B %Y, %H:%M}",
        "finished": header.finished,
        "titles": list(header.channels.values()),
        "totals": [
            (found.value.capitalize(), [counter[found] for counter in by_channel.values()])
            for found in ScreeningOutcome
        ],
        "listed": [
            (row.path, header.channels[name], _reason_labels(row, name)) for name, row in listed
        ],
    }
    return render_to_string("reports/screening.html", context)


def _reason_labels(row: Screened, channel: str) -> str:
    return ", ".join(LABELS[reason] for reason in row.reasons[channel] if reason in WITHOUT_CONSENT)
