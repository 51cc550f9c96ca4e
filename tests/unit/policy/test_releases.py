"""Pictures at the limit of a rule that are still released."""

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
    assert_held,
    assert_released,
    days_ago,
    make_consent,
    make_face,
    make_matched_face,
    make_picture,
    make_pupil,
    make_register,
    make_rules,
    pupil_tag,
    signed_input,
    unsigned_input,
    visitor_tag,
    website_verdict,
    with_consent,
)

ANOTHER_CAMERA = frozenset({"Nikon|Z50|42"})


# --- dates ---


@pytest.mark.parametrize("age", [0, 130])
def test_todays_register_and_one_on_its_last_day_release(age: int) -> None:
    assert_released(
        website_verdict(make_picture(make_matched_face()), make_register(exported_on=days_ago(age)))
    )


@pytest.mark.parametrize("age", [0, 548])
def test_todays_enrolment_photo_and_one_on_its_last_day_release(age: int) -> None:
    school = make_register(make_pupil(enrolled_on=days_ago(age)))
    assert_released(website_verdict(make_picture(make_matched_face()), school))


@pytest.mark.parametrize(
    "consent",
    [
        make_consent(given_on=days_ago(0)),
        make_consent(expires_on=days_ago(0)),
        make_consent(given_on=None),
    ],
)
def test_a_consent_holds_on_its_first_and_on_its_last_day(consent: Consent) -> None:
    school = make_register(with_consent(make_pupil(), consent))
    assert_released(website_verdict(make_picture(make_matched_face()), school))


# --- lookalikes ---


def test_a_pupil_whose_lookalike_is_cleared_too_goes_out() -> None:
    school = make_register(make_pupil(ANN, lookalikes=(BEN,)), make_pupil(BEN, lookalikes=(ANN,)))
    assert_released(website_verdict(make_picture(make_matched_face(ANN)), school))


def test_staff_may_tell_twins_apart() -> None:
    school = make_register(
        make_pupil(ANN, lookalikes=(BEN,)), with_consent(make_pupil(BEN), REFUSED)
    )
    staff = signed_input({0: pupil_tag(ANN)})
    assert_released(website_verdict(make_picture(make_face(Ambiguous((ANN, BEN)))), school, staff))


# --- pictures staff may approve as a whole ---


def test_staff_may_approve_a_picture_without_faces() -> None:
    release = assert_released(website_verdict(make_picture(), staff=signed_input()))
    assert release == Release((), approved_by="j.shaw")


def test_a_channel_may_take_pictures_without_faces() -> None:
    rules = make_rules(replace(WEBSITE, when_no_faces=WhenNoFaces.RELEASE))
    assert_released(website_verdict(make_picture(), rules=rules))


def test_staff_may_approve_an_unknown_camera() -> None:
    rules = make_rules(registered_devices=ANOTHER_CAMERA)
    release = assert_released(
        website_verdict(make_picture(make_matched_face()), None, signed_input(), rules)
    )
    assert release.approved_by == "j.shaw"


@pytest.mark.parametrize("entry", ["Canon|EOS R50|", "CANON|eos r50|0123456789"])
def test_a_registered_camera_goes_out_by_serial_number_or_by_model(entry: str) -> None:
    rules = make_rules(registered_devices=frozenset({entry}))
    assert_released(website_verdict(make_picture(make_matched_face()), rules=rules))


@pytest.mark.parametrize("rule", [DeviceRule.WARN, DeviceRule.OFF])
def test_a_school_may_choose_not_to_hold_unknown_cameras(rule: DeviceRule) -> None:
    rules = make_rules(registered_devices=ANOTHER_CAMERA, devices=rule)
    assert_released(website_verdict(make_picture(make_matched_face()), rules=rules))


def test_an_approval_nobody_needed_is_not_put_on_record_as_the_ground() -> None:
    assert (
        assert_released(
            website_verdict(make_picture(make_matched_face()), staff=signed_input())
        ).approved_by
        is None
    )


def test_a_tag_that_agrees_with_the_machine_is_put_on_record_when_signed() -> None:
    agrees = signed_input({0: pupil_tag(ANN)})
    release = assert_released(website_verdict(make_picture(make_matched_face(ANN)), staff=agrees))
    assert release.approved_by == "j.shaw"
    assert [b.basis for b in release.basis] == ["tagged"]


