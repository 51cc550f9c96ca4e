"""Three pictures of the webcam become portraits of one pupil, together or not at all."""

from __future__ import annotations

from dataclasses import replace

import pytest

from consent_gate.db import audit_log
from consent_gate.db.models import (
    AuditEntry,
    ConsentAnswer,
    EnrolmentPhoto,
    Lookalike,
    Portrait,
    PupilEntry,
    Template,
)
from consent_gate.home.home import Home
from consent_gate.matching.gallery import MODELS
from consent_gate.model import BIOMETRIC
from consent_gate.register.repository import load_gallery
from ingest.enrolment import webcam
from ingest.enrolment.from_picture import NOT_ALLOWED
from ingest.enrolment.webcam import (
    BUSY,
    ENOUGH,
    INCOMPLETE,
    KNOWN,
    MOST_BYTES,
    NOT_LIKE_PORTRAITS,
    SAME_PICTURE,
    TOO_LARGE,
    WebcamRefused,
    enrol_poses,
    refusal_reason,
)
from ingest.enrolment.webcam_poses import NOT_TURNED, OTHER_CHILD, TOO_DARK, TWO_FACES, Pose
from ingest.faces.enrolment_face import EnrolmentFace, NotEnrollableReason, not_enrollable
from tests.support.factories import World
from tests.support.measured_poses import (
    GOOD,
    TURNS,
    MeasuredPool,
    PoseResult,
    enrol_one,
    enrolled,
    face_of,
    pictures,
    poses_of,
)

ANN, BEN, CAT = "000001", "000002", "000003"
ANNS_FACE, BENS_FACE, A_STRANGER = 11, 22, 33


@pytest.fixture
def school(home: Home) -> Home:
    """Ann and Ben are brother and sister; Ben and Cat may be recognised as well."""
    world = World(home)
    world.make_import()
    world.make_pupil(ANN, "Ann", "Archer", enrolled=False, family_group="H1")
    world.make_pupil(BEN, "Ben", "Archer", enrolled=False, family_group="H1")
    world.make_pupil(CAT, "Cat", "Cole", enrolled=False)
    return home


def save(
    home: Home, outcomes: dict[Pose, PoseResult], number: str = ANN, label: str = "first"
) -> MeasuredPool:
    pool = MeasuredPool(outcomes)
    enrol_poses(home, number, pictures(label), "office", pool)
    return pool


def refused(home: Home, outcomes: dict[Pose, PoseResult], number: str = ANN) -> WebcamRefused:
    """Save pictures that are refused, and see that nothing was stored."""
    before = list(Template.objects.values_list("pk", flat=True))
    with pytest.raises(WebcamRefused) as error:
        save(home, outcomes, number, "refused")
    assert list(Template.objects.values_list("pk", flat=True)) == before
    return error.value


def test_three_poses_become_portraits_that_wait_for_confirmation(school: Home) -> None:
    save(school, poses_of(ANNS_FACE))
    photos = EnrolmentPhoto.objects.filter(pupil__admission_number=ANN)
    assert {(p.added_by, p.confirmed_at, p.item) for p in photos} == {("office", None, None)}
    assert {p.taken_on for p in photos} == {school.now().date()}
    assert Template.objects.count() == 3 * len(MODELS)
    assert Portrait.objects.count() == 3
    assert load_gallery(school, with_waiting=True).template_count == 3
    told = AuditEntry.objects.filter(action="templates.made", actor="office")
    assert told.count() == 3
    assert audit_log.verify(school) == []


def test_further_poses_of_a_pupil_with_portraits_are_added(school: Home) -> None:
    enrolled(school, ANN, ANNS_FACE)
    enrolled(school, BEN, BENS_FACE)
    save(school, poses_of(ANNS_FACE))
    assert EnrolmentPhoto.objects.filter(pupil__admission_number=ANN).count() == 4


@pytest.mark.dialect
@pytest.mark.parametrize("lost", ["consent", "roll", "objection"])
def test_no_picture_is_opened_once_the_pupil_may_not_be_matched(school: Home, lost: str) -> None:
    """Also not where a request of before the withdrawal is sent again."""
    if lost == "consent":
        consent = ConsentAnswer.objects.filter(pupil__admission_number=ANN, purpose=BIOMETRIC)
        consent.update(answer="refused")
    else:
        change = {"roll": {"on_roll": False}, "objection": {"biometric_objection": True}}[lost]
        PupilEntry.objects.filter(admission_number=ANN).update(**change)
    pool = MeasuredPool(poses_of(ANNS_FACE))
    with pytest.raises(WebcamRefused, match=NOT_ALLOWED):
        enrol_poses(school, ANN, pictures(), "office", pool)
    assert pool.opened == []
    assert not EnrolmentPhoto.objects.exists()


def test_consent_that_ends_while_the_pictures_are_measured_stores_none_of_them(
    school: Home,
) -> None:
    class Withdrawn(MeasuredPool):
        def __exit__(self, *_: object) -> None:
            consent = ConsentAnswer.objects.filter(pupil__admission_number=ANN)
            consent.filter(purpose=BIOMETRIC).update(answer="refused")

    with pytest.raises(WebcamRefused, match="no biometric consent"):
        enrol_poses(school, ANN, pictures(), "office", Withdrawn(poses_of(ANNS_FACE)))
    assert not EnrolmentPhoto.objects.exists()


