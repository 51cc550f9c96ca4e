"""Tell by a small crop which places may show a face.

Most places that the detectors propose are rejected here. One that is not likely itself counts as
well where it seems to show a face beside its middle, larger or askew.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ingest.faces.nudges import nudged
from ingest.faces.place_classifier import QUICK_SIDE, PlaceClassifier
from ingest.faces.place_crops import CropVariant, Halvings, Proposal, place_crop

MIN_QUICK = -1.2
"""The classifier's log-odds for the small crop below which a place shows no face. From -0.8 it
rejected 77 to 91 % of the places of seven photos of the made-up school. From -1.2 half as many
again pass, and 1 of 134 faces more is found."""
MIN_QUICK_CORRECTED = -2.5
"""The small crop's log-odds from which a place is corrected and judged again."""
QUICK = CropVariant(QUICK_SIDE / 2, QUICK_SIDE, 0, mirrored=False)
"""The small crop that the classifier sees first. Most places are rejected by it."""
LARGER = 1.4
"""The detectors draw small faces too small where a part is hidden or outside the picture: in the
fit half at 0.5 to 0.8 of their height."""
BATCH = 16
"""Small crops that are classified together, in two thirds of the time."""


def likely_places(
    views: Halvings,
    places: Sequence[Proposal],
    classifier: PlaceClassifier,
    small: float,
    highest: float,
) -> list[Proposal]:
    """The places that may show a face by their small crops, those with the highest log-odds first.

    A place lower than ``small`` pixels is also judged as a larger face, and has the likelier size
    in the answer. An unlikely one is also judged where a face seems to be beside its middle.

    Args:
        views: The picture and its halves.
        places: The places.
        classifier: Judges the small crops.
        small: In pixels of the picture.
        highest: The height in pixels from which a corrected place does not count.
    """
    larger = {
        place: replace(place, height=LARGER * place.height)
        for place in places
        if place.height < small
    }
    judged = _judged(views, [*places, *larger.values()], classifier)
    log_odds = {place: value for place, (value, _) in judged.items()}
    best = [max(place, larger.get(place, place), key=log_odds.__getitem__) for place in places]
    corrected = {
        place: judged[place][1]
        for place in best
        if MIN_QUICK_CORRECTED <= log_odds[place] < MIN_QUICK and judged[place][1].height < highest
    }
    again = _judged(views, list(corrected.values()), classifier)
    log_odds |= {place: again[moved][0] for place, moved in corrected.items()}
    likely = [place for place in best if log_odds[place] >= MIN_QUICK]
    return sorted(likely, key=lambda place: -log_odds[place])


def _judged(
    views: Halvings, places: Sequence[Proposal], classifier: PlaceClassifier
) -> dict[Proposal, tuple[float, Proposal]]:
    """For each place the log-odds of its small crop, and the corrected place."""
    judged: dict[Proposal, tuple[float, Proposal]] = {}
    for start in range(0, len(places), BATCH):
        batch = places[start : start + BATCH]
        crops = [place_crop(views, place, QUICK).pixels for place in batch]
        for place, (log_odds, nudge) in zip(batch, classifier.quick(crops), strict=True):
            judged[place] = log_odds, nudged(place, nudge)
    return judged
