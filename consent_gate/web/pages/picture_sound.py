"""View model of a film's sound on the review page: the parts to which somebody has to listen."""

from __future__ import annotations

from dataclasses import dataclass, replace

from consent_gate.film.sound import has_sound, spoken_parts, unheard_parts
from consent_gate.film.spans import Spans, spans_within
from consent_gate.home.home import Home
from consent_gate.model import Examined, FilmSound, FilmSpan, SoundReview, StaffInput
from consent_gate.policy import sound_review
from consent_gate.web.pages.labels import film_time

HEARD, MUTED, CUT, WAITS = "heard", "muted", "cut out", "not heard yet"


@dataclass(frozen=True)
class SoundPart:
    """A part of a film in which somebody may speak."""

    from_text: str
    """Seconds with three places, as a form sends them back."""
    to_text: str
    times: str
    """For staff to read."""
    state: str
    waits: bool


@dataclass(frozen=True)
class SoundView:
    """The sound of a film on its page."""

    parts: tuple[SoundPart, ...]
    channels: tuple[str, ...]
    """Titles of the channels that publish sound."""
    can_be_kept: bool
    """Whether staff can hear the sound, so that it may be published."""
    is_examined: bool
    """Whether an examination looked at the sound at all."""
    is_checked: bool
    """Whether speech was looked for. If not, the whole film is one part."""
    is_off: bool
    muted: str
    """The muted parts, for staff to read."""
    has_answers: bool

    @property
    def next(self) -> SoundPart | None:
        """The first part that nobody has heard or muted; None if there is none."""
        return next((part for part in self.parts if part.waits), None)


def sound_view(home: Home, picture: Examined, staff: StaffInput) -> SoundView | None:
    """Build the view of the sound; None for a photo, a silent film, and where none is published."""
    film = picture.film
    channels = home.settings.channels.values()
    titles = tuple(c.title for c in channels if c.film_sound is FilmSound.REVIEWED)
    if film is None or not titles or not has_sound(film):
        return None
    digest = film.sound.sha256 if film.sound is not None else ""
    review = sound_review(picture, staff)
    kept = staff.film_edit.kept if staff.film_edit is not None else None
    left = unheard_parts(film, review, kept)
    unmuted = unheard_parts(film, replace(review, heard=()), kept)
    stays = unheard_parts(film, SoundReview("", ""), kept)
    return SoundView(
        tuple(_part(span, left, unmuted, stays) for span in spoken_parts(film)),
        titles,
        can_be_kept=bool(digest) and film.is_viewable,
        is_examined=film.sound is not None,
        is_checked=film.sound is not None and film.sound.speech is not None,
        is_off=review.is_off,
        muted=", ".join(_times(span) for span in review.muted),
        has_answers=review.is_off or bool(review.heard or review.muted),
    )


def _part(span: FilmSpan, left: Spans, unmuted: Spans, stays: Spans) -> SoundPart:
    states = ((left, WAITS), (unmuted, HEARD), (stays, MUTED))
    state = next((name for spans, name in states if _share(span, spans)), CUT)
    from_text, to_text = f"{span.from_ms / 1000:.3f}", f"{span.to_ms / 1000:.3f}"
    return SoundPart(from_text, to_text, _times(span), state, state == WAITS)


def _share(span: FilmSpan, spans: Spans) -> bool:
    return bool(spans_within(spans, span.from_ms, span.to_ms))


def _times(span: FilmSpan) -> str:
    return f"{film_time(span.from_ms / 1000)} to {film_time(span.to_ms / 1000)}"
