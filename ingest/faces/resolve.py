"""From all that the detectors saw in a picture to the faces that are in it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from consent_gate.model import FAR_SMALLER, Box, FaceKind
from ingest.faces.clustering import Boxes, FaceCandidate, contained, merge_detections, overlaps
from ingest.faces.ensemble import FACE_FROM, FITTED_ENSEMBLE, DetectorEnsemble
from ingest.faces.protocols import Detection, FoundFace, Landmarks

PART_OF = 0.7
"""A half-believed box of which this share lies in a surer one is a part of that face: large faces
are seen again as eyes and nose alone. All 6 boxes between 0.15 and 0.3 belief that were not
somebody's face, in 228 school pictures, were of that kind."""
SURE_ALONE = {"yunet": 0.8, "centerface": 0.5}
"""Score at which one detector alone keeps a box inside a larger face: a child before a poster."""
SAME_FEATURES = 0.15
"""Mean distance of the landmarks from those of a larger face, in heights of that face, below which
a possible box shows its eyes, nose and mouth again. In the fit half none of 110 children pasted
before the face of a poster, at 0.25 to 0.6 of its height, was lost by this rule."""
SAME_PLACE = 0.3
"""Intersection over union from which something found anew is nothing new."""
SUPPORTED = 0.1
"""Score below which a possible face has the support of the classifier alone."""
PART_FOR_CLASSIFIER, WHOLE_FOR_CLASSIFIER = 0.25, 0.5
"""For such a face, the share of its box that lies in a surer face, and the share of the surer face
that lies in its box, from which it shows that one again."""
FAR_SMALLER_FOR_CLASSIFIER = 0.3
"""A box of less than this share of the surer face's size is kept in spite of this. With 0.4 the
mouth of a portrait of the demonstration is kept: 0.37 of the face's height."""
TYPICAL_LANDMARKS = np.array(
    [[0.31, 0.46], [0.69, 0.46], [0.50, 0.64], [0.35, 0.82], [0.65, 0.82]], dtype=np.float32
)
"""Where the landmarks of an upright frontal face lie in its box, as shares of it."""


def resolve_faces(
    detections: Sequence[Detection],
    width: int,
    height: int,
    agreement: DetectorEnsemble = FITTED_ENSEMBLE,
) -> list[FoundFace]:
    """The faces and possible faces of a picture of this size, surest first."""
    candidates = sorted(merge_detections(detections), key=lambda c: -agreement.log_odds(c.scores))
    faces: list[FoundFace] = []
    for candidate in candidates:
        face = _face(candidate, width, height, agreement)
        if face is not None and not _is_part_of(candidate, face, faces):
            faces.append(face)
    return faces


def estimated_landmarks(box: Box) -> Landmarks:
    """Where the landmarks of an upright frontal face would lie, for a box without any."""
    size = np.array([box.width, box.height], dtype=np.float32)
    corner = np.array([box.x, box.y], dtype=np.float32)
    return np.asarray(TYPICAL_LANDMARKS * size + corner, dtype=np.float32)


def _face(
    candidate: FaceCandidate, width: int, height: int, agreement: DetectorEnsemble
) -> FoundFace | None:
    """The candidate as a face of the picture; None when too few believe in it."""
    kind = agreement.kind(candidate.scores, float(candidate.box[3]))
    box = clipped(candidate.box.tolist(), width, height)
    if kind is None or box is None:
        return None
    landmarks = candidate.landmarks
    if landmarks is None:
        landmarks = estimated_landmarks(box)
    return FoundFace(box, agreement.probability(candidate.scores), kind, landmarks)


def clipped(place: Sequence[float], width: int, height: int) -> Box | None:
    """The part of (x, y, width, height) inside a picture of this size; None when there is none."""
    x, y, across, down = (float(value) for value in place)
    left, top = max(0, round(x)), max(0, round(y))
    right, bottom = min(width, round(x + across)), min(height, round(y + down))
    if right <= left or bottom <= top:
        return None
    return Box(left, top, right - left, bottom - top)


def is_part_of_any(box: Box, faces: Sequence[Box]) -> bool:
    """Whether a box shows a part of one of these faces, such as eyes and nose.

    A far smaller box is a face of its own: a child before a poster.
    """
    near_size = [face.as_list() for face in faces if box.height >= FAR_SMALLER * face.height]
    rows = np.array(near_size, np.float64).reshape(-1, 4)
    inside = contained(np.array(box.as_list(), np.float64), rows)
    return bool(inside.max(initial=0.0) >= PART_OF)


def _is_part_of(candidate: FaceCandidate, face: FoundFace, kept: Sequence[FoundFace]) -> bool:
    """Whether a box that is not surely a face shows a part of one of the faces already kept."""
    if face.score >= FACE_FROM:
        return False
    around = [other for other in kept if is_part_of_any(face.box, [other.box])]
    if any(_has_same_features(face, other) for other in around):
        return True
    return bool(around) and not _is_sure_alone(candidate)


def _has_same_features(face: FoundFace, larger: FoundFace) -> bool:
    distances = np.linalg.norm(face.landmarks - larger.landmarks, axis=1)
    return float(distances.mean()) < SAME_FEATURES * larger.box.height


def _is_sure_alone(candidate: FaceCandidate) -> bool:
    return any(score >= SURE_ALONE.get(name, 1.0) for name, score in candidate.scores.items())


def with_rotated(faces: list[FoundFace], rotated: Sequence[FoundFace]) -> list[FoundFace]:
    """The upright faces and the rotated ones. A rotated face replaces one with a lower score."""
    for found in rotated:
        rivals = [face for face in faces if any_at(found, boxes_of([face]))]
        if any(face.kind is FaceKind.FACE or face.score >= found.score for face in rivals):
            continue
        surer = [face.box for face in faces if face.score > found.score and face not in rivals]
        if found.kind is FaceKind.FACE or not shows_part(found, surer):
            faces = [face for face in faces if face not in rivals] + [found]
    return faces


def shows_part(found: FoundFace, surer: Sequence[Box]) -> bool:
    """Whether a possible face shows a part of a surer one.

    One that only the classifier supports also does so where it overlaps a surer one less: to the
    classifier a mouth, the edge of a face with its hair, and a face with its shoulders look like a
    hidden face. A far smaller one is a face of its own.
    """
    if found.score >= SUPPORTED:
        return is_part_of_any(found.box, surer)
    box = np.array(found.box.as_list(), np.float64)
    return any(
        (
            contained(box, face[None]).max() >= PART_FOR_CLASSIFIER
            and box[2:].max() >= FAR_SMALLER_FOR_CLASSIFIER * face[2:].max()
        )
        or contained(face, box[None]).max() >= WHOLE_FOR_CLASSIFIER
        for face in (np.array(other.as_list(), np.float64) for other in surer)
    )


def any_at(found: Detection | FoundFace, known: Boxes) -> bool:
    """Whether something was found at a known place already."""
    if not len(known):
        return False
    return bool(overlaps(boxes_of([found])[0], known).max() >= SAME_PLACE)


def boxes_of(found: Iterable[Detection | FoundFace]) -> Boxes:
    """The boxes as rows of an array."""
    places = [one.box if isinstance(one, FoundFace) else one for one in found]
    rows = [[place.x, place.y, place.width, place.height] for place in places]
    return np.array(rows, dtype=np.float64).reshape(-1, 4)
