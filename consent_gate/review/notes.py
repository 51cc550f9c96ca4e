"""Notes on a picture, and asking a colleague."""

from __future__ import annotations

from django.db import transaction

from consent_gate.db import audit_log
from consent_gate.db.models import Item, ReviewNote, User
from consent_gate.db.models.roles import REVIEW_ROLES
from consent_gate.home.home import Home
from consent_gate.review.validation import NotUsable, check_words


def colleagues(by: str) -> list[User]:
    """Whom one may ask: everybody else who reviews."""
    others = User.objects.filter(is_active=True, role__in=REVIEW_ROLES).exclude(username=by)
    return list(others.order_by("first_name", "username"))


def add_note(home: Home, by: str, item: Item, text: str, asked: str) -> None:
    """Write a note, and put the picture into a colleague's pile where one is named.

    A note by somebody who was asked answers the question. Raises NotUsable.
    """
    text = text.strip()[:500]
    if not text:
        raise NotUsable("Write a few words.")
    check_words(home, text)
    if asked and asked not in {user.username for user in colleagues(by)}:
        raise NotUsable("Choose a colleague from the list.")
    with transaction.atomic():
        now = home.now()
        open_questions = ReviewNote.objects.filter(item=item, asked=by, answered_at=None)
        open_questions.update(answered_at=now)
        ReviewNote.objects.create(item=item, text=text, by=by, asked=asked, at=now)
        audit_log.record(home, "item.noted", f"item:{item.pk}", {"asked": asked}, by)


def questions_for(by: str) -> int:
    """How many pictures wait for this person's answer."""
    rows = ReviewNote.objects.filter(asked=by, answered_at=None)
    return rows.values("item").distinct().count()
