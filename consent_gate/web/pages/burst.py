"""What staff said of the same face in a picture that was taken right before or after."""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
from django.db.models import Case, When
from numpy.typing import NDArray
from PIL import Image

from consent_gate.db.evidence_json import from_json
from consent_gate.db.models import Item, ItemState, PupilEntry, StaffTag
from consent_gate.errors import DecryptionError
from consent_gate.home.home import Home
from consent_gate.matching.bursts import burst_key, same_faces
from consent_gate.model import Box, Examined, Match, TagKind
from consent_gate.vault.originals import read_part
from consent_gate.web.pages.labels import TAGS
from consent_gate.web.pages.pupil_choices import choices

OFFERED = (TagKind.PUPIL, TagKind.NOT_A_FACE, TagKind.BLURRED)
"""An agreement of an adult is not offered: it is given for one picture."""

MOST_PICTURES = 6
"""Other pictures of the event with the same ``burst_key`` that are looked at: those of the same
moment first, then those answered last."""

SAME_PIXELS = 0.9
"""Smallest correlation of two faces, 32 pixels a side, at which they count as the same."""
_SIDE = 32


@dataclass(frozen=True)
class BurstAnswer:
    """An answer that can be given for this face too."""

    say: str
    """Value of the form field ``say``."""
    title: str
    """A pupil's name, or what was said."""
    item: str
    """Id of the other picture."""


def answer_in_burst(home: Home, item: Item, face: int) -> BurstAnswer | None:
    """Return what was said of the same face in another picture of the burst; None for nothing.

    The face lies in the same place, and shows the same pixels or was matched to the same pupil. The
    answer is only offered. Nothing is saved until a person agrees.
    """
    evidence = from_json(item.evidence)
    key = burst_key(evidence)
    if not isinstance(evidence, Examined) or not key or face >= len(evidence.faces):
        return None
    kinds = [kind.value for kind in OFFERED]
    tags = StaffTag.objects.filter(item__event=item.event, kind__in=kinds, box__isnull=True)
    tags = tags.filter(item__state=ItemState.DECIDED, item__burst_key=key)
    tags = tags.exclude(item=item)
    of_moment = When(item__queue_place=item.queue_place, then=0)
    found = list(tags.order_by(Case(of_moment, default=1), "-created_at")[: 10 * MOST_PICTURES])
    nearest = list(dict.fromkeys(tag.item_id for tag in found))[:MOST_PICTURES]
    others = Item.objects.in_bulk(nearest)
    seen = {pk: from_json(other.evidence) for pk, other in others.items()}
    for tag in found:
        other = seen.get(tag.item_id)
        if not isinstance(other, Examined) or same_faces(evidence, other).get(face) != tag.face:
            continue
        if _is_same(home, (item, evidence, face), (others[tag.item_id], other, tag.face)):
            return _answer(home, tag)
    return None


Place = tuple[Item, Examined, int]
"""A picture, its evidence, and the index of a face."""


def _is_same(home: Home, one: Place, other: Place) -> bool:
    mine, theirs = (place[1].faces[place[2]].identity for place in (one, other))
    if isinstance(mine, Match) and isinstance(theirs, Match):
        return mine.pupil == theirs.pupil
    try:
        first, second = (_pixels(home, place) for place in (one, other))
    except (OSError, DecryptionError, ValueError):
        return False
    return bool((first * second).mean() >= SAME_PIXELS)


def _pixels(home: Home, place: Place) -> NDArray[np.float64]:
    """The brightness of a face in the preview: mean 0, variance 1, shape (32, 32)."""
    item, evidence, index = place
    box: Box = evidence.faces[index].box
    with Image.open(io.BytesIO(read_part(home, item, "preview"))) as preview:
        scale = preview.width / evidence.width
        left, top = scale * box.x, scale * box.y
        corners = (left, top, left + scale * box.width, top + scale * box.height)
        part = preview.convert("L").resize((_SIDE, _SIDE), Image.Resampling.BILINEAR, corners)
    pixels = np.asarray(part, np.float64)
    spread = pixels.std()
    return (pixels - pixels.mean()) / spread if spread > 1 else np.zeros_like(pixels)


def _answer(home: Home, tag: StaffTag) -> BurstAnswer | None:
    kind = TagKind(tag.kind)
    if kind is not TagKind.PUPIL:
        return BurstAnswer(kind.value, TAGS[kind], tag.item_id)
    pupils = PupilEntry.objects.filter(admission_number=tag.admission_number, on_roll=True)
    found = choices(home, pupils)
    return BurstAnswer(f"pupil:{found[0].number}", found[0].name, tag.item_id) if found else None
