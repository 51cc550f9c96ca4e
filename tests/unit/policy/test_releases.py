"""The last day, the last pixel, the second signature: a gate that only shuts is switched off."""

from __future__ import annotations

from dataclasses import replace

import pytest

from consent_gate.model import (
    Ambiguous,
    Approval,
    Box,
    Consent,
    DeviceRule,
    FaceEvidence,
    Reason,
    Release,
    Tag,
    TagKind,
    Unknown,
    WhenNoFaces,
)
from tests.support.core_factories import (
    ANN,
    BEN,
    LENIENT,
    REFUSED,
    WEBSITE,
    WITH_FOUR_EYES,
    a_face,
    a_picture,
    a_pupil,
    a_school,
    a_visitor,
    assert_held,
    assert_released,
    days_ago,
    face_of,
    given,
    on_the_website,
    signed,
    staff_say,
    tagged,
    the_rules,
    with_consent,
)

ANOTHER_CAMERA = frozenset({"Nikon|Z50|42"})


# --- dates ---


@pytest.mark.parametrize("age", [0, 130])
def test_todays_register_and_one_on_its_last_day_release(age: int) -> None:
    assert_released(on_the_website(a_picture(face_of()), a_school(exported_on=days_ago(age))))


@pytest.mark.parametrize("age", [0, 548])
def test_todays_enrolment_photo_and_one_on_its_last_day_release(age: int) -> None:
    school = a_school(a_pupil(enrolled_on=days_ago(age)))
    assert_released(on_the_website(a_picture(face_of()), school))


@pytest.mark.parametrize(
    "consent", [given(given_on=days_ago(0)), given(expires_on=days_ago(0)), given(given_on=None)]
)
def test_a_consent_holds_on_its_first_and_on_its_last_day(consent: Consent) -> None:
    school = a_school(with_consent(a_pupil(), consent))
    assert_released(on_the_website(a_picture(face_of()), school))


# --- lookalikes ---


def test_a_pupil_whose_lookalike_is_cleared_too_goes_out() -> None:
    school = a_school(a_pupil(ANN, lookalikes=(BEN,)), a_pupil(BEN, lookalikes=(ANN,)))
    assert_released(on_the_website(a_picture(face_of(ANN)), school))


def test_staff_may_tell_twins_apart() -> None:
    school = a_school(a_pupil(ANN, lookalikes=(BEN,)), with_consent(a_pupil(BEN), REFUSED))
    staff = signed({0: tagged(ANN)})
    assert_released(on_the_website(a_picture(a_face(Ambiguous((ANN, BEN)))), school, staff))


# --- pictures staff may approve as a whole ---


def test_staff_may_approve_a_picture_without_faces() -> None:
    release = assert_released(on_the_website(a_picture(), staff=signed()))
    assert release == Release((), approved_by="j.shaw")


def test_a_channel_may_take_pictures_without_faces() -> None:
    rules = the_rules(replace(WEBSITE, when_no_faces=WhenNoFaces.RELEASE))
    assert_released(on_the_website(a_picture(), rules=rules))


def test_staff_may_approve_an_unknown_camera() -> None:
    rules = the_rules(registered_devices=ANOTHER_CAMERA)
    release = assert_released(on_the_website(a_picture(face_of()), None, signed(), rules))
    assert release.approved_by == "j.shaw"


@pytest.mark.parametrize("entry", ["Canon|EOS R50|", "CANON|eos r50|0123456789"])
def test_a_registered_camera_goes_out_by_serial_number_or_by_model(entry: str) -> None:
    rules = the_rules(registered_devices=frozenset({entry}))
    assert_released(on_the_website(a_picture(face_of()), rules=rules))


@pytest.mark.parametrize("rule", [DeviceRule.WARN, DeviceRule.OFF])
def test_a_school_may_choose_not_to_hold_unknown_cameras(rule: DeviceRule) -> None:
    rules = the_rules(registered_devices=ANOTHER_CAMERA, devices=rule)
    assert_released(on_the_website(a_picture(face_of()), rules=rules))


