"""Chooses, of many closed pictures, the few that a picture may show.

Two points that are alike share parts of their descriptors. So only pairs of points that share 20
bits are compared. Pairs of one closed picture count together where they turn and scale alike.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from consent_gate.matching.copies.picture_points import Points, View

MAX_LOOKS = 6
"""Pairs of closed picture and view that are compared in full."""

_NEAR_BITS = 56
"""Largest number of different bits of two points that count in the choice of likely copies."""
_WORD_BITS = 20
"""Bits that two points must share to be compared."""
_CROWDED = 4
"""Most points of the views that share a word. Where there are more, the word says too little."""
_TURNS, _SIZES = 16, 16
"""Classes of turn, and of size in half powers of two, in which pairs are counted."""


def likely_copies(views: Sequence[View], closed: Sequence[Points]) -> list[tuple[int, int]]:
    """Choose the closed pictures that share most points with a view.

    Returns:
        At most ``MAX_LOOKS`` pairs of an index of ``closed`` and one of ``views``.
    """
    if not closed:
        return []
    stored = np.concatenate(closed)
    shown = np.concatenate([view.points for view in views])
    if not len(stored) or not len(shown):
        return []
    picture = np.repeat(np.arange(len(closed)), [len(points) for points in closed])
    view = np.repeat(np.arange(len(views)), [len(view.points) for view in views])
    pairs = _near_pairs(stored["bits"], shown["bits"])
    owner = picture[pairs[0]] * len(views) + view[pairs[1]]
    votes = _most_alike(owner, stored[pairs[0]], shown[pairs[1]], len(closed) * len(views))
    best = np.argsort(-votes, kind="stable")[:MAX_LOOKS]
    return [divmod(int(pair), len(views)) for pair in best if votes[pair] > 1]


def _near_pairs(
    stored: npt.NDArray[np.uint8], shown: npt.NDArray[np.uint8]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Pairs of descriptors that share one of eight words of 20 bits and have few different bits."""
    stored_longs, shown_longs = (
        np.ascontiguousarray(bits).view(np.uint64) for bits in (stored, shown)
    )
    found: list[npt.NDArray[np.int64]] = []
    for stored_word, shown_word in zip(_words(stored), _words(shown), strict=True):
        order = np.argsort(shown_word, kind="stable")
        words, start, count = np.unique(shown_word[order], return_index=True, return_counts=True)
        telling = count <= _CROWDED
        words, start, count = words[telling], start[telling], count[telling]
        is_shown = np.zeros(1 << _WORD_BITS, dtype=np.bool_)
        is_shown[words] = True
        hits = np.flatnonzero(is_shown[stored_word])
        place = np.searchsorted(words, stored_word[hits])
        times = count[place]
        one = np.repeat(hits, times)
        within = np.arange(len(one)) - np.repeat(np.cumsum(times) - times, times)
        other = order[np.repeat(start[place], times) + within]
        bits = np.bitwise_count(stored_longs[one] ^ shown_longs[other]).sum(axis=1)
        near = bits <= _NEAR_BITS
        found.append(one[near] * len(shown) + other[near])
    pairs = np.unique(np.concatenate(found))
    return pairs // len(shown), pairs % len(shown)


def _words(bits: npt.NDArray[np.uint8]) -> npt.NDArray[np.int32]:
    """Eight words of each descriptor, ``(8, descriptors)``: 16 bits and four of the next ones."""
    halves = np.ascontiguousarray(bits).view(np.uint16).T.astype(np.int32)
    extra = (1 << (_WORD_BITS - 16)) - 1
    return np.ascontiguousarray(halves[::2] | ((halves[1::2] & extra) << 16))


def _most_alike(
    owner: npt.NDArray[np.int64], first: Points, second: Points, owners: int
) -> npt.NDArray[np.int64]:
    """For each owner the most of its pairs that turn and scale alike, ``(owners,)``."""
    turn = ((second["angle"] - first["angle"]) % 360 * (_TURNS / 360)).astype(int) % _TURNS
    ratio = np.log2(second["size"] / first["size"])
    size = np.clip(2 * ratio + _SIZES / 2, 0, _SIZES - 1).astype(int)
    place = (owner * _TURNS + turn) * _SIZES + size
    votes = np.bincount(place, minlength=owners * _TURNS * _SIZES).reshape(owners, _TURNS, _SIZES)
    votes = votes + np.roll(votes, 1, axis=1)
    votes = votes + np.roll(votes, 1, axis=2)
    most: npt.NDArray[np.int64] = votes.max(axis=(1, 2))
    return most
