"""Search the frames of a film for faces, in threads that work ahead of the tracks.

One thread decodes each frame and searches it with the scout. A second one searches some frames with
all detectors. The models are shared: a detector keeps no state between two calls.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import dataclass, replace

from ingest.faces.finder import FaceFinder
from ingest.faces.protocols import Detection, Detector, FoundFace
from ingest.film.ahead import ahead
from ingest.film.frames import FrameReader, JudgedFrame
from ingest.film.scenes import SceneWatch
from ingest.film.sightings import resized, scaled
from ingest.film.tracks import APART_SECONDS, MAX_GAP_SECONDS
from ingest.film.turned import SmallFrame, TurnedSearch

SCOUT_SIDE = 960
"""Long side in pixels of the frame as the scout sees it."""
SCOUT_FROM = 0.3
"""Score of the scout from which a place is followed."""
ANY_ANGLE_SIDE = 1280
"""Long side in pixels of the frame that is searched at every angle: that of a published film where
the school has set no other."""
ENSEMBLE_SECONDS = 1.0
"""All detectors search at least this often, and every frame that comes ``APART_SECONDS`` or later
after the one before. Text is read in the same frames."""
ANY_ANGLE_SECONDS = 4.0
"""They search at every angle at least this often, and at the beginning of each scene."""
MIN_ANY_ANGLE_SECONDS = 0.5
"""They do not search at every angle more often, as flashes of light look like cuts."""
SLOW_SECONDS = MAX_GAP_SECONDS
"""A frame that comes later than this after the one before is searched at every angle, as a photo
is: no face is followed into it. An animated picture may show one photo after another."""


@dataclass(frozen=True, eq=False)
class SearchedFrame:
    """A frame with what was found in it."""

    frame: JudgedFrame
    cut: bool
    """Whether a scene begins with it."""
    by_scout: tuple[Detection, ...]
    """In pixels of the judged frame."""
    by_ensemble: tuple[FoundFace, ...] | None = None
    """What all detectors found; None if they did not search this frame."""
    turned: tuple[Detection, ...] = ()
    """What the scout found at other angles, in pixels of the judged frame."""


class FrameSearch:
    """Searches the frames of one film."""

    def __init__(self, scout: Detector, finder: FaceFinder, *, turns: bool) -> None:
        """Keep the models.

        Args:
            scout: Searches every frame.
            finder: The ensemble of photos.
            turns: Whether the scout also searches at other angles.
        """
        self._known = 0
        self._turned = TurnedSearch(finder.scout) if turns else None
        self._scout = scout
        self._finder = finder.turning_at_most(ANY_ANGLE_SIDE)
        self._upright = finder.upright_only()
        self._scenes = SceneWatch()
        self._last_ensemble = self._last_any_angle = self._last_frame = float("-inf")
        self.ensemble_frames = 0
        """Frames that all detectors have searched, or had searched before the film went on."""

    @property
    def scenes(self) -> int:
        """How many scenes have begun."""
        return self._scenes.count

    def frames(self, reader: FrameReader, known: int = 0) -> Generator[SearchedFrame]:
        """Yield the frames in the order of time. Close the iterator, or read it to its end.

        Args:
            reader: The film.
            known: So many frames at its beginning are not searched, as what they show is known.

        Raises:
            DecodeError: The film cannot be decoded completely.
        """
        self._known = known
        return ahead(self._by_ensemble(reader))

    def _by_scout(self, reader: FrameReader) -> Iterator[tuple[SearchedFrame, SmallFrame]]:
        for frame in reader.frames():
            small, factor = resized(frame.rgb, SCOUT_SIDE)
            is_known = frame.number < self._known
            detected = () if is_known else self._scout.detect(small)
            found = [scaled(one, factor) for one in detected]
            by_scout = tuple(one for one in found if one.score >= SCOUT_FROM)
            searched = SearchedFrame(frame, self._scenes.begins(small), by_scout)
            yield searched, SmallFrame(small, factor)

    def _by_ensemble(self, reader: FrameReader) -> Iterator[SearchedFrame]:
        with closing(ahead(self._by_scout(reader))) as searched:
            for one, small in searched:
                found = self._search(one.frame, cut=one.cut)
                by_ensemble = None if found is None else tuple(found)
                turned = tuple(self._find_turned(one.frame, small))
                yield replace(one, by_ensemble=by_ensemble, turned=turned)

    def _find_turned(self, frame: JudgedFrame, small: SmallFrame) -> list[Detection]:
        """What the scout finds at other angles; nothing where all detectors searched at them."""
        if self._turned is None:
            return []
        if self._last_any_angle == frame.time:
            self._turned.note_searched(small, frame.time)
            return []
        is_known = frame.number < self._known
        return self._turned.find(small, frame.time, is_known=is_known)

    def _search(self, frame: JudgedFrame, *, cut: bool) -> list[FoundFace] | None:
        """Return what all detectors find; None if they do not search this frame."""
        since_any_angle = frame.time - self._last_any_angle
        since_last = frame.time - self._last_frame
        is_slow, is_apart = since_last > SLOW_SECONDS, since_last >= APART_SECONDS
        self._last_frame = frame.time
        if is_slow or since_any_angle >= (MIN_ANY_ANGLE_SECONDS if cut else ANY_ANGLE_SECONDS):
            self._last_any_angle = self._last_ensemble = frame.time
            return self._found_by(self._finder, frame)
        if cut or is_apart or frame.time - self._last_ensemble >= ENSEMBLE_SECONDS:
            self._last_ensemble = frame.time
            return self._found_by(self._upright, frame)
        return None

    def _found_by(self, finder: FaceFinder, frame: JudgedFrame) -> list[FoundFace] | None:
        self.ensemble_frames += 1
        return None if frame.number < self._known else finder.find(frame.rgb)
