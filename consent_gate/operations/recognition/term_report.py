"""Compare what the machine recognised with what staff corrected, by year group.

The report has counts only, no names and no admission numbers. It reads the stored evidence and the
tags of staff. It changes nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from django.template.loader import render_to_string

from consent_gate.db.evidence_json import from_json
from consent_gate.db.models import Item, PupilEntry, Template
from consent_gate.home.home import Home
from consent_gate.model import Examined, FaceEvidence, Match, NearMatch, Reason, Tag, TagKind

NO_YEAR = "no year group"
"""Row of the pupils whose year the register does not say, and of pupils who are not on it."""

NOT_RECOGNISED = frozenset({Reason.UNKNOWN_FACE.value, Reason.NOT_AT_EVENT.value})
"""Reasons with which a near match did not count as recognised."""


class FaceOutcome(StrEnum):
    """What the machine and staff said of one face."""

    UNCHECKED = "unchecked"
    """The machine named a pupil, and nobody said anything of this face."""
    CONFIRMED = "confirmed"
    """Staff named the same pupil."""
    CORRECTED = "corrected"
    """Staff named another pupil, an adult, or something that is no face. This is an error."""
    DOUBTED = "doubted"
    """Staff could not tell who it is."""
    MISSED = "missed"
    """Staff named a pupil who has a portrait, and the machine named nobody."""
    WITHOUT_PORTRAIT = "without_portrait"
    """Staff named a pupil who has no portrait, so the machine could not know the pupil."""


@dataclass(frozen=True)
class YearOutcomes:
    """The faces of one year group, by what was said of them."""

    year: str
    unchecked: int = 0
    confirmed: int = 0
    corrected: int = 0
    doubted: int = 0
    missed: int = 0
    without_portrait: int = 0

    @property
    def checked(self) -> int:
        """Faces that the machine named and a person then named too."""
        return self.confirmed + self.corrected


@dataclass(frozen=True)
class TermReport:
    """What the machine recognised and staff corrected since a day."""

    since: date
    pictures: int
    """Examined pictures and films that arrived since then."""
    years: tuple[YearOutcomes, ...]

    def as_json(self) -> dict[str, Any]:
        """The form of ``term-report --json``."""
        return {
            "since": self.since.isoformat(),
            "pictures": self.pictures,
            "years": [asdict(year) for year in self.years],
        }


def outcome_of(
    face: FaceEvidence, tag: Tag | None, held: Collection[str], enrolled: Collection[str]
) -> tuple[FaceOutcome, str] | None:
    """Return what was said of a face, and the admission number of the pupil it counts for.

    Args:
        face: The evidence.
        tag: What staff said of the face, if anything.
        held: Reasons of this face in any channel.
        enrolled: Admission numbers of the pupils with a portrait.

    Returns:
        None for a face that tells nothing: nobody named a pupil, or it was covered.
    """
    identity = face.identity
    named = None
    if isinstance(identity, Match) or (
        isinstance(identity, NearMatch) and NOT_RECOGNISED.isdisjoint(held)
    ):
        named = identity.pupil
    if tag is None or tag.kind is TagKind.BLURRED:
        return (FaceOutcome.UNCHECKED, named) if named and tag is None else None
    by_staff = tag.pupil if tag.kind is TagKind.PUPIL else None
    if named is None:
        if by_staff is None:
            return None
        known = by_staff in enrolled
        return (FaceOutcome.MISSED if known else FaceOutcome.WITHOUT_PORTRAIT), by_staff
    if by_staff == named:
        return FaceOutcome.CONFIRMED, named
    if tag.kind is TagKind.CANNOT_TELL:
        return FaceOutcome.DOUBTED, named
    return FaceOutcome.CORRECTED, named


def by_year(
    outcomes: Iterable[tuple[FaceOutcome, str]], years: Mapping[str, str]
) -> tuple[YearOutcomes, ...]:
    """Count outcomes by year group, in the order of the years' names.

    Args:
        outcomes: Of each face, with the admission number that it counts for.
        years: Year group by admission number.
    """
    counts: dict[str, Counter[str]] = {}
    for outcome, pupil in outcomes:
        counts.setdefault(years.get(pupil) or NO_YEAR, Counter())[outcome.value] += 1
    return tuple(YearOutcomes(year, **counts[year]) for year in sorted(counts))


def term_report(since: datetime) -> TermReport:
    """Compare the faces of all pictures that arrived since this time."""
    items = Item.objects.filter(received_at__gte=since, evidence__isnull=False)
    enrolled = set(
        Template.objects.values_list("photo__pupil__admission_number", flat=True).distinct()
    )
    found: list[tuple[FaceOutcome, str]] = []
    pictures = 0
    for item in items.prefetch_related("tags", "decisions").iterator(chunk_size=500):
        evidence = from_json(item.evidence)
        if not isinstance(evidence, Examined):
            continue
        pictures += 1
        tags = {t.face: Tag(TagKind(t.kind), t.admission_number or None) for t in item.tags.all()}
        held = [decision.faces for decision in item.decisions.all()]
        for index, face in enumerate(evidence.faces):
            reasons = {reason for faces in held for reason in faces.get(str(index), ())}
            outcome = outcome_of(face, tags.get(index), reasons, enrolled)
            if outcome is not None:
                found.append(outcome)
    years = dict(PupilEntry.objects.values_list("admission_number", "year_group"))
    return TermReport(since.date(), pictures, by_year(found, years))


def term_page(home: Home, report: TermReport) -> bytes:
    """One HTML file that needs no other file, in UTF-8."""
    day = home.local_time(home.now()).date()
    context = {"report": report, "day": day, "school": home.settings.school.name}
    return render_to_string("reports/term.html", context).encode()
