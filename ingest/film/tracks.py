"""Link the faces of single frames to tracks: one face, followed within one scene.

A track must never contain the faces of two people. So a face is linked only to a face of a few
frames before that is at nearly the same place and looks nearly the same, and never across a cut. If
the link is in doubt, a new track begins, which is examined as a face of its own. The functions use
no models, no files and no clock.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from consent_gate.model import FaceKind
from ingest.faces.protocols import Landmarks

Place = tuple[float, float, float, float]
"""x, y, width, height in pixels of the judged frame."""

Patch = NDArray[np.float32]
"""What a face looks like, for comparison with the next frame: shape (PATCH_SIDE, PATCH_SIDE), mean
0, length 1; all zeros for a face of one colour."""

PATCH_SIDE = 16

MIN_OVERLAP = 0.35
"""Intersection over union from which faces of two neighbouring frames may be one. A person who is
seen beside another face has less: the boxes of two faces that are both visible share a fifth."""
MIN_LIKENESS = 0.4
"""Correlation of the patches from which they may be one."""
SAME_LIKENESS = 0.8
"""Correlation below which a new part of the track begins, which is embedded by itself."""
SUDDEN = 5.0
"""A smaller change begins a new part too, if it is so many times the usual change of the track:
somebody who looks alike may be there for a frame. Nobody's face changes so between two frames."""
MIN_SUDDEN = 0.1
"""The smallest change, 1 less the correlation, that is ever sudden."""
USUAL_AT_FIRST = 0.03
"""The usual change of a track of which nothing is known yet."""
USUAL_SHARE = 0.2
"""Weight of the newest change in the usual one."""
MAX_GAP_SECONDS = 0.25
"""How long a face may be unseen by the scout and still be the same track."""
MAX_ENSEMBLE_GAP_SECONDS = 1.3
"""The same for a face that only the ensemble sees, which looks once a second."""
PART_SECONDS = 1.0
"""The longest part of a track. One frame or more of each part is embedded, if good enough."""
APART_SECONDS = 0.075
"""A face that is seen so long after its last frame begins a new part. An animated picture may show
one child after another at the same place; a film has no time for that between two frames."""
PATH_SECONDS = 0.5
"""The path of a track has a box at least this often."""
PATH_SHIFT = 0.15
"""Share of the box's height by which a box moves before the path has a new one."""


@dataclass(frozen=True, eq=False)
class Sighting:
    """One face in one judged frame."""

    place: Place
    score: float
    """Of the detector that gave the box, 0-1."""
    landmarks: Landmarks
    patch: Patch
    by_ensemble: bool
    """Whether the ensemble gave it; otherwise the scout alone."""
    seen_by_scout: bool = True
    cut_off: bool = False
    """Whether the edge of the frame cuts the face. It cannot be compared then."""
    kind: FaceKind | None = None
    """What the ensemble said; None where only the scout saw it."""
    scout_score: float | None = None
    """The scout's own score; None where it is ``score``."""
    unverified: Place | None = None
    """The face as a quick detector found it besides, if surer there; so are the landmarks."""


@dataclass(frozen=True)
class PathPoint:
    """Where a track is at one moment."""

    time: float
    place: Place


@dataclass(eq=False)
class Track:
    """One face, followed through the frames of one scene."""

    first_time: float
    last_time: float
    last: Sighting
    frames: int = 0
    """In how many judged frames it was seen."""
    only_ensemble: bool = True
    best_scout_score: float = 0.0
    kind: FaceKind | None = None
    part: int = 0
    """Number of the present part."""
    part_since: float = 0.0
    usual_change: float = USUAL_AT_FIRST
    """How unlike two neighbouring frames of it are: 1 less their correlation."""
    path: list[PathPoint] = field(default_factory=list)


@dataclass(frozen=True, eq=False)
class Step:
    """How one frame changed the tracks."""

    seen: tuple[tuple[Track, Sighting], ...]
    """The track of each sighting, in the order of the sightings."""
    ended: tuple[Track, ...]


class TrackLinker:
    """Links sightings, frame by frame, in the order of time."""

    def __init__(self) -> None:
        self._live: list[Track] = []

    def step(self, time: float, sightings: Sequence[Sighting], *, cut: bool) -> Step:
        """Link the sightings of the next frame.

        Args:
            time: Seconds, larger than at the step before.
            sightings: The faces of this frame, each once.
            cut: Whether a new scene begins with this frame. Then no track goes on.
        """
        ended = list(self._live) if cut else [t for t in self._live if _is_lost(t, time)]
        self._live = [track for track in self._live if track not in ended]
        linked = links(self._live, sightings)
        seen = []
        for index, sighting in enumerate(sightings):
            track = linked.get(index)
            if track is None:
                track = Track(time, time, sighting, part_since=time)
                self._live.append(track)
            _extend(track, time, sighting)
            seen.append((track, sighting))
        return Step(tuple(seen), tuple(ended))

    def live_at(self, time: float) -> tuple[Track, ...]:
        """Return the tracks that a frame at this time may continue, if no scene begins there."""
        return tuple(track for track in self._live if not _is_lost(track, time))

    def finish(self) -> tuple[Track, ...]:
        """End all tracks, after the last frame or where they are cut."""
        ended, self._live = tuple(self._live), []
        return ended

    def __len__(self) -> int:
        """Return the number of tracks that have not ended."""
        return len(self._live)


