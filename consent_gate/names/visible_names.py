"""Compare text that was read in a picture with the names of the pupils. Pure.

The text is not kept: the result says whose name can be read and where.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from itertools import chain, product

from consent_gate.model import Box, NamePart, VisibleName
from consent_gate.names.common_words import COMMON_WORDS, SMALL_WORDS
from consent_gate.names.name_index import NameIndex, key_of
from consent_gate.names.text_lines import (
    MAX_FILM_LINES,
    ReadLine,
    SplitLine,
    around,
    middle_lies_in,
    neighbours,
    overlap,
    readings_of,
    runs,
)

MAX_WORDS = 4
"""Neighbouring words that are read as one: "An na Arch er"."""

MIN_INSIDE, MAX_INSIDE = 8, 40
"""Letters of a full name that is also found inside other letters."""

MIN_PIECES = 8
"""Letters of a full name that is also looked for in two pieces."""

MAX_COMMON = 4
"""Letters that two pieces of a name may have in common: the end of one and the start of the
other."""

BADGE_WIDTHS, BADGE_ABOVE, BADGE_BELOW = 2.0, 1.5, 5.0
"""How far from the middle of a face a line is near it: sideways in widths of the face, upwards and
downwards in heights. A badge hangs on the chest, a peg is beside the head."""


@dataclass(frozen=True)
class Options:
    """What a school wants to be found."""

    phrases: tuple[str, ...] = ()
    """Names that are no pupil's: of the school, and of its houses. A pupil's name that lies wholly
    inside one does not count."""
    parts: frozenset[NamePart] = frozenset({NamePart.FULL})
    """Which parts of a name are looked for. A single name, and text that could not be read, counts
    only near a face."""


def is_near_face(box: Box, faces: Iterable[Box]) -> bool:
    """Whether a line may belong to one of the faces."""
    x, y = box.middle
    for face in faces:
        across = abs(x - face.x - face.width / 2) / max(1, face.width)
        down = (y - face.y - face.height / 2) / max(1, face.height)
        if across <= BADGE_WIDTHS and -BADGE_ABOVE <= down <= BADGE_BELOW:
            return True
    return False


def find_names(
    lines: Sequence[ReadLine], index: NameIndex, faces: Sequence[Box], options: Options
) -> tuple[VisibleName, ...]:
    """The pupils' names that can be read, each once for each place.

    Args:
        lines: What was read.
        index: The names of the pupils.
        faces: Boxes of the faces, in pixels of the upright original.
        options: What is looked for.
    """
    readings = chain.from_iterable(map(readings_of, lines[:MAX_FILM_LINES]))
    search = _Search([SplitLine(line, options.phrases) for line in readings], index, faces)
    found: dict[VisibleName, None] = {}
    for mark in search.in_one_line():
        # A line that was read twice gets one box around both readings: a cover must hide each.
        same = [one for one in found if one.pupil == mark.pupil and overlap(one.box, mark.box)]
        box = reduce(around, (one.box for one in same), mark.box)
        for one in same:
            del found[one]
        found[replace(mark, box=box)] = None
    for mark in chain(search.in_two_lines(), search.in_pieces()):
        if not any(one.pupil == mark.pupil and middle_lies_in(one.box, mark.box) for one in found):
            found[mark] = None
    named = {mark.box for mark in found}
    for part in (NamePart.SURNAME, NamePart.FORENAME):
        if part in options.parts:
            found.update(dict.fromkeys(m for m in search.single(part) if m.box not in named))
    if NamePart.UNREAD in options.parts:
        for mark in search.unread():
            if not any(middle_lies_in(mark.box, one.box) for one in found):
                found[mark] = None
    return tuple(found)


@dataclass(frozen=True)
class _Search:
    """The lines of one picture, and what they are compared with."""

    lines: Sequence[SplitLine]
    index: NameIndex
    faces: Sequence[Box]

    def in_one_line(self) -> Iterator[VisibleName]:
        """Full names in one line."""
        for line in self.lines:
            for start, end in runs(len(line.words), MAX_WORDS):
                if not line.in_phrase(start, end):
                    alone = end - start == len(line.words)
                    yield from self._marks(line.words[start:end], line.box, alone=alone)
            if not line.in_phrase(0, len(line.words)):
                for pupil in self._inside("".join(line.words)):
                    yield VisibleName(line.box, pupil, NamePart.FULL)

    def in_two_lines(self) -> Iterator[VisibleName]:
        """Full names across two neighbouring lines."""
        for first, second in neighbours(self.lines):
            box = around(first.box, second.box)
            for (a, b), (c, d) in product(runs(len(first.words), 2), runs(len(second.words), 2)):
                # "Archer House" is no surname for the forename above it, but a house called just
                # "Archer" must not hide a pupil of that surname.
                if not (first.in_phrase(a, b, 2) or second.in_phrase(c, d, 2)):
                    alone = b - a == len(first.words) and d - c == len(second.words)
                    pair = ["".join(first.words[a:b]), "".join(second.words[c:d])]
                    small = not SMALL_WORDS.isdisjoint((*first.words[a:b], *second.words[c:d]))
                    yield from self._marks(pair, box, alone=alone, exact_only=small)

    def in_pieces(self) -> Iterator[VisibleName]:
        """Full names of which the finder saw the beginning and the end as two lines.

        The two may have letters in common.
        """
        for one, other in neighbours(self.lines):
            box = around(one.box, other.box)
            for first, second in ((one, other), (other, one)):
                for size, end in product((1, 2), (1, 2)):
                    start = max(0, len(first.words) - size)
                    words = first.words[start:], second.words[:end]
                    is_text = first.in_phrase(start, len(first.words), 2)
                    is_text |= second.in_phrase(0, min(end, len(second.words)), 2)
                    if not is_text and SMALL_WORDS.isdisjoint(chain(*words)):
                        start_key, end_key = (key_of("".join(part)) for part in words)
                        yield from self._joined(start_key, end_key, box)

    def single(self, part: NamePart) -> Iterator[VisibleName]:
        """Forenames or surnames near a face.

        A word of everyday English counts only where the line says nothing else.
        """
        for line in self.lines:
            if not is_near_face(line.box, self.faces):
                continue
            for start, end in runs(len(line.words), 2):
                word = "".join(line.words[start:end])
                alone = end - start == len(line.words)
                if line.in_phrase(start, end) or (word in COMMON_WORDS and not alone):
                    continue
                if pupils := self.index.single(part, word):
                    yield VisibleName(line.box, min(pupils) if len(pupils) == 1 else None, part)

    def unread(self) -> Iterator[VisibleName]:
        """Text near a face that could not be read, where no other reading of it succeeded."""
        read = [line.box for line in self.lines if not line.is_unread]
        for line in self.lines:
            if line.is_unread and is_near_face(line.box, self.faces):
                places = ((line.box, box) for box in read)
                if not any(overlap(a, b) for a, b in places):
                    yield VisibleName(line.box, None, NamePart.UNREAD)

    def _marks(
        self, words: Sequence[str], box: Box, *, alone: bool, exact_only: bool = False
    ) -> Iterator[VisibleName]:
        """The pupils whose full name these words are together, or without those in the middle.

        ``alone`` says whether the words are all that the lines say, ``exact_only`` whether no
        letter may differ.
        """
        pupils: set[str] = set()
        key = key_of("".join(words))
        exact_only |= not SMALL_WORDS.isdisjoint(words) or _starts_with_small(words[0])
        nearest = key if exact_only else self.index.nearest(key)
        if nearest and self._counts(nearest, words, box, alone=alone):
            pupils |= self.index.full(nearest)
        if len(words) > 1:
            ends = key_of(words[0] + words[-1])
            if self._counts(ends, words, box, alone=alone):
                pupils |= self.index.two_words(words[0], words[-1])
        for pupil in sorted(pupils):
            yield VisibleName(box, pupil, NamePart.FULL)

    def _joined(self, start: str, end: str, box: Box) -> Iterator[VisibleName]:
        """The pupils whose full name has these two pieces."""
        for size in range(min(len(start), len(end), MAX_COMMON) + 1):
            key = start + end[size:]
            if len(key) < MIN_PIECES or not start.endswith(end[:size]):
                continue
            nearest = key if size else self.index.nearest(key)
            if nearest and not self.index.is_common(nearest):
                for pupil in sorted(self.index.full(nearest)):
                    yield VisibleName(box, pupil, NamePart.FULL)

    def _counts(self, key: str, words: Sequence[str], box: Box, *, alone: bool) -> bool:
        """Whether a full name counts. One of everyday words, such as "Rose Hill", needs a second
        sign: nothing else is written there, or a face is near."""
        if not self.index.is_common(key):
            return True
        return len(words) <= 2 and (alone or is_near_face(box, self.faces))

    def _inside(self, letters: str) -> frozenset[str]:
        """Pupils whose long full name lies somewhere in these letters."""
        text = key_of(letters)
        found: set[str] = set()
        for start in range(len(text) - MIN_INSIDE + 1):
            for end in range(start + MIN_INSIDE, min(len(text), start + MAX_INSIDE) + 1):
                if not self.index.is_common(text[start:end]):
                    found |= self.index.full(text[start:end])
        return frozenset(found)


def _starts_with_small(word: str) -> bool:
    """Whether a word is two words of a text that were read without the space: "TheGreen"."""
    return any(word.startswith(s) and word[len(s) :] in COMMON_WORDS for s in SMALL_WORDS)
