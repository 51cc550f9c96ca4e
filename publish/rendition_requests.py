"""What is to be made of one item, and having it made from one look at the original."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

import cv2

from consent_gate.db.evidence_json import from_json
from consent_gate.db.models import Publication
from consent_gate.decisions.appearance import Look, look_of
from consent_gate.decisions.staff_input import load_staff_input
from consent_gate.errors import Undecryptable
from consent_gate.home.home import Home
from consent_gate.home.settings import Channel
from consent_gate.model import Box, Examined, Reason, StaffInput
from consent_gate.vault.originals import read_part
from publish.rendering.redact import Redaction
from publish.rendering.render import Chroma, Kind, RenditionSpec
from publish.rendition import Refused, Rendition, RenditionOrder

UNREADABLE = Refused(Reason.NOT_EXAMINED, "The safe copy of the photo cannot be read.")
NO_EVIDENCE = Refused(Reason.NOT_EXAMINED, "The evidence is gone.")
FAILED = Refused(Reason.NOT_EXAMINED, "The picture could not be made.")


class Renderer(Protocol):
    """Makes and proves pictures, in another process."""

    def make_renditions(
        self, data: bytes, orders: Sequence[RenditionOrder]
    ) -> list[Rendition | Refused]:
        """For each order the picture, or why there must be none."""
        ...


def renditions_of(
    home: Home, renderer: Renderer, publications: Sequence[Publication]
) -> list[Rendition | Refused]:
    """The pictures of publications of one item, in their order."""
    item = publications[0].item
    evidence = from_json(item.evidence)
    if not isinstance(evidence, Examined):
        return [NO_EVIDENCE] * len(publications)
    orders = _orders(home, evidence, publications)
    try:
        data = read_part(home, item)
    except (OSError, Undecryptable):
        return [UNREADABLE] * len(publications)
    try:
        return renderer.make_renditions(data, orders)
    except (cv2.error, ArithmeticError, LookupError, TypeError, ValueError):
        return [FAILED] * len(publications)


def rendition_spec(channel: Channel, look: Look) -> RenditionSpec:
    """How the channel wants its pictures, looking as staff want."""
    return RenditionSpec(
        max_side=channel.max_side,
        quality=channel.quality,
        progressive=channel.progressive,
        chroma=Chroma.FULL if channel.full_colour_detail else Chroma.HALF,
        crop=look.crop,
        redactions=tuple(Redaction(box) for box in look.covers),
    )


def _orders(
    home: Home, evidence: Examined, publications: Iterable[Publication]
) -> list[RenditionOrder]:
    """What is made looks as the ledger says, not as staff may have said since."""
    return [
        RenditionOrder(
            spec=rendition_spec(home.settings.channels[publication.channel], look_of(publication)),
            pixels_sha256=evidence.pixels_sha256,
            also=tuple(Kind(kind) for kind in home.settings.channels[publication.channel].also),
            judged=tuple(_all_boxes(evidence, load_staff_input(publication.item))),
        )
        for publication in publications
    ]


def _all_boxes(evidence: Examined, staff: StaffInput) -> list[Box]:
    return [*(face.box for face in evidence.faces), *staff.added_faces]
