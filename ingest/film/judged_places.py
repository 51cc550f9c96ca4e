"""Say whether a face of a finished film was judged, and list those that were not, as tracks.

Staff can answer only for a face that they see. So a new face becomes a possible track of the
original, with its times there: staff look at that moment of the film, and say what it is. When the
film is made again, the same face is at the same moment and place, and was judged.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

from consent_gate.model import Box, Shown
from ingest.faces.resolve import clipped
from ingest.film.presence import UNFOLLOWED_SECONDS
from ingest.film.record import path_entry
from ingest.film.tracks import PathPoint, Place, Sighting, Track, TrackLinker, place_at

NEAR_SECONDS = 0.1
"""How far from the moments of a track its face may be found once more."""
MOST_TRACKS = 50
"""New faces that are listed. Where there are more, they are listed when the film is made again."""

Point = tuple[float, float]


class JudgedPlaces:
    """When and where the faces are that were judged, in pixels of the upright original."""

    def __init__(self, tracks: Sequence[Shown]) -> None:
        self._tracks = [(_path(track), track.maybe_s) for track in tracks if track.path]

    def at(self, time: float, seconds: float = NEAR_SECONDS) -> list[Place]:
        """Return the places of the judged faces near this moment of the original."""
        return [place for path, _ in self._tracks if (place := _place(path, time, seconds))]

    def has_face(self, time: float, middle: Point) -> bool:
        """Return whether a face that is found here was judged."""
        return any(_is_around(place, middle) for place in self.at(time))

    def has_possible(self, time: float, middle: Point) -> bool:
        """Return whether a possible face that is found here was judged.

        All detectors search only some frames, and others in the finished film than in the
        original. So a track is known as long as it may be shown.
        """
        for path, maybe in self._tracks:
            first, last = maybe or (path[0].time, path[-1].time)
            longer = max(path[0].time - first, last - path[-1].time, NEAR_SECONDS)
            place = _place(path, time, longer) if first <= time <= last else None
            if place is not None and _is_around(place, middle):
                return True
        return self.has_face(time, middle)


class NewFaces:
    """Faces of a finished film that nobody judged, linked to tracks."""

    def __init__(self, scene_starts: Sequence[float], back: float, size: tuple[int, int]) -> None:
        """Begin without a face.

        Args:
            scene_starts: Seconds at which each scene of the original begins.
            back: Width of the upright original, divided by that of the finished film.
            size: Width and height of the upright original in pixels.
        """
        self._scene_starts, self._back, self._size = scene_starts, back, size
        self._linker = TrackLinker()
        self._tracks: list[Track] = []
        self._scene = -1

    def add(self, time: float, faces: Sequence[Sighting]) -> None:
        """Add the new faces of the next frame, in its own pixels. ``time`` is of the original."""
        if not faces:
            return
        scene = bisect_right(self._scene_starts, time)
        step = self._linker.step(time, faces, cut=scene != self._scene)
        self._scene = scene
        known = {id(track) for track in self._tracks}
        self._tracks += [track for track, _ in step.seen if id(track) not in known]

    def tracks(self) -> tuple[Shown, ...]:
        """Return the first ``MOST_TRACKS`` faces, in the order of time."""
        shown = []
        for track in self._tracks[:MOST_TRACKS]:
            first, last = round(track.first_time, 3), round(track.last_time, 3)
            path = tuple(path_entry(point.time, self._box(point.place)) for point in track.path)
            around = (first - UNFOLLOWED_SECONDS, last + UNFOLLOWED_SECONDS)
            shown.append(Shown(first, last, first, path, around))
        return tuple(shown)

    def _box(self, place: Place) -> Box:
        return clipped([value * self._back for value in place], *self._size) or Box(0, 0, 1, 1)


def _path(track: Shown) -> list[PathPoint]:
    return [PathPoint(time, (x, y, width, height)) for time, x, y, width, height in track.path]


def _place(path: Sequence[PathPoint], time: float, seconds: float) -> Place | None:
    """Where a track is at a moment, or so many seconds before its first or after its last place."""
    if not path[0].time - seconds <= time <= path[-1].time + seconds:
        return None
    return place_at(path, min(max(time, path[0].time), path[-1].time))


def _is_around(place: Place, point: Point) -> bool:
    """Whether a point lies in a box, or half a box around it."""
    (left, top, width, height), (x, y) = place, point
    return (
        left - width / 2 <= x <= left + 1.5 * width and top - height / 2 <= y <= top + 1.5 * height
    )
