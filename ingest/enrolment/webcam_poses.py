"""Decide whether three webcam pictures are good enough, and show one child in three poses.

Pure functions of what was measured. ``ingest.enrolment.webcam`` takes the pictures in.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from itertools import combinations

from ingest.faces.enrolment_face import EnrolmentFace, NotEnrollable, NotEnrollableReason

GOOD_HEIGHT_PX = 100
"""A lower face is recognised less often (docs/adr/0004-recognition.md); at arm's length from a
webcam of 640 x 480 pixels a face has about 200."""

GOOD_BRIGHTNESS = 40.0
"""Mean of the aligned face, 0-255. At a tenth of the usual light, about 12, a quarter of the faces
are lost (docs/adr/0004-recognition.md)."""

GOOD_MIRROR_AGREEMENT = 0.93
"""Of faces below, one in three is recognised (docs/adr/0004-recognition.md)."""

MOST_TURN_STRAIGHT = 0.15
"""Largest turn of a head that looks straight at the camera; ``ingest.faces.quality.turn``."""

LEAST_TURN, MOST_TURN = 0.12, 0.45
"""Least and most by which the head is turned between the straight picture and another one, in the
unit of ``ingest.faces.quality.turn``. The least is above what most flat pictures show when they are
tilted (docs/adr/0020-event-roll.md)."""

TWO_FACES = "Two faces. Only the pupil may be in the picture."
NO_FACE = "No face was found. Look at the camera, in good light."
TOO_DARK = "Too dark. Turn on the light, or turn the pupil towards the window."
TOO_SMALL = "The face is too small. Come closer to the camera."
UNCLEAR = "The face is not clear. Hold still, and take the picture again."
NOT_STRAIGHT = "The head is turned. Look straight at the camera."
NOT_TURNED = "The head is not turned enough. Turn it a little to one side."
TURNED_TOO_FAR = "The head is turned too far. Turn it only a little."
SAME_SIDE = "The head is turned to the same side in both pictures. Turn it to the other side here."
OTHER_CHILD = "This picture does not show the same person as the others."

_REFUSALS = {
    NotEnrollableReason.NO_FACE: NO_FACE,
    NotEnrollableReason.TWO_FACES: TWO_FACES,
}


class Pose(StrEnum):
    """How the pupil holds the head. Which side is which is not checked: webcams may mirror."""

    STRAIGHT = "straight"
    LEFT = "left"
    RIGHT = "right"


def refusal_message(refused: NotEnrollable) -> str:
    """What staff read below a picture of which no template can be made."""
    return _REFUSALS.get(refused.reason, refused.message)


def quality_problem(face: EnrolmentFace) -> str:
    """Why one picture is too poor for a portrait; empty where it is good. NaN is not good."""
    quality = face.quality
    checks = (
        (quality.height_px >= GOOD_HEIGHT_PX, TOO_SMALL),
        (quality.brightness >= GOOD_BRIGHTNESS, TOO_DARK),
        (quality.mirror_agreement >= GOOD_MIRROR_AGREEMENT, UNCLEAR),
    )
    return next((message for passed, message in checks if not passed), "")


def pose_problems(faces: Mapping[Pose, EnrolmentFace]) -> dict[Pose, str]:
    """What is wrong with how the head is held, by pose; empty where all three are as asked.

    A still photo that is held before the camera fails here: tilting it turns no head.
    """
    straight = faces[Pose.STRAIGHT].turn
    if not abs(straight) <= MOST_TURN_STRAIGHT:
        return {Pose.STRAIGHT: NOT_STRAIGHT}
    turns = {pose: faces[pose].turn - straight for pose in (Pose.LEFT, Pose.RIGHT)}
    found = {}
    for pose, turned in turns.items():
        if not abs(turned) <= MOST_TURN:
            found[pose] = TURNED_TOO_FAR
        elif abs(turned) < LEAST_TURN:
            found[pose] = NOT_TURNED
    if not found and turns[Pose.LEFT] * turns[Pose.RIGHT] > 0:
        found[Pose.RIGHT] = SAME_SIDE
    return found


def different_people(
    faces: Mapping[Pose, EnrolmentFace],
    score: Callable[[EnrolmentFace, EnrolmentFace], float],
    least: float,
) -> dict[Pose, str]:
    """The poses that do not show the same person as another one.

    Args:
        faces: The three faces.
        score: The fused score of two faces.
        least: The score that two pictures of one minute must reach.
    """
    unlike = [
        pair for pair in combinations(Pose, 2) if not score(faces[pair[0]], faces[pair[1]]) >= least
    ]
    counts = {pose: sum(pose in pair for pair in unlike) for pose in Pose}
    most = max(counts.values())
    return {pose: OTHER_CHILD for pose in Pose if most and counts[pose] == most}
