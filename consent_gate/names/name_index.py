"""The names of a school's pupils, prepared for comparisons with text that was read. Pure.

The recogniser makes mistakes, so names are compared as a reader would confuse them: letters that
look alike are one letter, and a long name may differ in one or two.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, product

import numpy as np
from numpy.typing import NDArray

from consent_gate.model import NamePart
from consent_gate.names.common_words import COMMON_WORDS
from consent_gate.names.lookalike_text import plain_letters, skeleton
from consent_gate.names.nicknames import NICKNAMES

MIN_FULL = 5
"""Letters of a full name below which only two words that are exactly the names count."""

MIN_SINGLE = 3
"""Letters of a forename or surname below which it is not looked for alone."""

LONG, VERY_LONG = 12, 17
"""Letters of a full name from which it may differ in two letters, and in three."""

_DIGITS = str.maketrans({"5": "s", "8": "b", "2": "z", "6": "g", "9": "g", "3": "e", "4": "a"})
"""Digits that the recogniser gives for letters, in addition to those of ``skeleton``."""


@dataclass(frozen=True)
class PupilName:
    """One combination of a pupil's recorded forenames and surnames."""

    pupil: str
    """Admission number."""
    forename: str
    surname: str


class NameIndex:
    """Finds pupils by words that were read."""

    def __init__(self, names: Iterable[PupilName]) -> None:
        self._full: dict[str, set[str]] = defaultdict(set)
        self._single: dict[tuple[NamePart, str], set[str]] = defaultdict(set)
        self._forenames: set[tuple[str, ...]] = set()
        self._words: dict[str, set[frozenset[str]]] = defaultdict(set)
        self._common: set[str] = set()
        self.most_words = 1
        """Words of the longest recorded forename or surname."""
        for name in names:
            forenames, surnames = _variants(name.forename), _variants(name.surname)
            forenames |= {nick for known in forenames for nick in NICKNAMES.get(known, ())}
            for forename, surname in product(forenames, surnames):
                self._add_full(name.pupil, forename, surname)
            for part, words in ((NamePart.FORENAME, forenames), (NamePart.SURNAME, surnames)):
                for word in words:
                    self._single[part, key_of(word)].add(name.pupil)
            self._add_words(words_of(name.forename), words_of(name.surname))
        self._keys = sorted(self._full)
        self._counts = _letter_counts(self._keys)
        self._lengths = np.array([len(key) for key in self._keys], dtype=np.int16)

    def _add_words(self, forename: Sequence[str], surname: Sequence[str]) -> None:
        self._forenames.add(tuple(forename))
        self.most_words = max(self.most_words, len(forename), len(surname))
        if forename and surname:
            words = frozenset(key_of(word) for word in (*forename, *surname))
            self._words[key_of(forename[0])].add(words)

    def _add_full(self, pupil: str, forename: str, surname: str) -> None:
        is_common = forename in COMMON_WORDS and surname in COMMON_WORDS
        for first, second in ((forename, surname), (surname, forename)):
            key = key_of(first + second)
            self._full[key].add(pupil)
            if is_common:
                self._common.add(key)

    def full(self, key: str) -> frozenset[str]:
        """Pupils whose forename and surname, in either order, have together this key."""
        return frozenset(self._full.get(key, ()))

    def two_words(self, first: str, second: str) -> frozenset[str]:
        """Pupils of whom these are forename and surname, in either order."""
        return self.in_order(first, second) | self.in_order(second, first)

    def in_order(self, forename: str, surname: str) -> frozenset[str]:
        """Pupils with this forename, or a short form of it, and this surname."""
        first = self._single.get((NamePart.FORENAME, key_of(forename)))
        last = self._single.get((NamePart.SURNAME, key_of(surname)))
        return frozenset(first & last) if first and last else frozenset()

    def is_forename(self, words: Sequence[str]) -> bool:
        """Whether some pupil's recorded forename has exactly these words."""
        return tuple(words) in self._forenames

    def single(self, part: NamePart, word: str) -> frozenset[str]:
        """Pupils with this surname, this forename or a short form of it, unless it is very
        short."""
        if len(word) < MIN_SINGLE:
            return frozenset()
        return frozenset(self._single.get((part, key_of(word)), ()))

    def words_of_names(self, present: frozenset[str]) -> Iterator[frozenset[str]]:
        """The words, as ``key_of`` has them, of each recorded name of which all are present."""
        for word in present & self._words.keys():
            yield from (words for words in self._words[word] if words <= present)

    def is_common(self, key: str) -> bool:
        """Whether forename and surname of a full name are both words of everyday English."""
        return key in self._common

    def nearest(self, key: str) -> str | None:
        """The key of the full name that differs least; None where none is similar enough.

        A name of everyday words is found only exactly.
        """
        if len(key) < MIN_FULL and key.isascii():
            return None
        if key in self._full:
            return key
        # A long name from which a letter was lost is still that long name.
        allowed = _tolerance(len(key) if len(key) + 1 < LONG else len(key) + 1)
        if not allowed or not self._keys:
            return None
        near = np.abs(self._lengths - len(key)) <= allowed
        differ = np.abs(self._counts - _letter_counts([key])).sum(axis=1) <= 2 * allowed
        found = []
        for place in np.flatnonzero(near & differ):
            other = self._keys[place]
            distance = _distance(key, other, allowed)
            if distance <= min(allowed, _tolerance(len(other))) and not self.is_common(other):
                found.append((distance, other))
        return min(found)[1] if found else None


