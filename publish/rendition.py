"""One picture for one channel, made from the judged pixels and proven. Runs in a worker."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from consent_gate.model import Box, Reason
from publish.rendering.render import EmptyCrop, ImageFormat, RenditionSpec, apply_crop, render
from publish.verification.verify import Expected, verify

FacesInRendition = Callable[[NDArray[np.uint8]], Sequence[Box]]
"""Faces of which a detector is sure, in a picture at its published size."""


@dataclass(frozen=True)
class RenditionRequest:
    """One picture to be made for one channel."""

    spec: RenditionSpec
    pixels_sha256: str
    """Of the pixels that were judged: others are not published."""
    judged: tuple[Box, ...]
    """Every face that somebody answered for, in pixels of the upright original."""
    also: tuple[ImageFormat, ...] = ()
    """Further formats of the same picture."""


@dataclass(frozen=True)
class AlternateFormat:
    """The same picture, of the same size, in another format; made and proven."""

    kind: ImageFormat
    data: bytes


@dataclass(frozen=True)
class Rendition:
    """A picture that was made and proven."""

    data: bytes
    width: int
    height: int
    siblings: tuple[AlternateFormat, ...] = ()


@dataclass(frozen=True)
class RenditionRefused:
    """A picture that must not go out after all."""

    reason: Reason
    detail: str
    """One plain sentence for staff."""


def make_rendition(
    judged: NDArray[np.uint8], order: RenditionRequest, second_look: FacesInRendition
) -> Rendition | RenditionRefused:
    """Render ``judged`` (height, width, 3; uint8; RGB; sRGB; upright) and prove the result.

    The caller has checked that these are the pixels that were judged.
    """
    data = _proven(judged, order.spec)
    if isinstance(data, RenditionRefused):
        return data
    published = np.asarray(
        cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR_RGB), dtype=np.uint8
    )
    height, width = published.shape[:2]
    known = [_at_published_size(box, judged, order, width) for box in order.judged]
    if any(not _is_known(face, known) for face in second_look(published)):
        return RenditionRefused(
            Reason.POSSIBLE_FACE, "A face shows at published size that was not judged."
        )
    siblings = []
    for kind in order.also:
        sibling = _proven(judged, replace(order.spec, kind=kind))
        if isinstance(sibling, RenditionRefused):
            return sibling
        siblings.append(AlternateFormat(kind, sibling))
    return Rendition(data, width, height, tuple(siblings))


def _proven(judged: NDArray[np.uint8], spec: RenditionSpec) -> bytes | RenditionRefused:
    """One file, or why there must be none."""
    try:
        data = render(judged, spec)
    except EmptyCrop as error:
        return RenditionRefused(Reason.NOT_EXAMINED, str(error))
    findings = verify(data, Expected(judged, spec))
    return RenditionRefused(Reason.NOT_EXAMINED, findings[0].sentence) if findings else data


def _at_published_size(
    box: Box, judged: NDArray[np.uint8], order: RenditionRequest, width: int
) -> tuple[float, float, float, float]:
    """Left, top, right and bottom of a judged face in the published picture."""
    kept, _ = apply_crop(judged, order.spec)
    crop = order.spec.crop or Box(0, 0, 0, 0)
    scale = width / kept.shape[1]
    left, top = (box.x - max(0, crop.x)) * scale, (box.y - max(0, crop.y)) * scale
    return left, top, left + box.width * scale, top + box.height * scale


def _is_known(face: Box, known: Sequence[tuple[float, float, float, float]]) -> bool:
    """Whether the middle of a face lies in one that was judged."""
    x, y = face.x + face.width / 2, face.y + face.height / 2
    return any(left <= x <= right and top <= y <= bottom for left, top, right, bottom in known)
