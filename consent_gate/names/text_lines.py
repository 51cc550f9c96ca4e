"""Lines of text that were read in a picture: their words, and where they lie. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from consent_gate.model import Box
from consent_gate.names.name_index import words_of

MAX_LINES = 300
"""The most lines that are read and compared in one picture."""

MAX_FILM_LINES = 1000
"""The most lines that are read and compared in one film."""

MAX_CHARACTERS = 200
"""Characters of one line that are compared."""

PAIRED_WORDS = 6
"""Words of a line up to which it is joined with neighbouring lines."""

GAP = 1.5
"""Distance between two lines, in heights of the higher one, up to which they are neighbours."""


@dataclass(frozen=True)
class ReadLine:
    """One line of text that was found in a picture."""

    text: str
    """Empty where it could not be read."""
    box: Box
    """In pixels of the upright original."""
    frame: int = 0
    """Number of the frame of a film. Only lines of one frame stand beside each other."""


def readings_of(line: ReadLine) -> Iterator[ReadLine]:
    """The line, and where spaces may be missing in it, the line with them.

    "BoXu3B" is then also "Bo Xu": the class belongs to no name.
    """
    yield line
    text = line.text[:MAX_CHARACTERS]
    spaced = _CLASS.sub(" ", _CAPITAL.sub(" ", text))
    if spaced != text:
        yield replace(line, text=spaced)


_CAPITAL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_CLASS = re.compile(r"(?<=[^\W\d_]{2})\d+[^\W\d_]?(?![^\W_])")


class SplitLine:
    """A line of text, split into its words."""

    def __init__(self, line: ReadLine, phrases: Sequence[str]) -> None:
        """Split the text into words.

        Args:
            line: What was read.
            phrases: Names that are no pupil's, such as the name of the school.
        """
        self.box, self.frame = line.box, line.frame
        self.is_unread = not line.text.strip()
        self.words = words_of(line.text[:MAX_CHARACTERS])
        self.phrases = tuple(words_of(phrase) for phrase in phrases)

    def in_phrase(self, start: int, end: int, shortest: int = 1) -> bool:
        """Whether words ``start`` to ``end`` lie wholly inside a phrase that is no pupil's name.

        Only phrases of at least ``shortest`` words are looked at.
        """
        for phrase in self.phrases:
            size = len(phrase)
            for place in range(len(self.words) - size + 1):
                inside = place <= start and end <= place + size
                if size >= shortest and inside and self.words[place : place + size] == phrase:
                    return True
        return False


def overlap(one: Box, other: Box) -> bool:
    """Whether the middle of one of two boxes lies in the other."""
    return middle_lies_in(one, other) or middle_lies_in(other, one)


def middle_lies_in(one: Box, other: Box) -> bool:
    """Whether the middle of ``one`` lies in ``other``: a line may be read twice."""
    return other.contains(one.middle)


def runs(count: int, longest: int) -> Iterator[tuple[int, int]]:
    """Start and end of every run of up to ``longest`` neighbouring words."""
    for start in range(count):
        for end in range(start + 1, min(count, start + longest) + 1):
            yield start, end


def neighbours(lines: Sequence[SplitLine]) -> Iterator[tuple[SplitLine, SplitLine]]:
    """Pairs of short lines that lie close together."""
    short = [line for line in lines if 0 < len(line.words) <= PAIRED_WORDS]
    for place, first in enumerate(short):
        for second in short[place + 1 :]:
            if first.frame != second.frame:
                continue
            one, other = first.box, second.box
            reach = GAP * max(min(one.width, one.height), min(other.width, other.height))
            across = max(one.x, other.x) - min(one.x + one.width, other.x + other.width)
            down = max(one.y, other.y) - min(one.y + one.height, other.y + other.height)
            if across <= reach and down <= reach:
                yield first, second


def around(one: Box, other: Box) -> Box:
    """The smallest box that holds both."""
    left, top = min(one.x, other.x), min(one.y, other.y)
    right = max(one.x + one.width, other.x + other.width)
    bottom = max(one.y + one.height, other.y + other.height)
    return Box(left, top, right - left, bottom - top)
