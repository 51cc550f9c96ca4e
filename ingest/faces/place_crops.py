"""Cut a place that a detector proposed out of the picture, rotated upright and scaled."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

from ingest.faces.augmentation import AugmentedView
from ingest.faces.rotated_tiles import rotation, translation

MAX_ENLARGEMENT = 4.0


@dataclass(frozen=True)
class Proposal:
    """A place where a detector found a face with a low score or more."""

    centre: tuple[float, float]
    """x, y in pixels of the picture."""
    height: float
    """The height of the upright face in pixels of the picture."""
    degrees: float
    """The anticlockwise rotation of the picture that shows the face upright."""
    score: float
    """The detector's own score, 0-1."""
    is_hint: bool = False
    """Whether no detector gave the score, but ``small_faces`` proposed the place."""


@dataclass(frozen=True)
class CropVariant:
    """One way of showing a place to the detectors."""

    face_height: float
    """Height of the face in the crop, in pixels."""
    side: int
    """Side of the square crop, in pixels."""
    degrees: float
    """Degrees added to the rotation."""
    mirrored: bool


Halvings = Sequence[AugmentedView]
"""The picture, and its halves, as ``augmentation.halvings`` makes them."""


def place_crop(views: Halvings, proposal: Proposal, variant: CropVariant) -> AugmentedView:
    """The place in the centre of a square crop, the face upright."""
    rotated = replace(proposal, degrees=proposal.degrees + variant.degrees)
    crop = _crop(views, rotated, zoom_of(proposal, variant), variant.side)
    return crop.mirror() if variant.mirrored else crop


def zoom_of(proposal: Proposal, variant: CropVariant) -> float:
    """Return how much a crop enlarges the place."""
    return min(variant.face_height / proposal.height, MAX_ENLARGEMENT)


def _crop(views: Halvings, proposal: Proposal, zoom: float, side: int) -> AugmentedView:
    """The place rotated upright and scaled, in the centre of a square of ``side`` pixels."""
    x, y = proposal.centre
    # Warping samples single pixels, so it shrinks to no less than half.
    source = views[min(max(0, math.floor(-math.log2(zoom))), len(views) - 1)]
    to_crop = (
        translation(side / 2, side / 2)
        @ np.diag([zoom, zoom, 1.0])
        @ rotation(proposal.degrees)
        @ translation(-x, -y)
        @ source.to_picture
    )
    pixels = cv2.warpAffine(
        source.pixels,
        to_crop[:2],
        (side, side),
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REFLECT_101,
    )
    return AugmentedView(np.asarray(pixels, np.uint8), source.to_picture @ np.linalg.inv(to_crop))
