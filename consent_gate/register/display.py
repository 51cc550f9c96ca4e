"""The name and the class of a pupil, as staff read them."""

from __future__ import annotations

from consent_gate.db.models import PupilEntry


def display_name(pupil: PupilEntry) -> str:
    """Return the pupil's preferred name; the admission number when there is no name."""
    first = pupil.preferred_forename or pupil.forename
    last = pupil.preferred_surname or pupil.surname
    return f"{first} {last}".strip() or f"Pupil {pupil.admission_number}"


def class_of(pupil: PupilEntry) -> str:
    """Return the class, else the year group; empty when SIMS gave neither."""
    return " ".join((pupil.reg_group or pupil.year_group).split())