# --- faces staff may clear ---


def test_staff_may_name_a_pupil_whom_the_machine_may_not_recognise() -> None:
    school = make_register(make_pupil(ANN, biometric_objection=True, enrolled_on=None))
    picture = make_picture(make_face(Unknown()))
    assert_released(website_verdict(picture, school, signed_input({0: pupil_tag(ANN)})))


def test_staff_may_correct_the_machine() -> None:
    staff = signed_input({1: pupil_tag(BEN)})
    release = assert_released(
        website_verdict(make_picture(make_matched_face(ANN), make_matched_face(ANN)), staff=staff)
    )
    assert [(b.pupil, b.basis) for b in release.basis] == [(ANN, "consent"), (BEN, "tagged")]


def test_the_reflection_of_a_pupil_may_be_blurred() -> None:
    staff = signed_input({1: Tag(TagKind.BLURRED, pupil=ANN)})
    assert_released(
        website_verdict(make_picture(make_matched_face(ANN), make_matched_face(ANN)), staff=staff)
    )


def test_a_face_staff_drew_goes_out_once_it_is_named() -> None:
    staff = signed_input({1: pupil_tag(BEN)}, added_faces=(Box(1, 1, 50, 50),))
    assert_released(website_verdict(make_picture(make_matched_face(ANN)), staff=staff))


# --- four eyes ---


def test_four_eyes_are_not_asked_where_the_machine_is_content() -> None:
    assert_released(website_verdict(make_picture(make_matched_face()), rules=WITH_FOUR_EYES))
    assert_released(
        website_verdict(make_picture(make_matched_face()), None, signed_input(), WITH_FOUR_EYES)
    )
    agrees = unsigned_input({0: pupil_tag(ANN)})
    assert_released(
        website_verdict(make_picture(make_matched_face(ANN)), None, agrees, WITH_FOUR_EYES)
    )


@pytest.mark.parametrize(("first", "second"), [("j.shaw", "J.SHAW"), ("J.Shaw ", " j.shaw")])
def test_another_spelling_is_not_another_person(first: str, second: str) -> None:
    approval = Approval(first, "asked", second)
    staff = unsigned_input({0: visitor_tag()}, approvals={"website": approval})
    verdict = website_verdict(make_picture(make_face(Unknown())), None, staff, WITH_FOUR_EYES)
    assert_held(verdict, Reason.AWAITING_SECOND_PERSON)


# --- faces too small to recognise: 12 pixels of 1600 are 30 of 4000 ---


def sized(width: int, height: int) -> FaceEvidence:
    return replace(make_face(Unknown()), box=Box(5, 5, width, height))


def test_a_face_just_under_the_channels_limit_is_excused() -> None:
    assert_released(
        website_verdict(make_picture(make_matched_face(), sized(29, 29)), rules=LENIENT)
    )


@pytest.mark.parametrize("face", [sized(30, 30), sized(29, 30), sized(30, 29)])
def test_a_face_at_the_channels_limit_is_held(face: FaceEvidence) -> None:
    assert_held(
        website_verdict(make_picture(make_matched_face(), face), rules=LENIENT), Reason.UNKNOWN_FACE
    )


def test_a_picture_smaller_than_the_channels_is_not_enlarged() -> None:
    small = make_picture(make_matched_face(), sized(11, 11), width=800, height=600)
    assert_released(website_verdict(small, rules=LENIENT))
    sharp = make_picture(make_matched_face(), sized(12, 12), width=800, height=600)
    assert_held(website_verdict(sharp, rules=LENIENT), Reason.UNKNOWN_FACE)


def test_a_copy_of_a_refused_picture_is_not_held_elsewhere() -> None:
    copy = unsigned_input(seen_before=frozenset({"mag"}))
    assert isinstance(website_verdict(make_picture(make_matched_face()), staff=copy), Release)


def test_the_release_of_a_copy_names_who_approved_it() -> None:
    copy = signed_input(seen_before=frozenset({"website"}))
    verdict = website_verdict(make_picture(make_matched_face()), staff=copy)
    assert isinstance(verdict, Release)
    assert verdict.approved_by is not None