def test_pictures_are_stored_once_and_never_for_a_second_pupil(school: Home) -> None:
    save(school, poses_of(ANNS_FACE))
    for number in (ANN, BEN):
        with pytest.raises(WebcamRefused) as error:
            save(school, poses_of(ANNS_FACE), number)
        assert error.value.problems == dict.fromkeys(Pose, KNOWN)
    assert EnrolmentPhoto.objects.count() == 3


def test_three_equal_pictures_are_refused_unopened(school: Home) -> None:
    pool = MeasuredPool(poses_of(ANNS_FACE))
    with pytest.raises(WebcamRefused) as error:
        enrol_poses(school, ANN, dict.fromkeys(Pose, b"one straight"), "office", pool)
    assert error.value.problems == {Pose.LEFT: SAME_PICTURE, Pose.RIGHT: SAME_PICTURE}
    assert pool.opened == []


def test_incomplete_and_huge_pictures_are_refused_unopened(school: Home) -> None:
    pool = MeasuredPool(poses_of(ANNS_FACE))
    huge = pictures() | {Pose.LEFT: bytes(MOST_BYTES + 1)}
    with pytest.raises(WebcamRefused) as error:
        enrol_poses(school, ANN, huge, "office", pool)
    assert error.value.problems == {Pose.LEFT: TOO_LARGE}
    for some in ({}, {Pose.LEFT: b"x"}, pictures() | {Pose.RIGHT: b""}):
        with pytest.raises(WebcamRefused, match=INCOMPLETE):
            enrol_poses(school, ANN, some, "office", pool)
    assert pool.opened == []


def test_one_still_photo_taken_three_times_is_refused(school: Home) -> None:
    still = {pose: face_of(ANNS_FACE, n, change=0.05) for n, pose in enumerate(Pose)}
    assert refused(school, still).problems == {Pose.LEFT: NOT_TURNED, Pose.RIGHT: NOT_TURNED}


def test_two_faces_and_a_dark_picture_are_named_at_their_picture(school: Home) -> None:
    two = poses_of(ANNS_FACE) | {Pose.LEFT: not_enrollable(NotEnrollableReason.TWO_FACES)}
    assert refused(school, two).problems == {Pose.LEFT: TWO_FACES}
    dark = poses_of(ANNS_FACE)
    found = dark[Pose.RIGHT]
    assert isinstance(found, EnrolmentFace)
    dark[Pose.RIGHT] = replace(found, quality=replace(GOOD, brightness=12.0))
    assert refused(school, dark).problems == {Pose.RIGHT: TOO_DARK}


def test_a_brother_who_takes_the_place_for_one_picture_is_refused(school: Home) -> None:
    mixed = poses_of(ANNS_FACE) | {Pose.RIGHT: poses_of(BENS_FACE)[Pose.RIGHT]}
    assert refused(school, mixed).problems == {Pose.RIGHT: OTHER_CHILD}


@pytest.mark.parametrize("number", [ANN, CAT])
def test_another_enrolled_pupil_in_front_of_the_camera_is_refused(
    school: Home, number: str
) -> None:
    """Ben sits there: as his sister, who has no portrait yet, and as a classmate."""
    enrolled(school, BEN, BENS_FACE)
    assert BEN in refused(school, poses_of(BENS_FACE), number).message
    doubted = Lookalike.objects.filter(second__admission_number=number).exists()
    assert doubted == (number == CAT)


def test_a_brother_who_is_nearer_than_the_pupil_is_refused(school: Home) -> None:
    """Ben looks like Ann's portrait, and more like his own."""
    enrolled(school, ANN, ANNS_FACE)
    unlike = face_of(ANNS_FACE, 50, change=0.9)
    assert isinstance(unlike, EnrolmentFace)
    faces: dict[Pose, PoseResult] = {pose: replace(unlike, turn=TURNS[pose]) for pose in Pose}
    enrol_one(school, BEN, "f" * 64, unlike)
    assert BEN in refused(school, faces).message


def test_somebody_who_is_not_like_the_pupils_portraits_is_refused(school: Home) -> None:
    enrolled(school, ANN, ANNS_FACE)
    assert refused(school, poses_of(A_STRANGER)).message == NOT_LIKE_PORTRAITS


def test_a_pupil_has_only_so_many_portraits(school: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webcam, "MOST_PORTRAITS", 5)
    save(school, poses_of(ANNS_FACE))
    assert refusal_reason(school, ANN) == ENOUGH
    assert refused(school, poses_of(ANNS_FACE)).message == ENOUGH


def test_one_pupil_is_measured_at_a_time_and_a_failure_frees_the_place(school: Home) -> None:
    class Second(MeasuredPool):
        def __enter__(self) -> MeasuredPool:
            with pytest.raises(WebcamRefused, match=BUSY):
                save(school, poses_of(BENS_FACE), BEN, "second")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        enrol_poses(school, ANN, pictures(), "office", Second({}))
    save(school, poses_of(ANNS_FACE))
