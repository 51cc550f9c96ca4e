"""Find a person's last release or refusal while it can be undone, which is before publication."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Q

from consent_gate.db.models import Item, StaffApproval
from consent_gate.home.home import Home


@dataclass(frozen=True)
class UndoableAction:
    """The answers that one click on Undo removes."""

    answers: tuple[tuple[Item, tuple[str, ...]], ...]
    """Each picture with its channels. There are several after an answer to all ticked pictures;
    the newest answer comes first."""
    titles: tuple[str, ...]
    """Titles of all these channels."""
    everywhere: bool
    """Whether these are all channels of the school."""
    refused: bool
    """Whether the answer was a refusal; False for a release."""
    seconds: int
    """Seconds for which the answers can still be undone."""

    @property
    def item(self) -> Item:
        """The picture answered last."""
        return self.answers[0][0]


def undoable_action(
    home: Home, actor: str, together: Collection[str] = ()
) -> UndoableAction | None:
    """This person's last answer, while it can be undone; None when there is nothing to undo.

    ``together`` holds the ids of the pictures that were answered in one go.
    """
    undo_time = timedelta(seconds=home.settings.review.undo_seconds)
    mine = Q(actor=actor, second_person="") | Q(second_person=actor)
    fresh = StaffApproval.objects.filter(mine, created_at__gte=home.now() - undo_time)
    fresh = fresh.select_related("item").order_by("-created_at", "pk")
    last = fresh.first()
    if last is None:
        return None
    ids = {last.item_id, *(together if last.item_id in together else ())}
    same = list(fresh.filter(item__in=ids, refused=last.refused))
    channels: dict[Item, list[str]] = {}
    for answer in same:
        channels.setdefault(answer.item, []).append(answer.channel)
    answered = {answer.channel for answer in same}
    titles = tuple(c.title for name, c in home.settings.channels.items() if name in answered)
    left = min(answer.created_at for answer in same) + undo_time - home.now()
    return UndoableAction(
        answers=tuple((item, tuple(sorted(names))) for item, names in channels.items()),
        titles=titles,
        everywhere=len(titles) == len(home.settings.channels),
        refused=last.refused,
        seconds=max(0, round(left.total_seconds())),
    )