def words_of(text: str) -> list[str]:
    """The words of a text in small letters without accents, apostrophes and numbers.

    Letters that stand apart are one word: "Z o e" is "zoe".
    """
    joined: list[str] = []
    for is_letter, run in groupby(separate_words(text), key=lambda word: len(word) == 1):
        group = list(run)
        joined.extend(["".join(group)] if is_letter else group)
    return joined


def separate_words(text: str) -> list[str]:
    """``words_of`` with letters that stand apart as words of their own: "B" in "B a C"."""
    plain = plain_letters(text)
    plain = re.sub(r"['\u2019`]s\b|['\u2019`]", "", plain).replace("|", "l")
    return [word for word in re.findall(r"[^\W_]+", plain) if not word.isdigit()]


def key_of(letters: str) -> str:
    """The letters in the form that is compared."""
    return skeleton(letters.translate(_DIGITS))


def _variants(name: str) -> frozenset[str]:
    """How a recorded name may be written: whole, its first word, or a part of a double name."""
    words = words_of(name)
    parts = ["".join(words_of(part)) for part in name.split("-")]
    shorter = [*words[:1], *(parts if len(parts) > 1 else ())]
    long_enough = {word for word in shorter if len(word) >= MIN_SINGLE}
    return frozenset({"".join(words)} | long_enough) - {""}


def _tolerance(length: int) -> int:
    """In how many letters a full name of this length may differ."""
    if length < 7:
        return 0
    return 1 if length < LONG else 2 if length < VERY_LONG else 3


def _letter_counts(keys: Sequence[str]) -> NDArray[np.int16]:
    """How often each letter occurs: shape (keys, 27); the last column has all other characters."""
    counts = np.zeros((len(keys), 27), dtype=np.int16)
    for row, key in zip(counts, keys, strict=True):
        for letter in key:
            place = ord(letter) - ord("a")
            row[place if 0 <= place < 26 else 26] += 1
    return counts


def _distance(one: str, other: str, limit: int) -> int:
    """Letters to insert, delete or replace, or neighbours to swap, to get from one to the other.

    A number above ``limit`` means only "more".
    """
    before: list[int] = []
    last = list(range(len(other) + 1))
    for i, letter in enumerate(one, start=1):
        row = [i]
        for j, wanted in enumerate(other, start=1):
            best = min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (letter != wanted))
            if i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == wanted:
                best = min(best, before[j - 2] + 1)
            row.append(best)
        if min(row) > limit:
            return limit + 1
        before, last = last, row
    return last[-1]
