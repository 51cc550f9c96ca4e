"""Keep the picture of a live photo back while its film waits for its examination.

Photos are examined before films. The film may show somebody who is not in the picture, and then the
picture is held too (``consent_gate.decisions.live_photos``). Which film belongs to a picture is
known only after its examination, so until then the names must tell: phones give both the same one.
"""

from __future__ import annotations

from datetime import timedelta

from django.db.models import Exists, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Concat, Left, Length, Upper

from consent_gate.db.models import Item, ItemState, Publication
from consent_gate.home.home import Home

MAX_WAIT = timedelta(minutes=10)
"""A picture is published after this time, though its film still waits behind longer ones."""

PICTURE_ENDINGS = (".HEIC", ".HEIF", ".JPEG", ".JPG")
FILM_ENDINGS = (".MOV", ".MP4")


def without_waiting_halves(home: Home, rows: QuerySet[Publication]) -> QuerySet[Publication]:
    """Leave out the pictures of live photos whose film was never examined and waits for it.

    A time in the future (the clock was set back) does not delay a picture.
    """
    now = home.now()
    waiting = Item.objects.filter(
        state=ItemState.RECEIVED, evidence__isnull=True, event=OuterRef("item__event")
    ).annotate(name=Upper("source"))
    same_name = Q()
    for length in sorted({len(ending) for ending in PICTURE_ENDINGS}):
        source = OuterRef("item__source")
        stem = Upper(Left(source, Length(source) - Value(length)))
        for ending in FILM_ENDINGS:
            same_name |= Q(name=Concat(stem, Value(ending)))
    is_new = Q(intended_at__gt=now - MAX_WAIT, intended_at__lte=now)
    return rows.exclude(is_new & ~Q(item__live_photo="") & Q(Exists(waiting.filter(same_name))))
