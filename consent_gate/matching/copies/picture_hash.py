"""Computes perceptual hashes of pictures, to find copies of a picture that staff closed.

The hash is pHash: a discrete cosine transform of the brightness, whose lowest frequencies are
compared with their median. Few bits change if a picture is saved again, resized or brightened. A
picture is hashed whole and in 80 trimmed versions, each turned and mirrored in eight ways, so that
cropped, turned and mirrored copies are found too. A plain border, as of a frame or a screenshot, is
cut off and the picture in it hashed as well. Libraries for pHash hash only the whole upright
picture. This module computes all versions with one matrix product.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import numpy as np
import numpy.typing as npt

from consent_gate.matching.copies.cosine_transform import lowest_frequencies

_GRID = 64
"""Side of the grid of mean brightnesses that is transformed."""
_SIDE = 16
"""Lowest frequencies used in each direction; a hash has ``_SIDE ** 2`` bits."""
_TRIMS = (0.0, 0.04, 0.08)
"""Shares of the height or width that are trimmed from a side."""
_MIN_CONTRAST = 2.0
"""Smallest standard deviation of the low frequencies, in levels of brightness. A flatter picture,
such as a white page, has no hash, because all such pictures are alike."""

_PLAIN = 8.0
"""Levels of brightness between the 5th and the 95th percentile of a row or column, up to which it
counts as part of a plain border."""

_DECIMALS = 6
"""Decimal places of a frequency that count, in levels of brightness."""

HASH_BYTES = _SIDE * _SIDE // 8
STORED_BYTES = len(_TRIMS) ** 4 * HASH_BYTES
"""Bytes stored for a closed picture: the hashes of the upright picture and its trimmed versions."""

COPY_DISTANCE = 50
"""Largest number of different bits, of 256, for a copy (rates: docs/threat-model.md)."""
BURST_DISTANCE = 56
"""Largest number of different bits for a picture of the same burst as a sealed picture."""
HASHED_SIDE = 320
"""Longest side in pixels to which a picture is reduced before it is hashed."""
MAX_PICTURES = 130
"""Most pictures whose hashes are compared for one file: 60 frames and the poster of a film, each
perhaps without its border."""
NO_COPY = _SIDE * _SIDE
"""The distance of a picture without a hash."""


def picture_hashes(luma: npt.NDArray[np.uint8]) -> bytes:
    """Hash a picture and its trimmed versions, each turned and mirrored in eight ways.

    Args:
        luma: Brightness, ``(height, width)``, 0 to 255; at most ``HASHED_SIDE`` pixels a side.

    Returns:
        8 * ``STORED_BYTES`` bytes; the first ``STORED_BYTES`` belong to the upright picture. As
        many follow for the part inside a plain border, if there is one. Empty if the picture has
        too little contrast or too few pixels.
    """
    whole = _hashes(luma)
    inside = without_border(luma)
    return whole + _hashes(inside) if whole and inside is not None else whole


def without_border(luma: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8] | None:
    """The largest part of a picture between plain rows and columns; None if nothing is cut off.

    Args:
        luma: Brightness, ``(height, width)``, 0 to 255.
    """
    inside = luma
    for _ in range(2):  # a plain row is only seen once the columns beside it are cut off
        inside = _longest_run(_longest_run(inside).T).T
    return inside if inside.size < luma.size else None


def _longest_run(luma: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """The longest run of rows that are not plain; all rows if each is plain."""
    dark, light = np.percentile(luma, (5, 95), axis=1)
    edges = np.flatnonzero(np.diff(light - dark > _PLAIN, prepend=False, append=False))
    runs = list(zip(edges[::2], edges[1::2], strict=True))
    first, end = max(runs, key=lambda run: run[1] - run[0], default=(0, len(luma)))
    return luma[first:end]


def _hashes(luma: npt.NDArray[np.uint8]) -> bytes:
    height, width = luma.shape
    if min(height, width) < _GRID:
        return b""
    product_of_all = _frequency_weights(height) @ luma.astype(float) @ _frequency_weights(width).T
    # Drawn pictures have frequencies of zero. Their sign must not depend on the order of the sums.
    transformed = product_of_all.round(_DECIMALS)
    trims = len(_TRIMS) ** 2
    by_trims = transformed.reshape(trims, _SIDE, trims, _SIDE).transpose(0, 2, 1, 3)
    spectra = by_trims.reshape(trims * trims, _SIDE, _SIDE).copy()
    spectra[:, 0, 0] = 0  # the mean brightness
    if np.sqrt((spectra[0] ** 2).sum()) / _GRID < _MIN_CONTRAST:
        return b""
    mirrored = np.where(np.arange(_SIDE) % 2, -1, 1)  # mirroring negates the odd frequencies
    variants = [
        turned * down[:, None] * across
        for turned in (spectra, spectra.transpose(0, 2, 1))
        for down in (np.ones(_SIDE), mirrored)
        for across in (np.ones(_SIDE), mirrored)
    ]
    flat = np.array(variants).reshape(len(variants) * len(spectra), _SIDE * _SIDE)
    return np.packbits(flat > np.median(flat, axis=1, keepdims=True), axis=1).tobytes()


def distances(hashes: bytes, closed: Sequence[bytes]) -> npt.NDArray[np.int64]:
    """Compare a picture with closed pictures.

    Either of the two pictures may be the trimmed one.

    Args:
        hashes: ``picture_hashes`` of the picture, or of several frames of a film, one after
            another; those beyond ``MAX_PICTURES`` are ignored.
        closed: The first ``STORED_BYTES`` of ``picture_hashes`` of each closed picture.

    Returns:
        For each closed picture the fewest bits in which two versions differ, ``(closed,)``;
        ``NO_COPY`` where one of the two has no hash.
    """
    result = np.full(len(closed), NO_COPY, dtype=np.int64)
    usable = [i for i, stored in enumerate(closed) if len(stored) == STORED_BYTES]
    if not usable or len(hashes) % STORED_BYTES or not hashes:
        return result
    hashes = hashes[: MAX_PICTURES * 8 * STORED_BYTES]
    stored = _as_words(b"".join(closed[i] for i in usable)).reshape(len(usable), -1, 4)
    versions = _as_words(hashes).reshape(-1, STORED_BYTES // HASH_BYTES, 4)
    nearest = np.full(len(usable), NO_COPY, dtype=np.int64)
    for upright in versions[:, 0]:
        nearest = np.minimum(nearest, _bits(stored ^ upright).min(axis=1))
    whole_versions = versions.reshape(-1, 4)
    for index, whole in enumerate(stored[:, 0]):
        nearest[index] = min(nearest[index], _bits(whole_versions ^ whole).min())
    result[usable] = nearest
    return result


def _frequency_weights(length: int) -> npt.NDArray[np.float64]:
    """The weights of the pixels in each frequency of each pair of trims, ``(9 * 16, length)``."""
    transform = lowest_frequencies(_SIDE, _GRID)
    weights = []
    for before, after in product(_TRIMS, _TRIMS):
        edges = np.linspace(before * length, (1 - after) * length, _GRID + 1)
        reached = np.clip(edges[:, None] - np.arange(length), 0, 1)  # share before an edge
        cells = np.diff(reached, axis=0) / np.diff(edges)[:, None]
        weights.append(transform @ cells)
    return np.concatenate(weights)


def _as_words(hashes: bytes) -> npt.NDArray[np.uint64]:
    return np.frombuffer(hashes, dtype=np.uint64)


def _bits(words: npt.NDArray[np.uint64]) -> npt.NDArray[np.int64]:
    counts: npt.NDArray[np.int64] = np.bitwise_count(words).sum(axis=-1, dtype=np.int64)
    return counts
