"""Find faces at every in-plane angle.

Quick detectors propose places (``place_proposals``). ``likely_places`` leaves out most of those
that show none, and ``verification`` decides which of the others show a face.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from consent_gate.model import FaceKind
from ingest.faces.augmentation import halvings
from ingest.faces.clustering import Boxes
from ingest.faces.likely_places import likely_places
from ingest.faces.place_classifier import PlaceClassifier
from ingest.faces.place_crops import Halvings, Proposal
from ingest.faces.place_proposals import PlaceProposer
from ingest.faces.protocols import RGB, Detector, FoundFace
from ingest.faces.same_places import SAME_PLACE, SAME_SIZE, is_same_place, without_duplicates
from ingest.faces.verification import LARGE, verify_proposal

KNOWN_PLACE = 0.55
"""A place that is less far than this from the centre of a known face, in its heights, shows a part
of that face."""
CLEAR = 0.3
"""The detector's score from which a place is one of a clear face."""


class RotationSearch:
    """Finds faces at any angle."""

    def __init__(
        self,
        proposer: PlaceProposer,
        verifiers: Sequence[Detector],
        classifier: PlaceClassifier,
    ) -> None:
        """Build a search.

        Args:
            proposer: Proposes places.
            verifiers: The detectors that verify each place.
            classifier: Judges each place before the verifiers do.
        """
        self._proposer = proposer
        self._settings = proposer.settings
        self._verifiers = verifiers
        self._classifier = classifier

    @property
    def quick_detector(self) -> Detector:
        """The detector that proposes places at quarter turns."""
        return self._proposer.quick_detector

    def at_most(self, max_side: int) -> RotationSearch:
        """The same search in pictures of at most this long side."""
        proposer = self._proposer.at_most(max_side)
        return RotationSearch(proposer, self._verifiers, self._classifier)

    def find(self, rgb: RGB, is_known: Callable[[Proposal], bool]) -> list[FoundFace]:
        """The faces and possible faces, highest score first.

        Args:
            rgb: The picture: (height, width, 3), uint8, RGB.
            is_known: Whether a proposed place, in pixels of the picture, need not be verified.
        """
        places = [place for place in self.places(rgb) if not is_known(place)]
        hints = [place for place in places if place.is_hint]
        seen = [place for place in places if not place.is_hint][: self._settings.max_places]
        found: list[tuple[FoundFace, Proposal]] = []
        views, scale = halvings(rgb), self._settings.scale(rgb)
        for place in [*self._likely(views, seen), *self._likely(views, hints)]:
            # A possible face does not count here: another angle or centre may show a certain one.
            # A hint is not a better centre of a place that is found already.
            certain = (
                other for face, other in found if place.is_hint or face.kind is FaceKind.FACE
            )
            if any(is_same_place(place, other.centre, other.height) for other in certain):
                continue
            face = self.verified(views, place, scale)
            if face is not None and not is_known(_place_of(face)):
                found.append((face, place))
        return _best_of_each_place(found)

    def verified(self, views: Halvings, place: Proposal, scale: float) -> FoundFace | None:
        """The face or possible face at a place, or None; see ``verify_proposal``."""
        return verify_proposal(views, place, self._verifiers, self._classifier, scale)

    def places(self, rgb: RGB) -> list[Proposal]:
        """The places to verify in ``rgb`` (height, width, 3; uint8; RGB), highest score first."""
        return self._proposer.places(rgb)

    def _likely(self, views: Halvings, places: Sequence[Proposal]) -> list[Proposal]:
        """The places to verify: clear faces first, then the likeliest by their small crops."""
        settings = self._settings
        scale = settings.scale(views[0].pixels)
        likely = [
            place
            for place in likely_places(
                views, places, self._classifier, settings.small * scale, LARGE * scale
            )
            if place.height >= settings.min_height * scale
        ]
        # Of the places of a clear face, the small crop does not tell which is centred and upright.
        likely.sort(key=lambda place: -place.score if place.score >= CLEAR else 0.0)
        return without_duplicates(likely, SAME_PLACE, SAME_SIZE)[: settings.max_verified]


def _best_of_each_place(found: Sequence[tuple[FoundFace, Proposal]]) -> list[FoundFace]:
    """Of the faces at one place the one with the highest score; highest score first."""
    kept: list[tuple[FoundFace, Proposal]] = []
    for face, place in sorted(found, key=lambda one: -one[0].score):
        if not any(is_same_place(place, other.centre, other.height) for _, other in kept):
            kept.append((face, place))
    return [face for face, _ in kept]


def is_any_of(proposal: Proposal, known: Boxes) -> bool:
    """Whether a place shows one of the known faces, each a row (x, y, width, height)."""
    return any(
        is_same_place(
            proposal, (x + width / 2, y + height / 2), max(width, height), apart=KNOWN_PLACE
        )
        for x, y, width, height in known
    )


def _place_of(face: FoundFace) -> Proposal:
    box = face.box
    return Proposal(box.middle, max(box.width, box.height), 0.0, face.score)
