"""Tell which proposed places are one place: as far apart, as large and as rotated as one face."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from ingest.faces.place_crops import Proposal

SAME_PLACE = 0.4
"""Distance of two centres, in heights of the larger face, below which two faces of similar size are
one. The faces of two people cannot be so close."""
SAME_SIZE = 2.0
"""Ratio of two heights below which they are similar."""
MAX_ANGLES = 3
"""The number of angles at which one place is verified."""
SAME_ANGLE = 30.0
"""Degrees between two proposals of one place from which both are verified."""


def without_duplicates(proposals: Sequence[Proposal], apart: float, ratio: float) -> list[Proposal]:
    """For each place and size the first proposals, at most ``MAX_ANGLES``. Best first.

    Args:
        proposals: Best first.
        apart: Distance of two centres, in heights of the larger face, below which they are one.
        ratio: Ratio of the heights below which they are.
    """
    kept: list[Proposal] = []
    centres, heights = np.zeros((len(proposals), 2)), np.zeros(len(proposals))
    for proposal in proposals:
        count = len(kept)
        distances = np.hypot(*(centres[:count] - proposal.centre).T)
        near = distances < apart * np.maximum(heights[:count], proposal.height)
        same = [
            kept[index]
            for index in np.flatnonzero(near)
            if 1 / ratio < proposal.height / kept[index].height < ratio
        ]
        if len(same) < MAX_ANGLES and not any(_is_same_angle(proposal, other) for other in same):
            centres[count], heights[count] = proposal.centre, proposal.height
            kept.append(proposal)
    return kept


def _is_same_angle(proposal: Proposal, other: Proposal) -> bool:
    between = (proposal.degrees - other.degrees + 180) % 360 - 180
    return abs(between) < SAME_ANGLE


def is_same_place(
    proposal: Proposal, centre: tuple[float, float], height: float, *, apart: float = SAME_PLACE
) -> bool:
    is_similar_size = 1 / SAME_SIZE < proposal.height / max(height, 1e-6) < SAME_SIZE
    distance = math.dist(proposal.centre, centre)
    return is_similar_size and distance < apart * max(proposal.height, height)
