"""The webcam page: a photo instead of a child, and two people, as the real models see them."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from consent_gate.db.models import EnrolmentPhoto
from consent_gate.home.home import Home
from ingest.enrolment.webcam import WebcamRefused, enrol_poses
from ingest.enrolment.webcam_poses import NOT_TURNED, TWO_FACES, Pose
from ingest.faces.protocols import RGB
from tests.support.cached_analysis import CachedPool
from tests.support.face_photos import demo_portrait
from tests.support.factories import World
from tests.support.webcam_pictures import head_turned, tilted

ANN = "000001"
NOSE, RADIUS = 257.0, 128.0
"""Column of the nose and radius of the head in ``portrait``, in pixels."""

pytestmark = pytest.mark.slow


def portrait() -> RGB:
    """Grace Hopper, public domain, 500 x 500 pixels."""
    large = cv2.resize(demo_portrait("hopper_us_navy"), (500, 500), interpolation=cv2.INTER_CUBIC)
    return np.asarray(large, np.uint8)


def jpeg(rgb: RGB) -> bytes:
    done, data = cv2.imencode(".jpg", np.ascontiguousarray(rgb[..., ::-1]))
    assert done
    return data.tobytes()


def test_a_head_that_turns_is_enrolled_and_a_photo_that_is_tilted_is_not(home: Home) -> None:
    World(home).make_import()
    World(home).make_pupil(ANN, enrolled=False)
    straight, beside = portrait(), portrait()[:, 80:440]
    photo = {Pose.STRAIGHT: jpeg(straight)}
    photo |= {pose: jpeg(tilted(straight, d)) for pose, d in ((Pose.LEFT, -40), (Pose.RIGHT, 40))}
    with pytest.raises(WebcamRefused) as error:
        enrol_poses(home, ANN, photo, "office", CachedPool)
    assert error.value.problems == {Pose.LEFT: NOT_TURNED, Pose.RIGHT: NOT_TURNED}
    head = photo | {
        pose: jpeg(head_turned(straight, d, NOSE, RADIUS))
        for pose, d in ((Pose.LEFT, -35), (Pose.RIGHT, 35))
    }
    both = head | {Pose.LEFT: jpeg(np.hstack([beside, beside]))}
    with pytest.raises(WebcamRefused) as error:
        enrol_poses(home, ANN, both, "office", CachedPool)
    assert error.value.problems == {Pose.LEFT: TWO_FACES}
    assert not EnrolmentPhoto.objects.exists()
    enrol_poses(home, ANN, head, "office", CachedPool)
    assert EnrolmentPhoto.objects.filter(pupil__admission_number=ANN).count() == 3
