"""The pupils who are offered for a face that was not recognised, as the page shows them."""

from __future__ import annotations

from dataclasses import dataclass

from consent_gate.db.models import PupilEntry
from consent_gate.home.home import Home
from consent_gate.web.pages.pupil_choices import Choice, choices
from ingest.candidates import Candidates

MOST_WITHOUT_PHOTO = 12
"""Pupils without an enrolment photo that are listed; a person finds the others by name."""


@dataclass(frozen=True)
class WithoutPhoto:
    """A pupil without an enrolment photo."""

    choice: Choice
    sibling_of: str
    """Name of an offered pupil whose brother or sister this is; empty for the others."""


@dataclass(frozen=True)
class CandidateViews:
    """The pupils offered for one face."""

    nearest: tuple[Choice, ...]
    """Enrolled pupils, the nearest first."""
    without_photo: tuple[WithoutPhoto, ...]
    """Brothers and sisters of the nearest come first."""
    more: int
    """Further pupils without a photo, who are not listed."""
    has_roll: bool
    """Whether the school named who was at the event; else only brothers and sisters are listed."""
    problem: str
    """Why the face could not be compared; empty if it was."""

    @property
    def has_siblings(self) -> bool:
        """Whether a brother or sister of an offered pupil may be the face as well."""
        return any(one.sibling_of for one in self.without_photo)


def candidate_views(home: Home, found: Candidates) -> CandidateViews:
    """Add names and portraits to the pupils of a comparison."""
    entries = {
        entry.admission_number: entry
        for entry in PupilEntry.objects.filter(admission_number__in=found.nearest)
    }
    nearest = [entries[number] for number in found.nearest if number in entries]
    shown = choices(home, nearest)
    families = {
        entry.family_group: choice.name
        for entry, choice in zip(reversed(nearest), reversed(shown), strict=True)
        if entry.family_group
    }
    others = sorted(found.without_photo, key=lambda entry: entry.family_group not in families)
    listed = others[:MOST_WITHOUT_PHOTO]
    views = tuple(
        WithoutPhoto(choice, families.get(entry.family_group, ""))
        for entry, choice in zip(listed, choices(home, listed), strict=True)
    )
    return CandidateViews(
        tuple(shown), views, len(others) - len(listed), found.has_roll, found.problem
    )
