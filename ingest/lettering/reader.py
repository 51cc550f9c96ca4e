"""Read lines of text with the recogniser of PP-OCRv6.

The network gives for each column of a line the probability of every character. The likeliest
characters are the text, without repetitions and blanks (Graves et al.: "Connectionist temporal
classification"). The characters are named in the weight file.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ingest.faces.detectors.onnx import session
from ingest.faces.protocols import RGB
from ingest.faces.weights import TEXT_READER, locate

HEIGHT = 48
"""Height in pixels of the lines that the network reads."""

MIN_WIDTH, MAX_WIDTH = 96, 960
"""Width in pixels of the lines that the network reads. A longer line is squeezed."""

BATCH = 6
"""Lines that the network reads at once. Each is padded to the longest of them."""


@dataclass(frozen=True)
class Reading:
    """What one line says."""

    text: str
    confidence: float
    """Mean probability of the characters, 0-1."""


class TextReader:
    """Reads lines of text that stand upright.

    Raises:
        ModelUnavailable: The weight file is missing or is not the one that was measured.
    """

    def __init__(self) -> None:
        self._session = session(locate(TEXT_READER).read_bytes())
        named = self._session.get_modelmeta().custom_metadata_map["character"].split("\n")
        # The first output means "no character", the last one a space.
        self._characters = ["", *named, " "]

    def read(self, lines: Sequence[RGB]) -> list[Reading]:
        """What each line says.

        Args:
            lines: Shape (``HEIGHT``, width, 3), dtype uint8, colour order RGB.
        """
        readings: dict[int, Reading] = {}
        order = sorted(range(len(lines)), key=lambda index: lines[index].shape[1])
        for start in range(0, len(order), BATCH):
            batch = order[start : start + BATCH]
            (found,) = self._session.run(None, {"x": _blob([lines[index] for index in batch])})
            for index, columns in zip(batch, found, strict=True):
                readings[index] = self._decode(columns)
        return [readings[index] for index in range(len(lines))]

    def _decode(self, columns: NDArray[np.float32]) -> Reading:
        """Text of one line. ``columns`` has shape (columns, characters)."""
        best = columns.argmax(axis=1)
        new = np.ones(len(best), dtype=bool)
        new[1:] = best[1:] != best[:-1]
        kept = np.flatnonzero(new & (best != 0))
        if not len(kept):
            return Reading("", 0.0)
        text = "".join(self._characters[best[column]] for column in kept)
        return Reading(text, float(columns[kept, best[kept]].mean()))


def _blob(lines: Sequence[RGB]) -> NDArray[np.float32]:
    """Input of the network: shape (lines, 3, HEIGHT, width), BGR, from -1 to 1; 0 is padding."""
    width = max(MIN_WIDTH, *(line.shape[1] for line in lines))
    blob = np.zeros((len(lines), 3, HEIGHT, width), dtype=np.float32)
    for place, line in zip(blob, lines, strict=True):
        bgr = cv2.cvtColor(line, cv2.COLOR_RGB2BGR).astype(np.float32)
        place[:, :, : line.shape[1]] = (bgr / 127.5 - 1).transpose(2, 0, 1)
    return blob
