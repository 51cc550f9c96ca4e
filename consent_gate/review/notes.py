"""Notes on a picture, and asking a colleague."""

from __future__ import annotations

from django.db import transaction

from consent_gate.db import audit_log
from consent_gate.db.models import Item, ReviewNote, User
from consent_gate.db.models.roles import REVIEW_ROLES
from consent_gate.home.home import Home
from consent_gate.review.validation import InvalidInput, check_text


def colleagues(actor: str) -> list[User]:
    """Whom one may ask: everybody else who reviews."""
    others = User.objects.filter(is_active=True, role__in=REVIEW_ROLES).exclude(username=actor)
    return list(others.order_by("first_name", "username"))


def add_note(home: Home, actor: str, item: Item, text: str, asked: str) -> None:
    """Write a note, and put the picture into a colleague's pile where one is named.

    A note by somebody who was asked answers the question. Raises InvalidInput.
    """
    text = text.strip()[:500]
    if not text:
        raise InvalidInput("Write a few words.")
    check_text(home, text)
    if asked and asked not in {user.username for user in colleagues(actor)}:
        raise InvalidInput("Choose a colleague from the list.")
    with transaction.atomic():
        now = home.now()
        open_questions = ReviewNote.objects.filter(item=item, asked=actor, answered_at=None)
        open_questions.update(answered_at=now)
        ReviewNote.objects.create(item=item, text=text, actor=actor, asked=asked, created_at=now)
        audit_log.record(home, "item.noted", f"item:{item.pk}", {"asked": asked}, actor)


def questions_for(actor: str) -> int:
    """How many pictures wait for this person's answer."""
    rows = ReviewNote.objects.filter(asked=actor, answered_at=None)
    return rows.values("item").distinct().count()
