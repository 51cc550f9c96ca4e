"""Work out between which times a film may show a face: longer than it was found.

A face is smeared, turned away or half outside the frame before it is found first, and after it is
found last. Where staff cut a film, none of these frames may stay.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence

from ingest.film.search import ANY_ANGLE_SECONDS

MARGIN_SECONDS = 0.2
"""How long before and after a face may be there without being found, within its scene."""
UNFOLLOWED_SECONDS = ANY_ANGLE_SECONDS
"""The same for a face that the scout never saw clearly: all detectors search at every angle so
seldom."""
BEYOND_SECONDS = 1.0
"""Where there is no frame before or after, the span reaches so far beyond the film."""


def maybe_shown(
    times: Sequence[float],
    scene_starts: Sequence[float],
    found: tuple[float, float],
    *,
    is_followed: bool,
) -> tuple[float, float]:
    """Return the times between which frames may show a face.

    Args:
        times: When each judged frame is shown, in seconds and in order.
        scene_starts: Times of the first frames of all scenes.
        found: Times of the first and the last frame in which the face was found.
        is_followed: Whether the detector that searches every frame has seen the face clearly.

    Returns:
        The times of the judged frame before and of the one after, or earlier and later ones.
    """
    begin, end = found
    at, behind = bisect_left(times, begin), bisect_right(times, end)
    before = times[at - 1] if at > 0 else begin - BEYOND_SECONDS
    after = times[behind] if behind < len(times) else end + BEYOND_SECONDS
    if not is_followed:
        return min(before, begin - UNFOLLOWED_SECONDS), max(after, end + UNFOLLOWED_SECONDS)
    scene = bisect_right(scene_starts, begin)
    opened = scene_starts[scene - 1] if scene > 0 else begin
    closing = bisect_right(scene_starts, end)
    closed = scene_starts[closing] if closing < len(scene_starts) else end + BEYOND_SECONDS
    first = min(before, max(begin - MARGIN_SECONDS, opened))
    return first, max(after, min(end + MARGIN_SECONDS, closed))
