"""View model of the cuts of a film: what is published now, and what a marked part would change."""

from __future__ import annotations

from dataclasses import dataclass

from consent_gate.film.spans import (
    Spans,
    is_cut_away,
    long_enough_spans,
    removed_spans,
    spans_within,
    spans_without,
    total_ms,
    whole_film,
)
from consent_gate.model import FilmSpan
from consent_gate.web.pages.labels import film_time
from consent_gate.web.pages.picture import PictureView
from consent_gate.web.pages.picture_film import TIMELINE_WIDTH, FilmView


@dataclass(frozen=True)
class SpanBar:
    """A part of the film on the timeline, in units of its view box."""

    x: float
    width: float


@dataclass(frozen=True)
class CutOption:
    """What one of the two buttons would do with the marked part."""

    title: str
    parts: str
    """The parts that would be published; empty if nothing would be left."""
    gone: tuple[int, ...]
    """Numbers of the faces that would be cut away."""
    partly: tuple[int, ...]
    """Numbers of the faces that are shown in what is cut, and stay in what is published."""


@dataclass(frozen=True)
class CutPreview:
    """The cuts of a film on its page."""

    kept: tuple[SpanBar, ...]
    parts: str
    from_text: str
    to_text: str
    marked: SpanBar | None
    options: tuple[CutOption, ...]


def cut_preview(view: PictureView, from_ms: int | None, to_ms: int | None) -> CutPreview | None:
    """Return what the page says about cuts; None for a photo, and if staff cannot see the film.

    Args:
        view: The page.
        from_ms: Beginning of the marked part, in milliseconds; None if nothing is marked.
        to_ms: Its end.
    """
    film = view.film
    if film is None:
        return None
    start = 0 if from_ms is None else from_ms
    end = whole_film(film.seconds)[0].to_ms if to_ms is None else to_ms
    is_marked = (from_ms is not None or to_ms is not None) and start < end
    options = (
        _option(view, film, "Keep only this part", spans_within(film.kept, start, end)),
        _option(view, film, "Cut this part out", spans_without(film.kept, start, end)),
    )
    return CutPreview(
        kept=tuple(_bar(film, span) for span in film.kept),
        parts=_parts(film.kept),
        from_text=_text(start),
        to_text=_text(end),
        marked=_bar(film, FilmSpan(start, end)) if is_marked else None,
        options=options if is_marked else (),
    )


def _option(view: PictureView, film: FilmView, title: str, spans: Spans) -> CutOption:
    left = long_enough_spans(spans)
    timed = [face for face in view.faces if face.shown is not None]
    gone = [f.number for f in timed if f.shown and is_cut_away(f.shown, left)]
    cut = removed_spans(left, film.seconds)
    partly = [
        f.number
        for f in timed
        if f.shown and f.number not in gone and not is_cut_away(f.shown, cut)
    ]
    return CutOption(title, _parts(left), tuple(gone), tuple(partly))


def _parts(spans: Spans) -> str:
    """The parts as words for staff, with their length together."""
    named = [f"{film_time(s.from_ms / 1000)} to {film_time(s.to_ms / 1000)}" for s in spans]
    if not named:
        return ""
    tenths = total_ms(spans) // 100
    return f"{', '.join(named)} ({tenths / 10:.1f} s)"


def _bar(film: FilmView, span: FilmSpan) -> SpanBar:
    unit = TIMELINE_WIDTH / max(1000 * film.seconds, 1)
    x = min(unit * span.from_ms, TIMELINE_WIDTH)
    return SpanBar(round(x, 1), round(max(min(unit * span.to_ms, TIMELINE_WIDTH) - x, 1.0), 1))


def _text(milliseconds: int) -> str:
    """A time as staff may type it: minutes, seconds and milliseconds."""
    minutes, rest = divmod(milliseconds, 60_000)
    return f"{minutes}:{rest // 1000:02d}.{rest % 1000:03d}"
