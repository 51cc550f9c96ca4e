"""Cut a film: keep one part of it, cut a part out, or keep the whole film again.

Each function is one transaction and raises what ``review.service`` says.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

from consent_gate.db import audit_log
from consent_gate.db.models import Item
from consent_gate.decisions.staff_input import load_staff_input
from consent_gate.film.spans import (
    Spans,
    are_spans_of,
    long_enough_spans,
    spans_within,
    spans_without,
    whole_film,
)
from consent_gate.model import Examined
from consent_gate.review.transaction import ReviewAction, apply_review
from consent_gate.review.validation import InvalidInput, examined_picture


class FilmCut(StrEnum):
    """What happens to a part of a film."""

    ONLY = "only"
    """Nothing but this part stays."""
    OUT = "out"
    """This part is cut out of what stays so far."""
    WHOLE = "whole"
    """The whole film stays again."""


def cut_film(action: ReviewAction, cut: FilmCut, from_ms: int, to_ms: int) -> None:
    """Keep only the part of a film between two times, or cut that part out.

    The times are in milliseconds since the first frame. What is left between two cuts and is
    shorter than half a second is cut out too.

    Raises:
        InvalidInput: It is no film, the times are in the wrong order, or too little would be left.
    """
    if from_ms >= to_ms:
        raise InvalidInput("The part must end after it begins.")
    change = spans_within if cut is FilmCut.ONLY else spans_without

    def changed(spans: Spans) -> Spans:
        left = long_enough_spans(change(spans, from_ms, to_ms))
        if not left:
            raise InvalidInput("Nothing would be left of the film. Refuse it instead.")
        return left

    _save(action, changed)


def keep_whole_film(action: ReviewAction) -> None:
    """Take all cuts of a film back.

    Raises:
        InvalidInput: It is no film.
    """
    _save(action, lambda _: ())


def _save(action: ReviewAction, changed: Callable[[Spans], Spans]) -> None:
    """Save the spans that ``changed`` makes of those that stay now; no spans keep the whole."""

    def change(item: Item) -> None:
        picture = examined_picture(item)
        if picture.film is None:
            raise InvalidInput("Only films can be cut.")
        spans = changed(spans_that_stay(item, picture))
        if spans and not are_spans_of(spans, picture.film.seconds):
            raise InvalidInput("These cuts do not fit the film. Keep the whole film, and cut anew.")
        kept = [[span.from_ms, span.to_ms] for span in spans]
        is_whole = not spans or spans == whole_film(picture.film.seconds)
        edit = None if is_whole else {"kept": kept, "frames": picture.pixels_sha256}
        item.film_edit = edit
        item.save(update_fields=["film_edit"])
        detail = {"kept": kept if edit else None}
        audit_log.record(action.home, "film.cut", action.subject, detail, action.actor)

    apply_review(action, change, keeps_approvals=False)


def spans_that_stay(item: Item, picture: Examined) -> Spans:
    """Return the spans of a film that stay now; none for a photo."""
    if picture.film is None:
        return ()
    edit = load_staff_input(item).film_edit
    return edit.kept if edit is not None else whole_film(picture.film.seconds)
