"""Mark pictures whose text must be compared again with the names of the pupils.

The text of a picture is not stored. So a pupil who joins or is renamed later can be found in it
only by another examination. A marked picture is examined again before it is newly published. One
that is published stays, and is examined again behind new photos, a few at a time; the examination
recalls it if it shows the name.
"""

from __future__ import annotations

from django.db.models import Q

from consent_gate.db.models import Item, ItemState, Publication
from consent_gate.publication import OPEN, PENDING
from consent_gate.register.pupil_names import RecordedName


def mark_outdated(before: frozenset[RecordedName], after: frozenset[RecordedName]) -> int:
    """Mark every picture with text if there are new names. Returns how many were marked.

    A picture that waits for its examination is not marked: that compares the names of its day. Call
    inside the transaction that changes the names.

    Args:
        before: The names before the change.
        after: The names after it.
    """
    if after <= before:
        return 0
    examined = Item.objects.exclude(state__in=(ItemState.RECEIVED, ItemState.ERASED))
    shown = examined.filter(shows_text=True, evidence__isnull=False)
    # Without its original a picture cannot be examined, and would be recalled for that.
    has_original = Q(wrapped_key__isnull=False)
    published = Publication.objects.filter(state__in=OPEN).values("item")
    shown.filter(has_original, pk__in=published).update(needs_reexamination=True)
    pending = Publication.objects.filter(state__in=PENDING).values("item")
    return shown.filter(has_original | Q(pk__in=pending)).update(names_outdated=True)


def must_compare_names(item: Item) -> bool:
    """Whether the picture must be examined again before it may be published."""
    return item.names_outdated and item.wrapped_key is not None


def cannot_compare_names(item: Item) -> bool:
    """Whether the picture may not be published any more: the names are outdated, and its original
    is deleted."""
    return item.names_outdated and item.wrapped_key is None
