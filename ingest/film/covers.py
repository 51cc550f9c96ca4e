"""Where a film covers a head: in every frame of a track, and some frames before and after it.

A face moves between the frames in which it was found, is lost for some of them, and is not found
yet when it comes in. So a cover is larger than the head: it holds the heads of the moments before
and after, and goes on where the face was going. A head turns while the film runs, so each is taken
for a turned one. The functions depend on their arguments only.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from consent_gate.model import Shown
from publish.rendering.heads import margins_of

Place = tuple[float, float, float, float]
"""x, y, width and height in pixels of the upright original."""

AROUND_SECONDS = 0.1
"""A cover holds the places of the face so long before and after each moment."""
BEFORE_AND_AFTER_SECONDS = 0.5
"""A head is covered so long before its first and after its last frame, within its scene."""
BEYOND_SCENE_SECONDS = 0.12
"""The same where the scene ends: a flash of light is taken for a cut."""
BRIDGED_SECONDS = 2.0
"""Two covered tracks of one scene are joined across a gap of at most so long."""
BRIDGED_HEADS = 2.0
"""Their middles are then at most so many heads apart."""
EDGE = 0.1
"""Share of a face's longer side by which each cover is larger than the head, on each side."""


@dataclass(frozen=True)
class _Point:
    time: float
    place: Place


class Covers:
    """Says which places of each frame are covered."""

    def __init__(self, tracks: Iterable[Shown], scene_starts: Sequence[float]) -> None:
        """Keep the tracks.

        Args:
            tracks: The faces that are covered.
            scene_starts: Seconds at which each scene of the film begins, in order.
        """
        self._scenes = tuple(scene_starts)
        paths = [[_Point(p[0], p[1:]) for p in track.path] for track in tracks]
        self._paths = [path for path in paths if path]
        self._paths += self._bridges()

    def at(self, time: float) -> tuple[Place, ...]:
        """Return the places that are covered at a time: whole heads, with an edge."""
        found = (self._place(path, time) for path in self._paths)
        return tuple(place for place in found if place is not None)

    def _place(self, path: Sequence[_Point], time: float) -> Place | None:
        begin, end = path[0].time, path[-1].time
        if time < begin:
            if begin - time > self._reach(time, begin):
                return None
        elif time > end and time - end > self._reach(end, time):
            return None
        earlier, later = time - AROUND_SECONDS, time + AROUND_SECONDS
        near = [_at(path, moment) for moment in (earlier, time, later)]
        near += _neighbours(path, earlier, later)
        if not begin <= time <= end:
            near.append(_gone_on(path, time))
        return _hull([_head(place) for place in near])

    def _reach(self, earlier: float, later: float) -> float:
        """How long a cover goes on between a track and a moment."""
        return BEYOND_SCENE_SECONDS if self._is_cut(earlier, later) else BEFORE_AND_AFTER_SECONDS

    def _is_cut(self, earlier: float, later: float) -> bool:
        """Whether a scene begins after the one time, and not after the other."""
        return bisect_right(self._scenes, earlier) < bisect_right(self._scenes, later)

    def _bridges(self) -> list[list[_Point]]:
        """Paths from the end of one track to the beginning of another that may be the same head."""
        bridges = []
        for one in self._paths:
            for other in self._paths:
                end, begin = one[-1], other[0]
                if not 0 < begin.time - end.time <= BRIDGED_SECONDS:
                    continue
                if not self._is_cut(end.time, begin.time) and _is_near(end.place, begin.place):
                    bridges.append([end, begin])
        return bridges


def _at(path: Sequence[_Point], time: float) -> Place:
    """The place at a time, on a line between two points; beyond the path that of its end."""
    times = [point.time for point in path]
    behind = bisect_left(times, time)
    if behind == 0:
        return path[0].place
    if behind == len(path):
        return path[-1].place
    a, b = path[behind - 1], path[behind]
    share = (time - a.time) / (b.time - a.time)
    x, y, width, height = (p + share * (q - p) for p, q in zip(a.place, b.place, strict=True))
    return x, y, width, height


def _neighbours(path: Sequence[_Point], earlier: float, later: float) -> list[Place]:
    """The places of all points between two times, and of the next one on either side.

    Between two points the face may have moved on no line, above all where it was lost.
    """
    times = [point.time for point in path]
    first = max(0, bisect_left(times, earlier) - 1)
    return [point.place for point in path[first : bisect_right(times, later) + 1]]


def _gone_on(path: Sequence[_Point], time: float) -> Place:
    """Where a face would be that went on as it moved at that end of its path."""
    nearest = path[0] if time < path[0].time else path[-1]
    inside = [p for p in path if 0 < abs(p.time - nearest.time) <= 3 * AROUND_SECONDS]
    if not inside:
        return nearest.place
    other = max(inside, key=lambda point: abs(point.time - nearest.time))
    share = (time - nearest.time) / (nearest.time - other.time)
    x, y = (n + share * (n - o) for n, o in zip(nearest.place[:2], other.place[:2], strict=True))
    return x, y, nearest.place[2], nearest.place[3]


def _hull(places: Sequence[Place]) -> Place:
    left, top = min(p[0] for p in places), min(p[1] for p in places)
    right, bottom = max(p[0] + p[2] for p in places), max(p[1] + p[3] for p in places)
    return left, top, right - left, bottom - top


def _head(face: Place) -> Place:
    """The whole head around a face, with an edge."""
    x, y, width, height = face
    edge = EDGE * max(width, height)
    beside, above, below = (margin + edge for margin in margins_of(width, height))
    return x - beside, y - above, width + 2 * beside, height + above + below


def _is_near(a: Place, b: Place) -> bool:
    size = max(*a[2:], *b[2:])
    across = abs(a[0] + a[2] / 2 - b[0] - b[2] / 2)
    down = abs(a[1] + a[3] / 2 - b[1] - b[3] / 2)
    return max(across, down) <= BRIDGED_HEADS * size
