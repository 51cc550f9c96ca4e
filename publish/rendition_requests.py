"""Build the rendition requests of one item's publications and have them rendered."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

import cv2

from consent_gate.db.evidence_json import from_json
from consent_gate.db.models import Publication
from consent_gate.decisions.publications import appearance_of
from consent_gate.decisions.staff_input import load_staff_input
from consent_gate.errors import DecryptionError
from consent_gate.home.home import Home
from consent_gate.home.settings import Channel
from consent_gate.model import Box, Examined, Reason, StaffInput
from consent_gate.publication import Appearance
from consent_gate.vault.originals import read_part
from publish.rendering.redact import Redaction
from publish.rendering.render import Chroma, ImageFormat, RenditionSpec
from publish.rendition import Rendition, RenditionRefused, RenditionRequest

UNREADABLE = RenditionRefused(Reason.NOT_EXAMINED, "The safe copy of the photo cannot be read.")
NO_EVIDENCE = RenditionRefused(
    Reason.NOT_EXAMINED, "The results of this photo's examination have been deleted."
)
FAILED = RenditionRefused(Reason.NOT_EXAMINED, "The picture could not be made.")


class Renderer(Protocol):
    """Renders and verifies pictures in another process."""

    def make_renditions(
        self, data: bytes, requests: Sequence[RenditionRequest]
    ) -> list[Rendition | RenditionRefused]:
        """Render the original file ``data`` once for each request, in the requests' order."""
        ...


def renditions_of(
    home: Home, renderer: Renderer, publications: Sequence[Publication]
) -> list[Rendition | RenditionRefused]:
    """Render the publications of one item.

    Args:
        home: The installation.
        renderer: Renders and verifies the pictures.
        publications: At least one publication, all of the same item.

    Returns:
        A rendition or a refusal for each publication, in their order.

    Raises:
        StoreUnavailable: The storage of the originals does not answer.
    """
    item = publications[0].item
    evidence = from_json(item.evidence)
    if not isinstance(evidence, Examined):
        return [NO_EVIDENCE] * len(publications)
    requests = _rendition_requests(home, evidence, publications)
    try:
        data = read_part(home, item)
    except (OSError, DecryptionError):
        return [UNREADABLE] * len(publications)
    try:
        return renderer.make_renditions(data, requests)
    except (cv2.error, ArithmeticError, LookupError, TypeError, ValueError):
        return [FAILED] * len(publications)


def rendition_spec(channel: Channel, appearance: Appearance) -> RenditionSpec:
    """Combine the channel's settings with the crop and covers that staff chose."""
    return RenditionSpec(
        max_side=channel.max_side,
        quality=channel.quality,
        progressive=channel.progressive,
        chroma=Chroma.FULL if channel.full_colour_detail else Chroma.HALF,
        crop=appearance.crop,
        redactions=tuple(Redaction(box) for box in appearance.redactions),
    )


def _rendition_requests(
    home: Home, evidence: Examined, publications: Iterable[Publication]
) -> list[RenditionRequest]:
    """Crop and covers come from the ledger; staff may have changed them since."""
    return [
        RenditionRequest(
            spec=rendition_spec(
                home.settings.channels[publication.channel], appearance_of(publication)
            ),
            pixels_sha256=evidence.pixels_sha256,
            alternate_formats=tuple(
                ImageFormat(kind) for kind in home.settings.channels[publication.channel].also
            ),
            judged_faces=tuple(_judged_boxes(evidence, load_staff_input(publication.item))),
        )
        for publication in publications
    ]


def _judged_boxes(evidence: Examined, staff: StaffInput) -> list[Box]:
    return [*(face.box for face in evidence.faces), *staff.added_faces]
