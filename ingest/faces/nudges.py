"""Look again at a place of which the classifier is unsure, a little moved, scaled or rotated.

The detectors draw a small hidden face off its centre, too small or askew. Drawn a little otherwise,
most such faces get high log-odds from the classifier. Other places seldom do.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

from ingest.faces.place_crops import Proposal


@dataclass(frozen=True)
class Nudge:
    """A small change of a place, as it is seen upright."""

    right: float = 0.0
    down: float = 0.0
    """In heights of the face."""
    size: float = 1.0
    degrees: float = 0.0


NUDGES = (  # first those that most often made the classifier sure of a face
    Nudge(down=0.2),
    Nudge(size=1.25),
    Nudge(right=-0.2),
    Nudge(right=0.2),
    Nudge(degrees=15),
    Nudge(degrees=-15),
    Nudge(down=-0.2),
    Nudge(size=0.8),
)


CORRECTIONS = 3
"""How often a place is corrected at most."""


def nudged(place: Proposal, nudge: Nudge) -> Proposal:
    """The place after one change."""
    turn = math.radians(place.degrees)
    right, down = nudge.right * place.height, nudge.down * place.height
    x, y = place.centre
    return replace(
        place,
        centre=(
            x + math.cos(turn) * right - math.sin(turn) * down,
            y + math.sin(turn) * right + math.cos(turn) * down,
        ),
        height=nudge.size * place.height,
        degrees=place.degrees + nudge.degrees,
    )


def first_settled(
    place: Proposal,
    correct: Callable[[Proposal], Proposal],
    classify: Callable[[Proposal], float],
    enough: float,
    least: float,
) -> Proposal | None:
    """The first place of which the classifier is sure twice in succession, or None.

    Args:
        place: A place of which the classifier is not sure.
        correct: Moves a place to the face that it seems to show.
        classify: Gives the log-odds of a place.
        enough: The log-odds from which it is sure.
        least: The log-odds below which no further correction is made.
    """
    log_odds = -math.inf
    for _ in range(CORRECTIONS):
        place, before = correct(place), log_odds
        log_odds = classify(place)
        if min(before, log_odds) >= enough:
            return place
        if log_odds < least:
            return None
    return None


def first_sure(
    place: Proposal, classify: Callable[[Proposal], float], enough: float
) -> Proposal | None:
    """The first nudge of ``place`` that the classifier is sure of, or None.

    Args:
        place: A place of which the classifier is unsure.
        classify: Gives the log-odds of a place.
        enough: The log-odds from which it is sure.
    """
    places = (nudged(place, nudge) for nudge in NUDGES)
    return next((other for other in places if classify(other) >= enough), None)
