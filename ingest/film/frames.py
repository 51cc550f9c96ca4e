"""The judged frames of a film, whatever kind of file it is.

A judged frame is upright, in square pixels and sRGB-like RGB of eight bits, and at most
``JUDGED_SIDE`` pixels long. The same file always gives the same judged frames. A published film is
encoded from these frames alone, so a frame that was not judged cannot be published.
"""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

from ingest.faces.protocols import RGB
from ingest.film.facts import FilmFacts

JUDGED_SIDE = 1920
"""Long side in pixels of the largest judged frame. Films are published at half of it or less."""


@dataclass(frozen=True, eq=False)
class JudgedFrame:
    """One frame that is judged and may be published."""

    number: int
    """0 for the first judged frame."""
    time: float
    """Seconds since the first frame."""
    rgb: RGB
    sha256: str = ""
    """SHA-256 of all judged frames up to this one: size, time and pixels of each."""


class FrameReader(ABC):
    """Reads one film from its beginning to its end, once. Use as a context manager."""

    facts: FilmFacts

    def __init__(self) -> None:
        self._digest = hashlib.sha256()
        self.frames_decoded = 0
        self.frames_judged = 0
        self.seconds = 0.0
        """When the last judged frame ends, in seconds since the first."""
        self.first_time = 0.0
        """Time of the first judged frame in the file, in seconds; 0 before it is read."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @abstractmethod
    def close(self) -> None:
        """Release the decoder."""

    @abstractmethod
    def frames(self) -> Iterator[JudgedFrame]:
        """Yield all judged frames in the order of time. Ends without an error only at the real end.

        Raises:
            DecodeError: The film is damaged, ends early, or goes beyond a limit.
        """

    @property
    def frames_sha256(self) -> str:
        """SHA-256 of all judged frames so far: size, time and pixels of each."""
        return self._digest.hexdigest()

    def _judge(self, time: float, rgb: RGB) -> JudgedFrame:
        """The next judged frame, which is counted and added to the digest."""
        number = self.frames_judged
        height, width = rgb.shape[:2]
        self._digest.update(f"{number}:{time:.6f}:{height}x{width}:".encode())
        self._digest.update(rgb.data)
        self.frames_judged += 1
        return JudgedFrame(number, time, rgb, self._digest.hexdigest())
