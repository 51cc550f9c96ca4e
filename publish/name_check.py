"""Search a text for the names of pupils before it is published.

NSPCC guidance on photographing children says: never publish a child's full name with a picture.
A school may allow first names alone (setting ``publishing.first_names``).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby, product

from consent_gate.db.models import PupilEntry
from consent_gate.home.home import Home
from consent_gate.names.lookalike_text import plain_letters, skeleton

MAX_WORDS_BETWEEN = 2
"""Words allowed between forename and surname, for middle names: "Ann Mary Louise Archer"."""

MIN_GLUED = 7
"""Letters of a forename and surname from which they are also found inside a longer word. Shorter
ones, such as "Al" and "Ly", are part of many words."""

MAX_SPLIT = 60
"""Letters up to which neighbouring words are read as one: "An n Arch er" is "Ann Archer"."""

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
    return bool(find_full_names(text, pupil_names(), first_names_too=refused))


def fields_name_pupil(home: Home, *fields: str) -> bool:
    """Whether texts that readers see side by side name a pupil, alone or together.

    A forename in the title and the surname in the description or album tell as much as both in one
    of them. So a name counts here wherever its two parts stand, if they stand in different fields.

    Args:
        home: The installation.
        fields: Such as title, description and album. Empty ones are left out.
    """
    text = "\n".join(field for field in fields if field.strip())
    return contains_pupil_name(home, text) or names_across(pupil_names(), fields)


def names_across(names: tuple[Name, ...], fields: Sequence[str]) -> bool:
    """Whether the forename and the surname of one of the names stand in different fields.

    Quick for many fields and the same names: each field is read once.
    """
    if sum(bool(field.strip()) for field in fields) < 2:
        return False
    return any(_stands_across(names, fields, read) for read in (plain_letters, skeleton))


def _stands_across(
    names: tuple[Name, ...], fields: Sequence[str], read: Callable[[str], str]
) -> bool:
    parts = [_word_set(field, read) for field in fields]
    together = frozenset[str]().union(*parts)
    index = _by_first_word(names, read)
    for word in together & index.keys():
        for words in index[word]:
            # In one field alone, the words must stand together: find_full_names says whether.
            if words <= together and not any(words <= part for part in parts):
                return True
    return False


@lru_cache(maxsize=8)
def _by_first_word(
    names: tuple[Name, ...], read: Callable[[str], str]
) -> dict[str, list[frozenset[str]]]:
    """The words of each name of at least two parts, by the first word of the forename."""
    found: dict[str, list[frozenset[str]]] = {}
    for name in dict.fromkeys(names):
        first, last = _words(name.forename, read), _words(name.surname, read)
        if first and last:
            found.setdefault(first[0], []).append(frozenset(first + last))
    return found


@lru_cache(maxsize=4096)
def _word_set(text: str, read: Callable[[str], str]) -> frozenset[str]:
    words = _words(text, read)
    return frozenset([*words, *_spelled_words(words)])


def texts_with_pupil_names(home: Home, texts: Iterable[str]) -> frozenset[str]:
    """Those of the texts that ``contains_pupil_name`` refuses.

    Quick for texts that were checked before with the same register: a manifest is made often.
    """
    given = frozenset(text for text in texts if text.strip())
    if not given:
        return frozenset()
    refused = home.settings.publishing.first_names == "refuse"
    return _with_names(given, pupil_names(), first_names_too=refused)


@lru_cache(maxsize=8)
def _with_names(
    texts: frozenset[str], names: tuple[Name, ...], *, first_names_too: bool
) -> frozenset[str]:
    return frozenset(
        text for text in texts if find_full_names(text, names, first_names_too=first_names_too)
    )


def pupil_names() -> tuple[Name, ...]:
    """All combinations of every pupil's recorded forenames and surnames."""
    return tuple(
        Name(first, last)
        for forename, preferred, surname, other in PupilEntry.objects.values_list(*FIELDS)
        for first, last in product(sorted({forename, preferred} - {""}), sorted({surname, other}))
    )


def find_full_names(
    text: str, names: Iterable[Name], *, first_names_too: bool = False
) -> tuple[Name, ...]:
    """The names that occur in ``text``, each once. Case, accents and hyphens are ignored.

    A full name is found as "forename surname", with at most ``MAX_WORDS_BETWEEN`` words between,
    or as "surname forename". It is also found without the space, in letters that stand apart, and
    in letters of other scripts that look like Latin ones.

    Args:
        text: Text that readers would see.
        names: Names to search for.
        first_names_too: Also find a forename that stands alone.
    """
    found = list(_find(text, names, plain_letters, first_names_too=first_names_too))
    # A first name alone is not compared by skeleton: "Ali" would be found in "All our pupils".
    found += _find(text, names, skeleton, first_names_too=False)
    return tuple(dict.fromkeys(found))


def _find(
    text: str, names: Iterable[Name], read: Callable[[str], str], *, first_names_too: bool
) -> Iterable[Name]:
    """The names that occur in ``text`` where both are read by ``read``."""
    words = _words(text, read)
    if not words:
        return
    present, glued = set(words), [*words, *_spelled_words(words)]
    split = _split_words(words)
    for name in names:
        first, last = _words(name.forename, read), _words(name.surname, read)
        if first and last and _is_glued(glued, split, "".join(first), "".join(last)):
            yield name
            continue
        if not first or not present.issuperset(first):
            continue
        if first_names_too and _positions(words, first):
            yield name
            continue
        if last and present.issuperset(last) and _are_together(words, first, last):
            yield name


def _spelled_words(words: list[str]) -> list[str]:
    """The words that letters standing apart spell: "a n n" gives "ann"."""
    runs = groupby(words, key=lambda word: len(word) == 1)
    return ["".join(letters) for is_letter, letters in runs if is_letter]


def _split_words(words: list[str]) -> set[str]:
    """What neighbouring words spell together, up to ``MAX_SPLIT`` letters."""
    found = set()
    for start in range(len(words)):
        text = ""
        for word in words[start:]:
            text += word
            if len(text) > MAX_SPLIT:
                break
            found.add(text)
    return found


def _is_glued(words: list[str], split: set[str], first: str, last: str) -> bool:
    """Whether a word, or words together, have forename and surname without the right space."""
    names = {first + last, last + first}
    if any(len(name) >= MIN_GLUED and name in split for name in names):
        return True
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


def _words(text: str, read: Callable[[str], str]) -> list[str]:
    """Split a text, as ``read`` gives it, into words without apostrophes and possessive "'s".

    "O'Brien" equals "OBrien", and "Smith-Jones" equals "Smith Jones".
    """
    plain = read(text)
    plain = re.sub(r"['\u2019`]s\b", "", plain)
    plain = re.sub(r"['\u2019`]", "", plain)
    return re.findall(r"[^\W_]+", plain)
