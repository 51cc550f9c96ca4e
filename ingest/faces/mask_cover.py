"""Cover the marked cells of a mask with rectangles of small total area.

A detector takes time for every pixel, so the rectangles leave out as much of the unmarked area as
they can. Cells that touch, also diagonally, are one part of the picture. A part is cut in two where
that saves area or where it is too large; the pieces overlap, so that a face at the cut is whole in
one of them. The cuts are chosen one by one, so the result is small but not always the smallest.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.uint8]
"""1 where a cell is marked, else 0."""
Cells = NDArray[np.bool_]
Counts = NDArray[np.int64]
"""One number of cells for each place of a cut."""


@dataclass(frozen=True)
class Rectangle:
    """A rectangle in cells; ``right`` and ``bottom`` are exclusive."""

    left: int
    top: int
    right: int
    bottom: int

    def united(self, other: Rectangle) -> Rectangle:
        """The smallest rectangle that contains both."""
        return Rectangle(
            min(self.left, other.left),
            min(self.top, other.top),
            max(self.right, other.right),
            max(self.bottom, other.bottom),
        )


@dataclass(frozen=True)
class CoverCosts:
    """What a cover costs, in cells."""

    overlap: int
    """The number of cells that two pieces of one part share at least."""
    multiple: int
    """The detectors fill the sides of a rectangle up to a multiple of this."""
    max_area: int
    """A larger part is cut even if that saves nothing."""
    call: int
    """The cells that take as long as one more call of a detector."""

    def of(self, height: Counts | int, width: Counts | int) -> Counts:
        """The cost of one rectangle; 0 if it is empty."""
        rows, columns = (
            np.asarray(-(-np.asarray(side) // self.multiple)) for side in (height, width)
        )
        area = rows * columns * self.multiple**2
        return np.asarray(np.where(area > 0, area + self.call, 0), np.int64)

    def of_rectangle(self, rectangle: Rectangle) -> int:
        """The cost of this rectangle."""
        height, width = rectangle.bottom - rectangle.top, rectangle.right - rectangle.left
        return int(self.of(height, width))


def cover(mask: Mask, costs: CoverCosts) -> list[Rectangle]:
    """Rectangles that contain every marked cell of ``mask``, shape (rows, columns)."""
    waiting = list(_parts(mask.astype(np.bool_), 0, 0))
    pieces: list[Rectangle] = []
    while waiting:
        cells, left, top = waiting.pop()
        whole = Rectangle(left, top, left + cells.shape[1], top + cells.shape[0])
        halves = _halves(cells, costs)
        if halves is None:
            pieces.append(whole)
            continue
        for half, x, y in halves:
            waiting += _parts(half, left + x, top + y)
    return _united(pieces, costs)


def _parts(cells: Cells, left: int, top: int) -> Iterator[tuple[Cells, int, int]]:
    """The connected parts, each in its smallest rectangle, with that rectangle's left and top."""
    count, labels, extents, _ = cv2.connectedComponentsWithStats(
        cells.astype(np.uint8), connectivity=8
    )
    for label in range(1, count):
        x, y, width, height = (int(side) for side in extents[label][:4])
        yield labels[y : y + height, x : x + width] == label, left + x, top + y


def _halves(cells: Cells, costs: CoverCosts) -> list[tuple[Cells, int, int]] | None:
    """Both halves of a part, each with its left and top in the part; None to leave it whole."""
    upright, lying = _cheapest_cut(cells, costs), _cheapest_cut(cells.T, costs)
    cut = min(
        (found for found in (upright, lying) if found is not None), key=lambda c: c[0], default=None
    )
    if cut is None:
        return None
    whole = int(costs.of(*cells.shape))
    if cut[0] >= whole and cells.size <= costs.max_area:
        return None
    place = cut[1]
    if cut is upright:
        return [(cells[:, : place + costs.overlap], 0, 0), (cells[:, place:], place, 0)]
    return [(cells[: place + costs.overlap], 0, 0), (cells[place:], 0, place)]


def _cheapest_cut(cells: Cells, costs: CoverCosts) -> tuple[int, int] | None:
    """The least cost of a cut between two columns, and the first column of the right half.

    Every column of ``cells`` has a marked cell, as in a connected part.
    """
    columns = cells.shape[1]
    places = np.arange(1, columns - costs.overlap)
    if not len(places):
        return None
    if cells.size > costs.max_area:  # so that no thin slices are cut off one after another
        places = places[len(places) // 4 : max(len(places) // 4 + 1, 3 * len(places) // 4)]
    before = np.logical_or.accumulate(cells, axis=1)[:, places + costs.overlap - 1]
    after = np.logical_or.accumulate(cells[:, ::-1], axis=1)[:, ::-1][:, places]
    total = costs.of(_extents(before), places + costs.overlap)
    total = total + costs.of(_extents(after), columns - places)
    best = int(total.argmin())
    return int(total[best]), int(places[best])


def _extents(cells: Cells) -> Counts:
    """Rows from the first marked one to the last, for each column."""
    first = cells.argmax(axis=0)
    last = cells.shape[0] - cells[::-1].argmax(axis=0)
    return np.where(cells.any(axis=0), last - first, 0)


def _united(pieces: list[Rectangle], costs: CoverCosts) -> list[Rectangle]:
    """The pieces, with two put together wherever one rectangle around both costs no more."""
    pieces = sorted(pieces, key=lambda piece: (piece.top, piece.left))
    done: list[Rectangle] = []
    while pieces:
        piece = pieces.pop()
        for other in pieces:
            both = piece.united(other)
            separate = costs.of_rectangle(piece) + costs.of_rectangle(other)
            if costs.of_rectangle(both) <= min(separate, costs.max_area):
                pieces.remove(other)
                pieces.append(both)
                break
        else:
            done.append(piece)
    return done
