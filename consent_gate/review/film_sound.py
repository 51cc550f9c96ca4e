"""What staff say about the sound of a film: heard, muted, or published without it.

Each function is one transaction and raises what ``review.service`` says. An approval was given for
the film with another sound, so it ends in each channel that publishes sound.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from consent_gate.db import audit_log
from consent_gate.db.models import Item, StaffApproval
from consent_gate.decisions.staff_input import load_staff_input
from consent_gate.film.sound import has_sound
from consent_gate.film.spans import MAX_SPANS, Spans, joined_spans, whole_film
from consent_gate.model import Film, FilmSound, SoundReview
from consent_gate.policy import sound_review
from consent_gate.review.transaction import ReviewAction, apply_review
from consent_gate.review.validation import InvalidInput, examined_picture, is_unseen_film

NO_SOUND = "The sound of this film cannot be published. Publish the film without sound."


def mark_heard(action: ReviewAction, from_ms: int, to_ms: int) -> None:
    """Save that a person listened to a part of a film, in milliseconds since the first frame.

    Raises:
        InvalidInput: It is no film with sound, or the times are in the wrong order.
    """

    def change(review: SoundReview) -> SoundReview:
        return replace(review, is_off=False, heard=joined_spans(review.heard, from_ms, to_ms))

    _save_part(action, "film.sound_heard", (from_ms, to_ms), change)


def mute(action: ReviewAction, from_ms: int, to_ms: int) -> None:
    """Make a part of a film silent, with a tenth of a second on either side.

    Raises:
        InvalidInput: It is no film with sound, or the times are in the wrong order.
    """

    def change(review: SoundReview) -> SoundReview:
        return replace(review, is_off=False, muted=joined_spans(review.muted, from_ms, to_ms))

    _save_part(action, "film.sound_muted", (from_ms, to_ms), change)


def publish_without_sound(action: ReviewAction) -> None:
    """Publish a film without sound everywhere; nobody has to listen.

    Raises:
        InvalidInput: It is no film with sound.
    """
    _save(action, "film.sound_off", {}, lambda review: replace(review, is_off=True))


def start_again(action: ReviewAction) -> None:
    """Forget everything that was said about the sound of a film: no part is heard or muted.

    Raises:
        InvalidInput: It is no film with sound.
    """
    _save(
        action,
        "film.sound_reset",
        {},
        lambda review: SoundReview(review.frames_sha256, review.sound_sha256),
    )


def _save_part(
    action: ReviewAction,
    name: str,
    part: tuple[int, int],
    change: Callable[[SoundReview], SoundReview],
) -> None:
    def changed(film: Film, item: Item) -> None:
        if film.sound is None or not film.sound.sha256 or not film.is_viewable:
            raise InvalidInput(NO_SOUND)
        if is_unseen_film(action.home, item):
            raise InvalidInput("The film is no longer stored for you to listen to.")
        if not 0 <= part[0] < part[1] <= whole_film(film.seconds)[0].to_ms + LATEST_MS:
            raise InvalidInput("The part must lie in the film, and end after it begins.")

    _save(action, name, {"from_ms": part[0], "to_ms": part[1]}, change, changed)


LATEST_MS = 1000
"""How far a part may reach beyond the film: speech found at its end gets a margin."""


def _save(
    action: ReviewAction,
    name: str,
    detail: dict[str, object],
    change: Callable[[SoundReview], SoundReview],
    check: Callable[[Film, Item], None] = lambda *_: None,
) -> None:
    def save(item: Item) -> None:
        picture = examined_picture(item)
        if picture.film is None or not has_sound(picture.film):
            raise InvalidInput("This is no film with sound.")
        check(picture.film, item)
        review = change(sound_review(picture, load_staff_input(item)))
        if max(len(review.heard), len(review.muted)) > MAX_SPANS:
            raise InvalidInput("These are too many parts. Publish the film without sound.")
        item.sound_review = {
            "frames": review.frames_sha256,
            "sound": review.sound_sha256,
            "off": review.is_off,
            "heard": _as_lists(review.heard),
            "muted": _as_lists(review.muted),
        }
        item.save(update_fields=["sound_review"])
        channels = action.home.settings.channels.items()
        with_sound = [n for n, c in channels if c.film_sound is FilmSound.REVIEWED]
        signed = StaffApproval.objects.filter(item=item, channel__in=with_sound, refused=False)
        signed.delete()
        about = {"sound": review.sound_sha256, **detail}
        audit_log.record(action.home, name, action.subject, about, action.actor)

    apply_review(action, save, keeps_approvals=True)


def _as_lists(spans: Spans) -> list[list[int]]:
    return [[span.from_ms, span.to_ms] for span in spans]
