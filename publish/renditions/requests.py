"""Build the rendition requests of one item's publications and have them rendered."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from functools import partial
from typing import Protocol

import cv2

from consent_gate.db.evidence_json import from_json
from consent_gate.db.models import Item, Publication
from consent_gate.decisions.publications import appearance_of
from consent_gate.decisions.staff_input import load_staff_input
from consent_gate.errors import DecryptionError, StorageFull
from consent_gate.home.home import Home
from consent_gate.home.settings import Channel
from consent_gate.model import Box, Colour, Examined, Reason, StaffInput
from consent_gate.publication import Appearance
from consent_gate.register.relevant import pupils_of
from consent_gate.vault.interface import PartReader
from consent_gate.vault.originals import open_original, read_part
from publish.rendering.heads import head_of, heads_of
from publish.rendering.redact import Redaction
from publish.rendering.render import Chroma, ImageFormat, RenditionSpec
from publish.renditions.film_requests import film_request, is_altered
from publish.renditions.rendition import FilmRequest, Rendition, RenditionRefused, RenditionRequest

UNREADABLE = RenditionRefused(Reason.NOT_EXAMINED, "The safe copy of the photo cannot be read.")
NO_EVIDENCE = RenditionRefused(
    Reason.NOT_EXAMINED, "The results of this photo's examination have been deleted."
)
ALTERED_FILM = RenditionRefused(
    Reason.NOT_EXAMINED, "A film cannot be cropped, and no box can be drawn in it."
)
FAILED = RenditionRefused(Reason.NOT_EXAMINED, "The picture could not be made.")


Renditions = list[Rendition | RenditionRefused]
"""A rendition or a refusal for each request or publication, in their order."""

WaitForRenditions = Callable[[], Renditions]
"""Waits for renditions that were started."""


class Renderer(Protocol):
    """Renders and verifies pictures in another process."""

    def start_renditions(
        self, data: bytes, requests: Sequence[RenditionRequest]
    ) -> WaitForRenditions:
        """Start to render the original file ``data`` once for each request."""
        ...

    def make_films(
        self, original: PartReader, requests: Sequence[FilmRequest]
    ) -> list[Rendition | RenditionRefused]:
        """Encode the original film once for each request, in the requests' order."""
        ...


def start_renditions(
    home: Home, renderer: Renderer, publications: Sequence[Publication]
) -> WaitForRenditions:
    """Start to render the publications of one item. A film is rendered while it is waited for.

    Args:
        home: The installation.
        renderer: Renders and verifies the pictures.
        publications: At least one publication, all of the same item.

    Returns:
        Waits for the renditions. It raises StoreUnavailable where the storage of the originals does
        not answer.
    """
    item = publications[0].item
    evidence = from_json(item.evidence)
    if not isinstance(evidence, Examined):
        return lambda: [NO_EVIDENCE] * len(publications)
    if evidence.film is not None:
        return partial(_films_of, home, renderer, item, evidence, publications)
    requests = _rendition_requests(home, evidence, publications)
    try:
        data = read_part(home, item)
    except StorageFull as error:
        return partial(_raise, error)
    except (OSError, DecryptionError):
        return lambda: [UNREADABLE] * len(publications)
    return partial(_renditions, renderer.start_renditions(data, requests), len(publications))


def _raise(error: StorageFull) -> Renditions:
    raise error


def _renditions(wait: WaitForRenditions, count: int) -> Renditions:
    try:
        return wait()
    except (cv2.error, ArithmeticError, LookupError, TypeError, ValueError):
        return [FAILED] * count


def _films_of(
    home: Home,
    renderer: Renderer,
    item: Item,
    evidence: Examined,
    publications: Sequence[Publication],
) -> list[Rendition | RenditionRefused]:
    """The films of the publications, each with the parts that staff keep and their covers."""
    appearances = [appearance_of(publication) for publication in publications]
    if any(is_altered(appearance, evidence) for appearance in appearances):
        return [ALTERED_FILM] * len(publications)
    requests = [
        film_request(home.settings, publication.channel, evidence, appearance)
        for publication, appearance in zip(publications, appearances, strict=True)
    ]
    try:
        with closing(open_original(home, item)) as original:
            return renderer.make_films(original, requests)
    except (OSError, DecryptionError):
        return [UNREADABLE] * len(publications)


def rendition_spec(
    channel: Channel, appearance: Appearance, heads: Mapping[Box, Box], fill: Colour | None
) -> RenditionSpec:
    """Combine the channel's settings with a crop and covers.

    Args:
        channel: Settings of the channel.
        appearance: The crop and the covered boxes.
        heads: What covers a box, where that is known (``publish.rendering.heads``).
        fill: Colour of the covers. None: cells in the colours around each cover.
    """
    return RenditionSpec(
        max_side=min(channel.max_side, appearance.side or channel.max_side),
        quality=channel.quality,
        progressive=channel.progressive,
        chroma=Chroma.FULL if channel.full_colour_detail else Chroma.HALF,
        crop=appearance.crop,
        redactions=tuple(
            Redaction(box, heads.get(box) or head_of(box), fill) for box in appearance.redactions
        ),
    )


def _rendition_requests(
    home: Home, evidence: Examined, publications: Iterable[Publication]
) -> list[RenditionRequest]:
    """Crop and covers come from the ledger; staff may have changed them since."""
    requests, heads = [], heads_of(evidence)
    for publication in publications:
        channel, appearance = (
            home.settings.channels[publication.channel],
            appearance_of(publication),
        )
        staff = load_staff_input(publication.item)
        shown = uncovered(_judged_boxes(evidence, staff), appearance)
        named = _named(evidence, staff)
        requests.append(
            RenditionRequest(
                spec=rendition_spec(
                    channel, appearance, heads, home.settings.publishing.cover_fill
                ),
                pixels_sha256=evidence.pixels_sha256,
                alternate_formats=tuple(ImageFormat(kind) for kind in channel.also),
                judged_faces=shown,
                covered_by_gate=publication.gate_covers > 0,
                named=tuple((box, named[box]) for box in shown if box in named),
            )
        )
    return requests


def uncovered(boxes: Iterable[Box], appearance: Appearance) -> tuple[Box, ...]:
    """The boxes without those that are covered.

    A face that can still be found under or beside a cover was not judged, so it stops the picture.
    """
    return tuple(box for box in boxes if box not in appearance.redactions)


def _named(evidence: Examined, staff: StaffInput) -> dict[Box, tuple[str, ...]]:
    """The pupils for whom the machine or staff take each face, by its box."""
    named = {}
    for index, face in enumerate(evidence.faces):
        tag = staff.tags.get(index)
        by_staff = {tag.pupil} if tag is not None and tag.pupil else set()
        named[face.box] = tuple(sorted(pupils_of(face.identity) | by_staff))
    return named


def _judged_boxes(evidence: Examined, staff: StaffInput) -> list[Box]:
    return [*(face.box for face in evidence.faces), *staff.added_faces]