def links(tracks: Sequence[Track], sightings: Sequence[Sighting]) -> dict[int, Track]:
    """Return the track that each sighting continues, by the index of the sighting.

    A track gets at most one sighting, and a sighting at most one track.
    """
    pairs = [
        (shared, index, track)
        for index, sighting in enumerate(sightings)
        for track in tracks
        if (shared := overlap(sighting.place, track.last.place)) >= MIN_OVERLAP
        and _may_be_one(sighting, track.last)
    ]
    pairs.sort(key=lambda pair: -pair[0])
    chosen: dict[int, Track] = {}
    taken: set[int] = set()
    for _, index, track in pairs:
        if index not in chosen and id(track) not in taken:
            chosen[index] = track
            taken.add(id(track))
    return chosen


def _may_be_one(a: Sighting, b: Sighting) -> bool:
    """Whether two sightings look alike. More or less of a face at the edge always looks unlike, so
    a new part of the track begins there, which is embedded by itself."""
    return a.cut_off or b.cut_off or likeness(a.patch, b.patch) >= MIN_LIKENESS


def overlap(a: Place, b: Place) -> float:
    """Intersection over union of two boxes; 0 for empty ones."""
    across = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    down = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    shared = max(across, 0.0) * max(down, 0.0)
    whole = a[2] * a[3] + b[2] * b[3] - shared
    return shared / whole if whole > 0 else 0.0


def likeness(a: Patch, b: Patch) -> float:
    """Correlation of two patches, -1 to 1; 1 where one has a single colour and says nothing."""
    if not a.any() or not b.any():
        return 1.0
    return float((a * b).sum())


def place_at(path: Sequence[PathPoint], time: float) -> Place | None:
    """Return the place of a face at a time, interpolated between the points of its path.

    Returns:
        The place in pixels of the judged frame. None if the path has no such time.
    """
    if not path or not path[0].time <= time <= path[-1].time:
        return None
    after = next(i for i, point in enumerate(path) if point.time >= time)
    if path[after].time == time or after == 0:
        return path[after].place
    a, b = path[after - 1], path[after]
    share = (time - a.time) / (b.time - a.time)
    return _between(a.place, b.place, share)


def path_between(path: Sequence[PathPoint], begin: float, end: float) -> list[PathPoint]:
    """Return the points of a path from one time to another, and the next one on either side."""
    before = sum(point.time <= begin for point in path)
    until = sum(point.time < end for point in path)
    return list(path[max(before - 1, 0) : until + 1])


def _is_lost(track: Track, time: float) -> bool:
    gap = MAX_ENSEMBLE_GAP_SECONDS if track.only_ensemble else MAX_GAP_SECONDS
    return time - track.last_time > gap


def _extend(track: Track, time: float, sighting: Sighting) -> None:
    is_new = track.frames == 0
    changes = not is_new and _changes(track, 1 - likeness(sighting.patch, track.last.patch))
    is_apart = time - track.last_time >= APART_SECONDS
    if changes or is_apart or time - track.part_since >= PART_SECONDS:
        track.part, track.part_since = track.part + 1, time
    _add_to_path(track, time, sighting.place)
    track.last_time, track.last = time, sighting
    track.frames += 1
    track.only_ensemble = track.only_ensemble and not sighting.seen_by_scout
    if sighting.seen_by_scout:
        own = sighting.score if sighting.scout_score is None else sighting.scout_score
        track.best_scout_score = max(track.best_scout_score, own)
    track.kind = surer_kind(track.kind, sighting.kind)


def _changes(track: Track, change: float) -> bool:
    """Whether somebody else may be shown from this frame on. Learns what is usual in the track."""
    usual = track.usual_change
    # One sudden change must not hide the next one, and a face that begins to move becomes usual.
    step = min(change, 1.5 * usual + MIN_SUDDEN / 12) - usual
    track.usual_change = usual + USUAL_SHARE * step
    return change > 1 - SAME_LIKENESS or change >= max(MIN_SUDDEN, SUDDEN * usual)


def surer_kind(a: FaceKind | None, b: FaceKind | None) -> FaceKind | None:
    """Return the more certain of two kinds: a face before a possible face before None."""
    if FaceKind.FACE in (a, b):
        return FaceKind.FACE
    return a or b


def _add_to_path(track: Track, time: float, place: Place) -> None:
    """Add a point where the last one is old or far; the last point is always the last place."""
    path = track.path
    if len(path) >= 2 and all(_is_near(path[-2], time, one) for one in (path[-1].place, place)):
        path[-1] = PathPoint(time, place)
    else:
        path.append(PathPoint(time, place))


def _is_near(before: PathPoint, time: float, place: Place) -> bool:
    """Whether a line from ``before`` to this place stays close to what lies between."""
    moved = max(abs(p - q) for p, q in zip(before.place, place, strict=True))
    return time - before.time < PATH_SECONDS and moved < PATH_SHIFT * before.place[3]


def _between(a: Place, b: Place, share: float) -> Place:
    x, y, width, height = (p + share * (q - p) for p, q in zip(a, b, strict=True))
    return x, y, width, height
