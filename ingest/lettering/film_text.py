"""Read the text of a film in the frames in which all detectors search for faces.

These are the first frame of each scene and at least one frame a second.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

import numpy as np

from consent_gate.model import Box
from consent_gate.names.text_lines import MAX_FILM_LINES, ReadLine, SplitLine, neighbours
from ingest.faces.protocols import RGB
from ingest.film.search import SearchedFrame
from ingest.lettering.lettering import Lettering, TooMuchText

MIN_LETTERS = 2
"""Letters of a text below which it is part of no name. A pattern is often read as one letter."""


class FilmText:
    """Collects the text of one film."""

    def __init__(self, lettering: Lettering, width: int, again: Collection[int] = ()) -> None:
        """Keep the models.

        Args:
            lettering: Reads frames.
            width: Of the upright original, in pixels.
            again: ``frames`` of an examination that goes on here. What they say was not stored.
        """
        self._again = frozenset(again)
        self.frames: list[int] = []
        """Numbers of the frames that said something new, or could not be read."""
        self._lettering = lettering
        self._width = width
        self._lines: list[ReadLine] = []
        self._known: set[tuple[str, ...]] = set()
        """Texts that were read, and pairs of texts that stood beside each other: one name may be
        written in two lines."""
        self._is_complete = True
        self._read: RGB | None = None
        """The frame that was read last."""

    def read(self, searched: SearchedFrame) -> None:
        """Read a frame, if all detectors searched it and all text before could be read."""
        is_searched = searched.by_ensemble is not None or searched.frame.number in self._again
        if not is_searched or not self._is_complete:
            return
        rgb = searched.frame.rgb
        if self._read is not None and np.array_equal(self._read, rgb):
            return  # a film of a screen repeats its pictures
        self._read = rgb
        try:
            found = self._lettering.read(rgb)
        except TooMuchText:
            self._is_complete = False
            self.frames.append(searched.frame.number)
            return
        lines = [line for line in found if sum(map(str.isalpha, line.text)) >= MIN_LETTERS]
        says = {(line.text.casefold(),) for line in lines} | _pairs(lines)
        if says <= self._known:
            return
        self._known |= says
        self.frames.append(searched.frame.number)
        scale, frame = self._width / rgb.shape[1], searched.frame.number
        self._lines += [replace(line, box=_scaled(line.box, scale), frame=frame) for line in lines]
        self._is_complete = len(self._lines) <= MAX_FILM_LINES

    def lines(self) -> tuple[ReadLine, ...] | None:
        """The lines of every frame that says something new, in pixels of the upright original.

        None if a frame, or the film, shows more text than is read.
        """
        return tuple(self._lines) if self._is_complete else None


def _pairs(lines: Sequence[ReadLine]) -> set[tuple[str, ...]]:
    """The words of each two lines that are neighbours, in the order in which they were read."""
    pairs = neighbours([SplitLine(line, ()) for line in lines])
    return {(" ".join(first.words), " ".join(second.words)) for first, second in pairs}


def _scaled(box: Box, scale: float) -> Box:
    return Box(*(round(value * scale) for value in box.as_list()))
