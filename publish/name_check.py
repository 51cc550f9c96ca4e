"""Search a text for the names of pupils before it is published.

NSPCC guidance on photographing children says: never publish a child's full name with a picture.
A school may allow first names alone (setting ``publishing.first_names``).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby, product

from consent_gate.db.models import PupilEntry
from consent_gate.home.home import Home

MAX_WORDS_BETWEEN = 2
"""Words allowed between forename and surname, for middle names: "Ann Mary Louise Archer"."""

MIN_GLUED = 7
"""Letters of a forename and surname from which they are also found inside a longer word. Shorter
ones, such as "Al" and "Ly", are part of many words."""

INVISIBLE = frozenset({"Mn", "Cf"})
"""Unicode categories of combining accents and of characters without width."""


FIELDS = ("forename", "preferred_forename", "surname", "preferred_surname")


@dataclass(frozen=True)
class Name:
    """One combination of a pupil's forename and surname."""

    forename: str
    surname: str


def contains_pupil_name(home: Home, text: str) -> bool:
    """Whether a text names a pupil of the register, so that it must not be published.

    A first name alone counts if the setting ``publishing.first_names`` is ``refuse``.
    """
    if not text.strip():
        return False
    refused = home.settings.publishing.first_names == "refuse"
    return bool(find_full_names(text, _pupil_names(), first_names_too=refused))


def _pupil_names() -> list[Name]:
    """All combinations of every pupil's recorded forenames and surnames."""
    return [
        Name(first, last)
        for forename, preferred, surname, other in PupilEntry.objects.values_list(*FIELDS)
        for first, last in product({forename, preferred} - {""}, {surname, other})
    ]


def find_full_names(
    text: str, names: Iterable[Name], *, first_names_too: bool = False
) -> tuple[Name, ...]:
    """The names that occur in ``text``, each once. Case, accents and hyphens are ignored.

    A full name is found as "forename surname", with at most ``MAX_WORDS_BETWEEN`` words between,
    or as "surname forename". It is also found without the space, and in letters that stand apart.

    Args:
        text: Text that readers would see.
        names: Names to search for.
        first_names_too: Also find a forename that stands alone.
    """
    words = _words(text)
    if not words:
        return ()
    present, glued = set(words), [*words, *_spelled_words(words)]
    found = []
    for name in names:
        first, last = _words(name.forename), _words(name.surname)
        if first and last and _is_glued(glued, "".join(first), "".join(last)):
            found.append(name)
            continue
        if not first or not present.issuperset(first):
            continue
        if first_names_too and _positions(words, first):
            found.append(name)
            continue
        if last and present.issuperset(last) and _are_together(words, first, last):
            found.append(name)
    return tuple(dict.fromkeys(found))


def _spelled_words(words: list[str]) -> list[str]:
    """The words that letters standing apart spell: "a n n" gives "ann"."""
    runs = groupby(words, key=lambda word: len(word) == 1)
    return ["".join(letters) for is_letter, letters in runs if is_letter]


def _is_glued(words: list[str], first: str, last: str) -> bool:
    """Whether a word contains forename and surname without a space, in either order."""
    names = {first + last, last + first}
    return any(
        name == word or (len(name) >= MIN_GLUED and name in word)
        for name in names
        for word in words
    )


def _are_together(words: list[str], first: list[str], last: list[str]) -> bool:
    """Whether the surname follows closely, or stands directly before the forename."""
    ends = [index + len(first) for index in _positions(words, first)]
    starts = _positions(words, last)
    forwards = any(0 <= start - end <= MAX_WORDS_BETWEEN for end in ends for start in starts)
    backwards = {start + len(last) for start in starts} & set(_positions(words, first))
    return forwards or bool(backwards)


def _positions(words: list[str], wanted: list[str]) -> list[int]:
    """Indices at which the sequence ``wanted`` starts in ``words``."""
    size = len(wanted)
    starts = range(len(words) - size + 1)
    return [start for start in starts if words[start : start + size] == wanted]


def _words(text: str) -> list[str]:
    """Split a text into lower-case words without accents, apostrophes and possessive "'s".

    "O'Brien" equals "OBrien", and "Smith-Jones" equals "Smith Jones".
    """
    plain = unicodedata.normalize("NFKD", text).casefold()
    plain = "".join(c for c in plain if unicodedata.category(c) not in INVISIBLE)
    plain = re.sub(r"['\u2019`]s\b", "", plain)
    plain = re.sub(r"['\u2019`]", "", plain)
    return re.findall(r"[^\W_]+", plain)
