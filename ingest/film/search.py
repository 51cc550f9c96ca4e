"""Search the frames of a film for faces, in threads that work ahead of the tracks.

One thread decodes each frame and searches it with the scout. A second one searches some frames with
all detectors. The models are shared: a detector keeps no state between two calls.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace

import numpy as np

from ingest.faces.finder import FaceFinder
from ingest.faces.protocols import RGB, Detection, Detector, FoundFace
from ingest.film.ahead import ahead
from ingest.film.frames import FrameReader, JudgedFrame
from ingest.film.scenes import SceneWatch, Thumbnail, thumbnail_of
from ingest.film.sightings import resized, scaled
from ingest.film.tracks import APART_SECONDS, MAX_GAP_SECONDS
from ingest.film.turned import SmallFrame, TurnedSearch, each_once
from ingest.film.upright import UprightLook

SCOUT_SIDE = 960
"""Long side in pixels of the frame as the scout sees it."""
SCOUT_FROM = 0.3
"""Score of the scout from which a place is followed."""
ANY_ANGLE_SIDE = 1280
"""Long side in pixels of the frame that is searched at every angle: that of a published film where
the school has set no other."""
ENSEMBLE_SECONDS = 1.0
"""All detectors search at least this often, and every frame that comes ``APART_SECONDS`` or later
after the one before, or stays for so long. Text is read in the same frames."""
ANY_ANGLE_SECONDS = 4.0
"""They search at every angle at least this often, and at the beginning of each scene."""
MIN_ANY_ANGLE_SECONDS = 0.5
"""They do not search at every angle more often, as flashes of light look like cuts."""
SLOW_SECONDS = MAX_GAP_SECONDS
"""A frame that comes later than this after the one before, or stays for longer, is searched at
every angle, as a photo is: no face is followed into it, and it is seen as a photo is. A film of
slides and an animated picture may show one photo after another."""
POSTER_FROM = 1.0
"""The poster of a film is its first frame from this second on, or from a third of a short film."""


@dataclass(frozen=True, eq=False)
class SearchedFrame:
    """A frame with what was found in it."""

    frame: JudgedFrame
    cut: bool
    """Whether a scene begins with it."""
    thumbnail: Thumbnail
    by_scout: tuple[Detection, ...]
    """In pixels of the judged frame."""
    by_ensemble: tuple[FoundFace, ...] | None = None
    """What all detectors found; None if they did not search this frame."""
    unverified: tuple[Detection, ...] = ()
    """What the scout found at other angles and a surer detector upright, in pixels of the judged
    frame. All detectors verify it later."""


class FrameSearch:
    """Searches the frames of one film."""

    def __init__(
        self,
        scout: Detector,
        finder: FaceFinder,
        *,
        turns: bool,
        poster_at: float | None = None,
    ) -> None:
        """Keep the models.

        Args:
            scout: Searches every frame.
            finder: The ensemble of photos.
            turns: Whether frames are also searched at other angles, and by a surer detector, where
                they have changed.
            poster_at: Second from which the next frame is the poster, which is searched at every
                angle as the picture that it is; None where the film's length says it.
        """
        self._known = 0
        self._poster_at = poster_at
        self._turned = TurnedSearch(finder.scout) if turns else None
        self._upright_look = UprightLook(finder.quick_detector) if turns else None
        self._scout = scout
        self._finder = finder.turning_at_most(ANY_ANGLE_SIDE)
        self._upright = finder.upright_only()
        self._scenes = SceneWatch()
        self._last_ensemble = self._last_any_angle = self._last_frame = float("-inf")
        self._found: dict[FaceFinder, tuple[RGB, list[FoundFace]]] = {}
        """The frame that each finder searched last, and what it found."""
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
        if self._poster_at is None:
            self._poster_at = poster_from(reader.facts.stated_seconds)
        return ahead(self._by_ensemble(reader))

    def _by_scout(self, reader: FrameReader) -> Iterator[tuple[SearchedFrame, SmallFrame]]:
        before: tuple[RGB, list[Detection]] | None = None
        for frame in reader.frames():
            small, factor = resized(frame.rgb, SCOUT_SIDE)
            if frame.number < self._known:
                detected: list[Detection] = []
            elif before is not None and np.array_equal(before[0], small):
                detected = before[1]  # a film of a screen repeats its pictures
            else:
                detected = self._scout.detect(small)
                before = small, detected
            found = [scaled(one, factor) for one in detected]
            by_scout = tuple(one for one in found if one.score >= SCOUT_FROM)
            thumbnail = thumbnail_of(small)
            cut = self._scenes.begins(thumbnail)
            searched = SearchedFrame(frame, cut, thumbnail, by_scout)
            yield searched, SmallFrame(small, factor)

    def _by_ensemble(self, reader: FrameReader) -> Iterator[SearchedFrame]:
        with closing(ahead(self._by_scout(reader))) as searched:
            for (one, small), stays in _with_stay(searched):
                found = self._search(one.frame, stays, cut=one.cut)
                by_ensemble = None if found is None else tuple(found)
                others = self._find_turned(one.frame, small)
                others += self._look(one.frame, small, is_searched=found is not None)
                yield replace(one, by_ensemble=by_ensemble, unverified=tuple(each_once(others)))

    def _find_turned(self, frame: JudgedFrame, small: SmallFrame) -> list[Detection]:
        """What the scout finds at other angles; nothing where all detectors searched at them."""
        if self._turned is None:
            return []
        if self._last_any_angle == frame.time:
            self._turned.note_searched(small, frame.time)
            return []
        is_known = frame.number < self._known
        return self._turned.find(small, frame.time, is_known=is_known)

    def _look(self, frame: JudgedFrame, small: SmallFrame, *, is_searched: bool) -> list[Detection]:
        """What a surer detector finds upright; nothing where all detectors searched."""
        if self._upright_look is None:
            return []
        if is_searched:
            self._upright_look.note_searched(frame.rgb, small.rgb, frame.time)
            return []
        is_known = frame.number < self._known
        return self._upright_look.find(frame.rgb, small.rgb, frame.time, is_known=is_known)

    def _search(self, frame: JudgedFrame, stays: float, *, cut: bool) -> list[FoundFace] | None:
        """Return what all detectors find; None if they do not search this frame.

        ``stays`` has the seconds until the next frame.
        """
        since_any_angle = frame.time - self._last_any_angle
        alone = max(frame.time - self._last_frame, stays)
        self._last_frame = frame.time
        is_due = since_any_angle >= (MIN_ANY_ANGLE_SECONDS if cut else ANY_ANGLE_SECONDS)
        if alone > SLOW_SECONDS or is_due or self._is_poster(frame.time):
            self._last_any_angle = self._last_ensemble = frame.time
            return self._found_by(self._finder, frame)
        since_ensemble = frame.time - self._last_ensemble
        if cut or alone >= APART_SECONDS or since_ensemble >= ENSEMBLE_SECONDS:
            self._last_ensemble = frame.time
            return self._found_by(self._upright, frame)
        return None

    def _is_poster(self, time: float) -> bool:
        """Whether this frame, and none before, comes so late that it is the poster."""
        if self._poster_at is None or time < self._poster_at:
            return False
        self._poster_at = None
        return True

    def _found_by(self, finder: FaceFinder, frame: JudgedFrame) -> list[FoundFace] | None:
        self.ensemble_frames += 1
        if frame.number < self._known:
            return None
        before = self._found.get(finder)
        if before is not None and np.array_equal(before[0], frame.rgb):
            return before[1]  # as ``_by_scout``
        found = finder.find(frame.rgb)
        self._found[finder] = frame.rgb, found
        return found


def poster_from(seconds: float) -> float:
    """Second from which the next frame of a film of so many seconds is its poster."""
    return min(POSTER_FROM, seconds / 3)


def _with_stay(
    searched: Iterable[tuple[SearchedFrame, SmallFrame]],
) -> Iterator[tuple[tuple[SearchedFrame, SmallFrame], float]]:
    """Each frame with the seconds until the next one. A player goes on showing the last one."""
    before: tuple[SearchedFrame, SmallFrame] | None = None
    for one in searched:
        if before is not None:
            yield before, one[0].frame.time - before[0].frame.time
        before = one
    if before is not None:
        yield before, float("inf")
