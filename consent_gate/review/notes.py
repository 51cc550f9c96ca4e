"""Notes that staff write on a picture, and questions to a colleague."""

from __future__ import annotations

from django.db import transaction

from consent_gate.db import audit_log
from consent_gate.db.models import Item, ReviewNote, User
from consent_gate.db.models.roles import REVIEW_ROLES
from consent_gate.home.home import Home
from consent_gate.review.validation import InvalidInput, check_text


def colleagues(actor: str) -> list[User]:
    """The people whom ``actor`` (a log-in name) may ask: everybody else who reviews."""
    others = User.objects.filter(is_active=True, role__in=REVIEW_ROLES).exclude(username=actor)
    return list(others.order_by("first_name", "username"))


def add_note(home: Home, actor: str, item: Item, text: str, colleague: str) -> None:
    """Save a note, and perhaps ask a colleague. A note by somebody who was asked is the answer.

    Args:
        home: The home.
        actor: Log-in name of the person who writes.
        item: The picture.
        text: The note; 500 characters of it are kept.
        colleague: Log-in name of the person who is asked; empty for nobody.

    Raises:
        InvalidInput: The text is empty or names a pupil, or the colleague does not review.
    """
    text = text.strip()[:500]
    if not text:
        raise InvalidInput("Write a few words.")
    check_text(home, text)
    if colleague and colleague not in {user.username for user in colleagues(actor)}:
        raise InvalidInput("Choose a colleague from the list.")
    with transaction.atomic():
        now = home.now()
        open_questions = ReviewNote.objects.filter(item=item, asked=actor, answered_at=None)
        open_questions.update(answered_at=now)
        ReviewNote.objects.create(
            item=item, text=text, actor=actor, asked=colleague, created_at=now
        )
        audit_log.record(home, "item.noted", f"item:{item.pk}", {"asked": colleague}, actor)


def count_questions_for(actor: str) -> int:
    """Number of pictures that wait for this person's answer."""
    rows = ReviewNote.objects.filter(asked=actor, answered_at=None)
    return rows.values("item").distinct().count()
