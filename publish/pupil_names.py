"""Whether a text names a pupil on the register."""

from __future__ import annotations

from itertools import product

from consent_gate.db.models import PupilEntry
from consent_gate.home.home import Home
from publish.text_check import Name, full_names_in

FIELDS = ("forename", "preferred_forename", "surname", "preferred_surname")


def names_a_pupil(home: Home, text: str) -> tuple[Name, ...]:
    """Names of pupils in a text for readers; empty when it may go out.

    Whether a first name alone counts is the school's setting ``publishing.first_names``.
    """
    if not text.strip():
        return ()
    refused = home.settings.publishing.first_names == "refuse"
    return full_names_in(text, _names(), first_names_too=refused)


def _names() -> list[Name]:
    """Every way to put a pupil's recorded forenames and surnames together."""
    return [
        Name(first, last)
        for forename, preferred, surname, other in PupilEntry.objects.values_list(*FIELDS)
        for first, last in product({forename, preferred} - {""}, {surname, other})
    ]
