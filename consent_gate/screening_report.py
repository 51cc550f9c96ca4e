"""What a look through an archive found, for whoever has to act on it: a table and a page.

Pure: rows in, text out. Pictures are sorted by what a person has to do about them, the most urgent
first. No pupil is named.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from html import escape
from typing import TextIO

from consent_gate.model import Reason
from consent_gate.wording import LABELS

MOST_ON_THE_PAGE = 500
"""Pictures listed by name on the page; the table has them all."""


class Finding(StrEnum):
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


def finding(reasons: Iterable[Reason]) -> Finding:
    """What these reasons come to."""
    found = frozenset(reasons)
    if not found:
        return Finding.CLEAR
    if found & WITHOUT_CONSENT:
        return Finding.WITHOUT_CONSENT
    return Finding.UNREADABLE if found <= UNREADABLE else Finding.UNSURE


def write_table(out: TextIO, channels: Mapping[str, str], rows: Iterable[Screened]) -> None:
    """All pictures as CSV, one a line."""
    table = csv.writer(out)
    heads = [head for title in channels.values() for head in (title, f"{title}: why")]
    table.writerow(["Picture", "Faces", *heads, "Consent list of"])
    for row in rows:
        cells: list[object] = [_harmless(row.path), row.faces]
        for name in channels:
            reasons = row.reasons.get(name, (Reason.NOT_EXAMINED,))
            cells += [finding(reasons).value, "; ".join(LABELS[reason] for reason in reasons)]
        table.writerow([*cells, row.exported_on or ""])


def _harmless(text: str) -> str:
    """A file may be named like a formula; a spreadsheet must not run it (OWASP, CSV injection)."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


def counts(
    channels: Iterable[str], rows: Iterable[Screened]
) -> tuple[dict[str, Counter[Finding]], list[tuple[str, Screened]]]:
    """Findings by channel, and the first pictures without consent, each with its channel."""
    by_channel: dict[str, Counter[Finding]] = {name: Counter() for name in channels}
    listed: list[tuple[str, Screened]] = []
    for row in rows:
        for name, counter in by_channel.items():
            found = finding(row.reasons.get(name, (Reason.NOT_EXAMINED,)))
            counter[found] += 1
            if found is Finding.WITHOUT_CONSENT and len(listed) < MOST_ON_THE_PAGE:
                listed.append((name, row))
    return by_channel, listed


def page(about: About, rows: Iterable[Screened]) -> str:
    """The page as HTML, complete in itself."""
    by_channel, listed = counts(about.channels, rows)
    return _PAGE.format(
        school=escape(about.school),
        location=escape(about.location),
        day=f"{about.made_at:%d %B %Y, %H:%M}",
        unfinished="" if about.finished else _UNFINISHED,
        heads="".join(f"<th>{escape(title)}</th>" for title in about.channels.values()),
        totals="".join(_total_rows(by_channel)),
        listed="".join(_listed_rows(about, listed)) or _NOBODY,
    )


def _total_rows(by_channel: Mapping[str, Counter[Finding]]) -> Iterator[str]:
    for found in Finding:
        cells = "".join(f"<td>{counter[found]}</td>" for counter in by_channel.values())
        yield f"<tr><th>{escape(found.value.capitalize())}</th>{cells}</tr>"


def _listed_rows(about: About, listed: Iterable[tuple[str, Screened]]) -> Iterator[str]:
    for name, row in listed:
        why = ", ".join(LABELS[reason] for reason in row.reasons[name] if reason in WITHOUT_CONSENT)
        cells = (row.path, about.channels[name], why)
        yield "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in cells) + "</tr>"


_UNFINISHED = "<p><strong>This look is not finished.</strong> Run the same command to go on.</p>"
_NOBODY = '<tr><td colspan="3">None was found.</td></tr>'

_PAGE = """<!doctype html>
<html lang="en-GB">
<head>
<meta charset="utf-8">
<title>Pictures outside the gate, {day}</title>
<style>
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 56rem; margin: 2rem auto;
        padding: 0 1rem }}
table {{ border-collapse: collapse; margin: 1rem 0; width: 100% }}
th, td {{ text-align: left; padding: .3rem .8rem .3rem 0; border-bottom: 1px solid #ccc;
          vertical-align: top; font-weight: normal; overflow-wrap: anywhere }}
td {{ font-variant-numeric: tabular-nums }}
</style>
</head>
<body>
<h1>Pictures outside the gate</h1>
<p>{school} · {day}<br>{location}</p>
{unfinished}
<h2>What was found</h2>
<table><thead><tr><th></th>{heads}</tr></thead><tbody>{totals}</tbody></table>
<p>“A person should look” means that the gate doesn't know everybody in the picture well enough.
That is no sign that something is wrong: children without a consented enrolment photo are always
unknown to it. The camera isn't asked about here.</p>
<h2>Take these down first</h2>
<p>Somebody in them was recognised whose family has not agreed to this use, or no longer does.
Recognition can err: look before you tell anybody.</p>
<table><thead><tr><th>Picture</th><th>Where it may not be</th><th>Why</th></tr></thead>
<tbody>{listed}</tbody></table>
<p>Every picture is in the table beside this page.</p>
</body>
</html>
"""
