"""Where a picture stands in the queue, so that pictures of the same moment follow each other."""

from __future__ import annotations

from datetime import UTC

from django.db.models import Q, QuerySet

from consent_gate.db.evidence_json import from_json
from consent_gate.db.models import Item
from consent_gate.matching.bursts import burst_key, same_faces
from consent_gate.model import Evidence, Examined

NEIGHBOURS = 8
"""Pictures of the event that are compared on each side, of those with the same ``burst_key``."""

ORDER = ("queue_place", "received_at", "pk")
"""The order of the held pictures of an event, for ``order_by``."""


def place_in_queue(item: Item, evidence: Evidence) -> str:
    """The value of ``Item.queue_place`` for a picture that was just examined.

    It is that of a neighbour with the same faces in the same places, or else the picture's own: the
    time at which it came. It says nothing about who is shown, and no rule uses it.
    """
    own = f"{item.received_at.astimezone(UTC):%Y%m%dT%H%M%S%f}-{item.pk}"
    key = burst_key(evidence)
    if not isinstance(evidence, Examined) or not key:
        return own
    others = Item.objects.filter(event=item.event, burst_key=key, evidence__isnull=False)
    others = others.exclude(pk=item.pk)
    earlier = others.filter(received_before(item)).order_by("-received_at", "-pk")
    later = others.exclude(received_before(item)).order_by("received_at", "pk")
    return min((*_places(earlier, evidence), *_places(later, evidence)), default=own)


def received_before(item: Item) -> Q:
    """Pictures that came before this one."""
    return Q(received_at__lt=item.received_at) | Q(received_at=item.received_at, pk__lt=item.pk)


def _places(neighbours: QuerySet[Item], evidence: Examined) -> list[str]:
    """Places of the nearest neighbours that show the same faces."""
    rows = neighbours.exclude(queue_place="").values_list("queue_place", "evidence")[:NEIGHBOURS]
    seen = ((place, from_json(found)) for place, found in rows)
    return [
        place
        for place, other in seen
        if isinstance(other, Examined) and same_faces(other, evidence)
    ]
