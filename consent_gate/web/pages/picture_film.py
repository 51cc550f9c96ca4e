"""View model of a film on the review page: the strip of its faces and their timeline."""

from __future__ import annotations

from dataclasses import dataclass

from consent_gate.film.spans import Spans, whole_film
from consent_gate.model import Examined, FilmEdit
from consent_gate.web.pages.picture_faces import FaceView
from ingest.film.staff_view import COLUMNS, TILE

TIMELINE_WIDTH = 1000
"""Units of the timeline's view box for the whole film."""
BAR_HEIGHT = 14
"""Height of one row in the same units."""
MAX_ROWS = 8
SHORTEST_BAR = 8.0


@dataclass(frozen=True)
class TimelineBar:
    """One face on the timeline, in units of its view box."""

    face: FaceView
    x: float
    y: float
    width: float


@dataclass(frozen=True)
class FilmView:
    """A film that staff can see."""

    bars: tuple[TimelineBar, ...]
    strip_width: int
    """Of the strip of faces, in pixels."""
    strip_height: int
    seconds: float
    kept: Spans
    """The parts that stay."""
    is_cut: bool

    @property
    def timeline_height(self) -> float:
        """Height of the timeline in units of its view box."""
        return BAR_HEIGHT + max((bar.y for bar in self.bars), default=0.0)


def film_view(
    picture: Examined, edit: FilmEdit | None, faces: tuple[FaceView, ...]
) -> FilmView | None:
    """Build the timeline and the strip; None for a photo, and if staff cannot see the film.

    Args:
        picture: What was examined.
        edit: How staff cut the film; None if they did not.
        faces: All faces, in the order of time.
    """
    film = picture.film
    if film is None or not film.is_viewable:
        return None
    unit = TIMELINE_WIDTH / max(film.seconds, 0.1)
    bars, ends = [], [0.0] * MAX_ROWS
    for face in faces:
        if face.shown is None:
            continue
        start, end = face.shown.from_s, face.shown.to_s
        row = next((row for row in range(MAX_ROWS) if ends[row] <= start), ends.index(min(ends)))
        ends[row] = end
        width = max(unit * (end - start), SHORTEST_BAR)
        x = min(unit * start, TIMELINE_WIDTH - width)
        bars.append(TimelineBar(face, round(x, 1), row * BAR_HEIGHT, round(width, 1)))
    # A face that only the finished film showed has no picture in the strip.
    tiles = sum(not face.in_rendition for face in picture.faces)
    rows = max(1, -(-tiles // COLUMNS))
    kept = edit.kept if edit is not None else whole_film(film.seconds)
    size = COLUMNS * TILE, rows * TILE
    return FilmView(tuple(bars), *size, film.seconds, kept, edit is not None)
