"""What is to be made of one item, and having it made from one look at the original."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

import cv2

from consent_gate.db.evidence_json import from_json
from consent_gate.db.models import Publication
from consent_gate.decisions.appearance import Appearance, appearance_of
from consent_gate.decisions.staff_input import load_staff_input
from consent_gate.errors import DecryptionError
from consent_gate.home.home import Home
from consent_gate.home.settings import Channel
from consent_gate.model import Box, Examined, Reason, StaffInput
from consent_gate.vault.originals import read_part
from publish.rendering.redact import Redaction
from publish.rendering.render import Chroma, ImageFormat, RenditionSpec
from publish.rendition import Rendition, RenditionRefused, RenditionRequest

UNREADABLE = RenditionRefused(Reason.NOT_EXAMINED, "The safe copy of the photo cannot be read.")
NO_EVIDENCE = RenditionRefused(Reason.NOT_EXAMINED, "The evidence is gone.")
FAILED = RenditionRefused(Reason.NOT_EXAMINED, "The picture could not be made.")


class Renderer(Protocol):
    """Makes and proves pictures, in another process."""

    def make_renditions(
        self, data: bytes, orders: Sequence[RenditionRequest]
    ) -> list[Rendition | RenditionRefused]:
        """For each order the picture, or why there must be none."""
        ...


def renditions_of(
    home: Home, renderer: Renderer, publications: Sequence[Publication]
) -> list[Rendition | RenditionRefused]:
    """The pictures of publications of one item, in their order."""
    item = publications[0].item
    evidence = from_json(item.evidence)
    if not isinstance(evidence, Examined):
        return [NO_EVIDENCE] * len(publications)
    orders = _orders(home, evidence, publications)
    try:
        data = read_part(home, item)
    except (OSError, DecryptionError):
        return [UNREADABLE] * len(publications)
    try:
        return renderer.make_renditions(data, orders)
    except (cv2.error, ArithmeticError, LookupError, TypeError, ValueError):
        return [FAILED] * len(publications)


def rendition_spec(channel: Channel, look: Appearance) -> RenditionSpec:
    """How the channel wants its pictures, looking as staff want."""
    return RenditionSpec(
        max_side=channel.max_side,
        quality=channel.quality,
        progressive=channel.progressive,
        chroma=Chroma.FULL if channel.full_colour_detail else Chroma.HALF,
        crop=look.crop,
        redactions=tuple(Redaction(box) for box in look.redactions),
    )


def _orders(
    home: Home, evidence: Examined, publications: Iterable[Publication]
) -> list[RenditionRequest]:
    """What is made looks as the ledger says, not as staff may have said since."""
    return [
        RenditionRequest(
            spec=rendition_spec(
                home.settings.channels[publication.channel], appearance_of(publication)
            ),
            pixels_sha256=evidence.pixels_sha256,
            also=tuple(
                ImageFormat(kind) for kind in home.settings.channels[publication.channel].also
            ),
            judged=tuple(_all_boxes(evidence, load_staff_input(publication.item))),
        )
        for publication in publications
    ]


def _all_boxes(evidence: Examined, staff: StaffInput) -> list[Box]:
    return [*(face.box for face in evidence.faces), *staff.added_faces]