def test_an_approval_nobody_needed_is_not_put_on_record_as_the_ground() -> None:
    assert assert_released(on_the_website(a_picture(face_of()), staff=signed())).approved_by is None


def test_a_tag_that_agrees_with_the_machine_is_put_on_record_when_signed() -> None:
    agrees = signed({0: tagged(ANN)})
    release = assert_released(on_the_website(a_picture(face_of(ANN)), staff=agrees))
    assert release.approved_by == "j.shaw"
    assert [b.basis for b in release.basis] == ["tagged"]


# --- faces staff may clear ---


def test_staff_may_name_a_pupil_whom_the_machine_may_not_recognise() -> None:
    school = a_school(a_pupil(ANN, biometric_objection=True, enrolled_on=None))
    picture = a_picture(a_face(Unknown()))
    assert_released(on_the_website(picture, school, signed({0: tagged(ANN)})))


def test_staff_may_correct_the_machine() -> None:
    staff = signed({1: tagged(BEN)})
    release = assert_released(on_the_website(a_picture(face_of(ANN), face_of(ANN)), staff=staff))
    assert [(b.pupil, b.basis) for b in release.basis] == [(ANN, "consent"), (BEN, "tagged")]


def test_the_reflection_of_a_pupil_may_be_blurred() -> None:
    staff = signed({1: Tag(TagKind.BLURRED, pupil=ANN)})
    assert_released(on_the_website(a_picture(face_of(ANN), face_of(ANN)), staff=staff))


def test_a_face_staff_drew_goes_out_once_it_is_named() -> None:
    staff = signed({1: tagged(BEN)}, added_faces=(Box(1, 1, 50, 50),))
    assert_released(on_the_website(a_picture(face_of(ANN)), staff=staff))


# --- four eyes ---


def test_four_eyes_are_not_asked_where_the_machine_is_content() -> None:
    assert_released(on_the_website(a_picture(face_of()), rules=WITH_FOUR_EYES))
    assert_released(on_the_website(a_picture(face_of()), None, signed(), WITH_FOUR_EYES))
    agrees = staff_say({0: tagged(ANN)})
    assert_released(on_the_website(a_picture(face_of(ANN)), None, agrees, WITH_FOUR_EYES))


@pytest.mark.parametrize(("first", "second"), [("j.shaw", "J.SHAW"), ("J.Shaw ", " j.shaw")])
def test_another_spelling_is_not_another_person(first: str, second: str) -> None:
    approval = Approval(first, "asked", second)
    staff = staff_say({0: a_visitor()}, approvals={"website": approval})
    verdict = on_the_website(a_picture(a_face(Unknown())), None, staff, WITH_FOUR_EYES)
    assert_held(verdict, Reason.AWAITING_SECOND_PERSON)


# --- faces too small to recognise: 12 pixels of 1600 are 30 of 4000 ---


def sized(width: int, height: int) -> FaceEvidence:
    return replace(a_face(Unknown()), box=Box(5, 5, width, height))


def test_a_face_just_under_the_channels_limit_is_excused() -> None:
    assert_released(on_the_website(a_picture(face_of(), sized(29, 29)), rules=LENIENT))


@pytest.mark.parametrize("face", [sized(30, 30), sized(29, 30), sized(30, 29)])
def test_a_face_at_the_channels_limit_is_held(face: FaceEvidence) -> None:
    assert_held(on_the_website(a_picture(face_of(), face), rules=LENIENT), Reason.UNKNOWN_FACE)


def test_a_picture_smaller_than_the_channels_is_not_enlarged() -> None:
    small = a_picture(face_of(), sized(11, 11), width=800, height=600)
    assert_released(on_the_website(small, rules=LENIENT))
    sharp = a_picture(face_of(), sized(12, 12), width=800, height=600)
    assert_held(on_the_website(sharp, rules=LENIENT), Reason.UNKNOWN_FACE)
