"""Texts for readers never give a child's full name.

NSPCC guidance on photographing children: never publish a child's full name with a picture. A first
name alone may be allowed by the school; that is a setting.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import product

from consent_gate.db.models import PupilEntry
from consent_gate.home.home import Home

WORDS_BETWEEN = 2
"""Further forenames that may stand between the first and the last: "Ann Mary Louise Archer"."""

INVISIBLE = frozenset({"Mn", "Cf"})
"""Unicode categories of accents on their own and of characters without width."""


FIELDS = ("forename", "preferred_forename", "surname", "preferred_surname")


@dataclass(frozen=True)
class Name:
    """One way of naming a pupil."""

    forename: str
    surname: str


def contains_pupil_name(home: Home, text: str) -> tuple[Name, ...]:
    """Names of pupils in a text for readers; empty when it may go out.

    Whether a first name alone counts is the school's setting ``publishing.first_names``.
    """
    if not text.strip():
        return ()
    refused = home.settings.publishing.first_names == "refuse"
    return find_full_names(text, _names(), first_names_too=refused)


def _names() -> list[Name]:
    """Every way to put a pupil's recorded forenames and surnames together."""
    return [
        Name(first, last)
        for forename, preferred, surname, other in PupilEntry.objects.values_list(*FIELDS)
        for first, last in product({forename, preferred} - {""}, {surname, other})
    ]


def find_full_names(
    text: str, names: Iterable[Name], *, first_names_too: bool = False
) -> tuple[Name, ...]:
    """Names that stand in the text, in either order, whatever their case and accents.

    With ``first_names_too`` a forename alone is found as well.
    """
    words = _words(text)
    if not words:
        return ()
    present = set(words)
    found = []
    for name in names:
        first, last = _words(name.forename), _words(name.surname)
        if not first or not present.issuperset(first):
            continue
        if first_names_too and _places(words, first):
            found.append(name)
            continue
        if last and present.issuperset(last) and _stand_together(words, first, last):
            found.append(name)
    return tuple(dict.fromkeys(found))


def _stand_together(words: list[str], first: list[str], last: list[str]) -> bool:
    """Forename, at most two words, surname; or the surname directly before the forename."""
    ends = [at + len(first) for at in _places(words, first)]
    starts = _places(words, last)
    forwards = any(0 <= start - end <= WORDS_BETWEEN for end in ends for start in starts)
    backwards = {start + len(last) for start in starts} & set(_places(words, first))
    return forwards or bool(backwards)


def _places(words: list[str], wanted: list[str]) -> list[int]:
    """Where the words stand next to each other in the text."""
    size = len(wanted)
    return [at for at in range(len(words) - size + 1) if words[at : at + size] == wanted]


def _words(text: str) -> list[str]:
    """Words in small letters without accents; "O'Brien" and "OBrien" are one, and so are
    "Smith-Jones" and "Smith Jones"; a possessive 's is dropped."""
    plain = unicodedata.normalize("NFKD", text).casefold()
    plain = "".join(c for c in plain if unicodedata.category(c) not in INVISIBLE)
    plain = re.sub(r"['\u2019`]s\b", "", plain)
    plain = re.sub(r"['\u2019`]", "", plain)
    return re.findall(r"[^\W_]+", plain)
