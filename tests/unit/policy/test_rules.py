"""One plain test a rule of the gate, in the order of the rule book in ``consent_gate.policy``.

``test_each_rule_is_needed`` deletes the rules one by one and runs these again.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from consent_gate import policy
from consent_gate.model import (
    BIOMETRIC,
    MINIMUM_ROLL,
    Ambiguous,
    Approval,
    Box,
    Examined,
    FaceEvidence,
    FaceKind,
    Facing,
    Film,
    FilmEdit,
    FilmSound,
    FilmSpan,
    LargeFaces,
    Match,
    NamePart,
    NotExamined,
    NotMatched,
    Quality,
    Reason,
    Register,
    Release,
    Rules,
    Shown,
    SiblingGuard,
    Sound,
    SoundReview,
    StaffInput,
    Tag,
    TagKind,
    TextCheck,
    Uncleared,
    Unknown,
    Verdict,
    VisibleName,
    VisibleNames,
    WhenNoFaces,
)
from consent_gate.policy import must_recall, smaller_side
from tests.support.core_factories import (
    ANN,
    BEN,
    BLANK,
    CAMERA,
    CAT,
    LENIENT,
    MAG,
    REFUSED,
    WEBSITE,
    WITH_FOUR_EYES,
    WronglyReleased,
    assert_held,
    assert_released,
    days_ago,
    decide_all,
    make_consent,
    make_face,
    make_matched_face,
    make_near_face,
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

A_STRANGER = make_face(Unknown())
A_SPECK = make_face(Unknown(), side=20)
"""20 pixels of 4000: 8 in a published picture of 1600."""


def an_approval(**changes: Any) -> dict[str, Approval]:
    return {"website": replace(Approval("j.shaw", "asked the teacher", "p.rao"), **changes)}


# --- what does go out: without these, a gate that never opens would pass everything below ---


def test_a_picture_of_consented_pupils_goes_out_by_itself() -> None:
    release = assert_released(
        website_verdict(make_picture(make_matched_face(ANN), make_matched_face(BEN)))
    )
    assert [b.pupil for b in release.basis] == [ANN, BEN]
    assert release.approved_by is None


def test_a_stranger_goes_out_when_staff_vouch_and_sign() -> None:
    release = assert_released(
        website_verdict(make_picture(A_STRANGER), staff=signed_input({0: visitor_tag()}))
    )
    assert [b.basis for b in release.basis] == ["agreement"]
    assert release.approved_by == "j.shaw"


def test_a_face_too_small_to_recognise_may_be_excused_by_the_channel() -> None:
    release = assert_released(
        website_verdict(make_picture(make_matched_face(), A_SPECK), rules=LENIENT)
    )
    assert [b.basis for b in release.basis] == ["consent", "unrecognisable"]


# --- rules 1 to 3 ---


def test_a_sealed_picture_goes_nowhere() -> None:
    assert_held(
        website_verdict(make_picture(make_matched_face()), staff=signed_input(sealed=True)),
        Reason.SEALED,
    )


def test_a_picture_that_was_not_examined_is_held_even_if_staff_approve() -> None:
    unread = NotExamined(Reason.UNSUPPORTED_FORMAT, "This is a spreadsheet.")
    assert_held(website_verdict(unread, staff=signed_input()), Reason.UNSUPPORTED_FORMAT)


def test_a_channel_refused_by_staff_stays_closed() -> None:
    refused = unsigned_input(refused=frozenset({"website"}))
    assert_held(
        website_verdict(make_picture(make_matched_face()), staff=refused), Reason.REFUSED_BY_STAFF
    )


# --- rule 4 ---


def test_last_terms_register_releases_nothing() -> None:
    old = make_register(exported_on=days_ago(131))
    assert_held(
        website_verdict(make_picture(make_matched_face()), old, signed_input()),
        Reason.REGISTER_STALE,
    )


def test_a_register_from_the_future_releases_nothing() -> None:
    future = make_register(exported_on=days_ago(-1))
    assert_held(
        website_verdict(make_picture(make_matched_face()), future, signed_input()),
        Reason.REGISTER_STALE,
    )


def test_a_register_without_a_date_releases_nothing() -> None:
    undated = make_register(exported_on=None)
    assert_held(
        website_verdict(make_picture(make_matched_face()), undated, signed_input()),
        Reason.REGISTER_STALE,
    )


def test_a_consent_that_vanished_from_the_import_releases_nothing() -> None:
    doubtful = make_register(suspended=frozenset({WEBSITE.purpose}))
    assert_held(
        website_verdict(make_picture(make_matched_face()), doubtful, signed_input()),
        Reason.REGISTER_STALE,
    )


def test_no_match_clears_a_face_while_face_matching_consent_is_in_doubt() -> None:
    doubtful = make_register(suspended=frozenset({BIOMETRIC}))
    assert_held(website_verdict(make_picture(make_matched_face()), doubtful), Reason.REGISTER_STALE)


# --- rules 5 and 6 ---


def test_a_picture_without_faces_is_held() -> None:
    assert_held(website_verdict(make_picture()), Reason.NO_FACES_FOUND)


def test_a_speck_that_is_excused_is_not_a_face_found() -> None:
    assert_held(website_verdict(make_picture(A_SPECK), rules=LENIENT), Reason.NO_FACES_FOUND)


def test_a_picture_from_an_unknown_camera_is_held() -> None:
    rules = make_rules(registered_devices=frozenset({"Nikon|Z50|42"}))
    assert_held(
        website_verdict(make_picture(make_matched_face()), rules=rules), Reason.UNREGISTERED_DEVICE
    )


def test_a_camera_with_another_serial_number_is_another_camera() -> None:
    rules = make_rules(registered_devices=frozenset({"Canon|EOS R50|999"}))
    assert_held(
        website_verdict(make_picture(make_matched_face()), rules=rules), Reason.UNREGISTERED_DEVICE
    )


def test_a_picture_that_names_no_camera_is_held() -> None:
    rules = make_rules(registered_devices=frozenset({CAMERA}))
    nameless = make_picture(make_matched_face(), device=None)
    assert_held(website_verdict(nameless, rules=rules), Reason.UNREGISTERED_DEVICE)


# --- rule 7: the machine and one face ---


def test_a_face_the_detectors_disagree_on_is_held() -> None:
    perhaps = make_matched_face(kind=FaceKind.POSSIBLE)
    assert_held(website_verdict(make_picture(perhaps)), Reason.POSSIBLE_FACE)


def test_a_face_too_poor_to_judge_is_held() -> None:
    blurry = make_face(NotMatched(Reason.LOW_QUALITY_FACE))
    assert_held(website_verdict(make_picture(blurry)), Reason.LOW_QUALITY_FACE)


def test_a_stranger_is_held() -> None:
    assert_held(website_verdict(make_picture(make_matched_face(), A_STRANGER)), Reason.UNKNOWN_FACE)


def test_a_face_between_two_pupils_is_held() -> None:
    either = make_face(Ambiguous((ANN, BEN)))
    assert_held(website_verdict(make_picture(either)), Reason.AMBIGUOUS_MATCH)


def test_a_match_without_any_margin_is_held() -> None:
    tie = make_face(Match(ANN, distance=0.3, margin=0.0))
    assert_held(website_verdict(make_picture(tie)), Reason.AMBIGUOUS_MATCH)


def test_a_face_drawn_by_staff_is_held_until_somebody_names_it() -> None:
    drawn = signed_input(added_faces=(Box(1, 1, 50, 50),))
    assert_held(
        website_verdict(make_picture(make_matched_face()), staff=drawn), Reason.UNKNOWN_FACE
    )


def test_one_pupil_seen_twice_in_a_picture_is_held() -> None:
    twins = make_picture(make_matched_face(ANN), make_matched_face(ANN))
    assert_held(website_verdict(twins), Reason.SAME_PUPIL_TWICE)


def test_a_match_without_consent_to_face_matching_is_held() -> None:
    school = make_register(with_consent(make_pupil(), None, BIOMETRIC))
    assert_held(
        website_verdict(make_picture(make_matched_face()), school), Reason.BIOMETRIC_CONSENT_MISSING
    )


def test_an_objection_to_face_matching_beats_the_consent_to_it() -> None:
    school = make_register(make_pupil(biometric_objection=True))
    assert_held(
        website_verdict(make_picture(make_matched_face()), school), Reason.BIOMETRIC_CONSENT_MISSING
    )


def test_a_pupil_with_an_unenrolled_sibling_is_held() -> None:
    school = make_register(make_pupil(has_unenrolled_sibling=True))
    assert_held(website_verdict(make_picture(make_matched_face()), school), Reason.SIBLING_GUARD)


def test_a_pupil_whose_lookalike_refused_is_held() -> None:
    school = make_register(
        make_pupil(ANN, lookalikes=(BEN,)), with_consent(make_pupil(BEN), REFUSED)
    )
    assert_held(
        website_verdict(make_picture(make_matched_face(ANN)), school), Reason.AMBIGUOUS_MATCH
    )


def test_an_old_enrolment_photo_clears_nobody() -> None:
    school = make_register(make_pupil(enrolled_on=days_ago(549)))
    assert_held(
        website_verdict(make_picture(make_matched_face()), school), Reason.ENROLMENT_TOO_OLD
    )


def test_an_enrolment_photo_dated_in_the_future_clears_nobody() -> None:
    school = make_register(make_pupil(enrolled_on=days_ago(-1)))
    assert_held(
        website_verdict(make_picture(make_matched_face()), school), Reason.ENROLMENT_TOO_OLD
    )


def test_a_pupil_without_an_enrolment_photo_is_not_cleared_by_the_machine() -> None:
    school = make_register(make_pupil(enrolled_on=None))
    assert_held(
        website_verdict(make_picture(make_matched_face()), school), Reason.ENROLMENT_TOO_OLD
    )


def test_a_pupil_whose_enrolment_photo_nobody_confirmed_is_held() -> None:
    school = make_register(make_pupil(enrolment_confirmed=False))
    assert_held(
        website_verdict(make_picture(make_matched_face()), school), Reason.ENROLMENT_UNCONFIRMED
    )


def test_a_pupil_of_a_class_that_was_not_there_is_held() -> None:
    year_two = unsigned_input(roster=frozenset({BEN, CAT}))
    assert_held(
        website_verdict(make_picture(make_matched_face(ANN)), staff=year_two), Reason.NOT_AT_EVENT
    )


# --- rule 7j ---


def test_a_face_like_a_pupil_on_the_roll_goes_out_at_the_threshold_for_the_roll() -> None:
    there = unsigned_input(roster=frozenset({ANN, BEN}), roll_threshold=True)
    for size in (MINIMUM_ROLL, 200):
        assert_released(website_verdict(make_picture(make_near_face(ANN, size)), staff=there))


def test_a_face_below_the_schools_threshold_is_held_where_no_roll_is_named() -> None:
    picture = make_picture(make_near_face(ANN, 200))
    assert_held(website_verdict(picture), Reason.UNKNOWN_FACE)
    undecided = unsigned_input(roll_threshold=True)
    assert_held(website_verdict(picture, staff=undecided), Reason.UNKNOWN_FACE)


def test_a_roll_that_a_restore_named_makes_nothing_less_strict() -> None:
    restored = unsigned_input(roster=frozenset({ANN, BEN}), roll_threshold=False)
    picture = make_picture(make_near_face(ANN, 200))
    assert_held(website_verdict(picture, staff=restored), Reason.UNKNOWN_FACE)


def test_a_face_is_held_where_the_roll_has_more_pupils_than_its_score_suffices_for() -> None:
    large = frozenset({ANN, *(f"00{n:04d}" for n in range(1000, 1030))})
    there = unsigned_input(roster=large, roll_threshold=True)
    picture = make_picture(make_near_face(ANN, 30))
    assert_held(website_verdict(picture, staff=there), Reason.UNKNOWN_FACE)


def test_a_short_roll_is_no_way_around_the_threshold() -> None:
    only_ann = unsigned_input(roster=frozenset({ANN}), roll_threshold=True)
    picture = make_picture(make_near_face(ANN, MINIMUM_ROLL - 1))
    assert_held(website_verdict(picture, staff=only_ann), Reason.UNKNOWN_FACE)


def test_a_face_nearest_to_somebody_who_was_not_there_is_held() -> None:
    there = unsigned_input(roster=frozenset({BEN, CAT}), roll_threshold=True)
    picture = make_picture(make_near_face(ANN, 200))
    assert_held(website_verdict(picture, staff=there), Reason.NOT_AT_EVENT)


def test_a_face_near_a_pupil_who_must_not_be_published_holds_the_picture() -> None:
    school = make_register(make_pupil(ANN, never_publish=True), make_pupil(BEN))
    picture = make_picture(make_near_face(ANN, 200))
    for roll in (None, frozenset({BEN})):
        named = signed_input({0: pupil_tag(BEN)}, roster=roll, roll_threshold=True)
        assert_held(website_verdict(picture, school, named), Reason.NEVER_PUBLISH)


def test_a_classmate_without_consent_is_held_at_the_threshold_for_the_roll() -> None:
    school = make_register(with_consent(make_pupil(ANN), REFUSED), make_pupil(BEN))
    there = unsigned_input(roster=frozenset({ANN, BEN}), roll_threshold=True)
    verdict = website_verdict(make_picture(make_near_face(ANN, 200)), school, there)
    assert_held(verdict, Reason.CONSENT_REFUSED)


def test_one_pupil_is_not_matched_twice_at_two_thresholds() -> None:
    there = unsigned_input(roster=frozenset({ANN, BEN}), roll_threshold=True)
    for other in (make_near_face(ANN, 200), make_matched_face(ANN)):
        picture = make_picture(make_near_face(ANN, 200), other)
        assert_held(website_verdict(picture, staff=there), Reason.SAME_PUPIL_TWICE)


# --- rule 7e, with a roll ---


def test_a_sibling_without_a_photo_who_was_not_there_holds_unless_the_settings_say_so() -> None:
    ann = make_pupil(ANN, has_unenrolled_sibling=True, unenrolled_siblings=frozenset({CAT}))
    school = make_register(ann, make_pupil(BEN))
    there = unsigned_input(roster=frozenset({ANN, BEN}))
    picture = make_picture(make_matched_face(ANN))
    assert_held(website_verdict(picture, school, there), Reason.SIBLING_GUARD)
    roll_only = make_rules(WEBSITE, sibling_guard=SiblingGuard.ROLL)
    assert_released(website_verdict(picture, school, there, roll_only))


def test_the_sibling_guard_holds_without_a_roll_whatever_the_settings_say() -> None:
    ann = make_pupil(ANN, has_unenrolled_sibling=True, unenrolled_siblings=frozenset({CAT}))
    roll_only = make_rules(WEBSITE, sibling_guard=SiblingGuard.ROLL)
    picture, school = make_picture(make_matched_face(ANN)), make_register(ann)
    assert_held(website_verdict(picture, school, None, roll_only), Reason.SIBLING_GUARD)


def test_a_sibling_without_a_photo_who_was_there_holds() -> None:
    ann = make_pupil(ANN, has_unenrolled_sibling=True, unenrolled_siblings=frozenset({CAT}))
    roll_only = make_rules(WEBSITE, sibling_guard=SiblingGuard.ROLL)
    there = unsigned_input(roster=frozenset({ANN, CAT}))
    verdict = website_verdict(
        make_picture(make_matched_face(ANN)), make_register(ann), there, roll_only
    )
    assert_held(verdict, Reason.SIBLING_GUARD)


def test_a_sibling_whom_the_register_does_not_name_holds() -> None:
    ann = make_pupil(ANN, has_unenrolled_sibling=True)
    roll_only = make_rules(WEBSITE, sibling_guard=SiblingGuard.ROLL)
    there = unsigned_input(roster=frozenset({ANN, CAT}))
    verdict = website_verdict(
        make_picture(make_matched_face(ANN)), make_register(ann), there, roll_only
    )
    assert_held(verdict, Reason.SIBLING_GUARD)


# --- rule 15 ---


def test_an_event_with_a_class_that_is_not_on_the_register_is_held() -> None:
    unclear = unsigned_input(roster=frozenset({ANN}), roll_threshold=True, roll_unclear=True)
    verdict = website_verdict(make_picture(make_matched_face(ANN)), staff=unclear)
    assert_held(verdict, Reason.EVENT_ROLL_UNCLEAR)


def test_a_match_to_somebody_not_on_the_register_is_held() -> None:
    assert_held(website_verdict(make_picture(make_matched_face("009999"))), Reason.CONSENT_MISSING)


def test_a_blank_consent_is_never_yes() -> None:
    school = make_register(with_consent(make_pupil(), BLANK))
    assert_held(website_verdict(make_picture(make_matched_face()), school), Reason.CONSENT_MISSING)


def test_a_consent_that_was_never_asked_for_is_never_yes() -> None:
    school = make_register(with_consent(make_pupil(), None))
    assert_held(website_verdict(make_picture(make_matched_face()), school), Reason.CONSENT_MISSING)


def test_a_refused_pupil_is_held() -> None:
    school = make_register(with_consent(make_pupil(), REFUSED))
    assert_held(website_verdict(make_picture(make_matched_face()), school), Reason.CONSENT_REFUSED)


def test_an_expired_consent_is_held() -> None:
    school = make_register(with_consent(make_pupil(), make_consent(expires_on=days_ago(1))))
    assert_held(website_verdict(make_picture(make_matched_face()), school), Reason.CONSENT_EXPIRED)


def test_a_consent_that_begins_tomorrow_is_held_today() -> None:
    school = make_register(with_consent(make_pupil(), make_consent(given_on=days_ago(-1))))
    assert_held(website_verdict(make_picture(make_matched_face()), school), Reason.CONSENT_EXPIRED)


def test_a_leaver_is_held() -> None:
    school = make_register(make_pupil(on_roll=False))
    assert_held(website_verdict(make_picture(make_matched_face()), school), Reason.CONSENT_MISSING)


# --- rule 8 ---


def test_a_small_stranger_is_held_unless_the_channel_says_otherwise() -> None:
    assert_held(website_verdict(make_picture(make_matched_face(), A_SPECK)), Reason.UNKNOWN_FACE)


def test_a_small_face_that_was_recognised_is_not_excused() -> None:
    matched = replace(A_SPECK, identity=Match(BEN, 0.3, 0.2), kind=FaceKind.POSSIBLE)
    picture = make_picture(make_matched_face(ANN), matched)
    assert_held(website_verdict(picture, rules=LENIENT), Reason.POSSIBLE_FACE)


def test_a_small_face_that_is_nearly_recognised_is_not_excused() -> None:
    near = make_near_face(BEN, box=A_SPECK.box)
    picture = make_picture(make_matched_face(ANN), near)
    assert_held(website_verdict(picture, rules=LENIENT), Reason.UNKNOWN_FACE)


def test_a_small_face_like_two_pupils_is_not_excused() -> None:
    picture = make_picture(make_matched_face(CAT), replace(A_SPECK, identity=Ambiguous((ANN, BEN))))
    assert_held(website_verdict(picture, rules=LENIENT), Reason.AMBIGUOUS_MATCH)


def test_a_small_face_staff_cannot_place_is_not_excused() -> None:
    doubt = unsigned_input({1: Tag(TagKind.CANNOT_TELL)})
    picture = make_picture(make_matched_face(), A_SPECK)
    assert_held(website_verdict(picture, None, doubt, LENIENT), Reason.UNKNOWN_FACE)


def test_a_face_without_a_size_is_not_excused() -> None:
    picture = make_picture(make_matched_face(), replace(A_STRANGER, box=Box(0, 0, 0, 0)))
    assert_held(website_verdict(picture, rules=LENIENT), Reason.UNKNOWN_FACE)


ON_THE_RIGHT = Box(2000, 0, 2000, 3000)
"""A crop without the left half of a picture."""


def at(x: int, **changes: Any) -> FaceEvidence:
    """A stranger's face, 200 pixels wide, so far from the left."""
    return replace(A_STRANGER, box=Box(x, 40, 200, 200), **changes)


def test_a_stranger_who_is_cut_away_does_not_hold_what_staff_sign() -> None:
    picture = make_picture(at(40), replace(make_matched_face(ANN), box=Box(2500, 40, 200, 200)))
    assert_released(website_verdict(picture, staff=signed_input(crop=ON_THE_RIGHT)))


def test_a_crop_nobody_signed_clears_nobody() -> None:
    picture = make_picture(at(40), replace(make_matched_face(ANN), box=Box(2500, 40, 200, 200)))
    assert_held(
        website_verdict(picture, staff=unsigned_input(crop=ON_THE_RIGHT)), Reason.UNKNOWN_FACE
    )


def test_a_stranger_left_in_the_crop_is_held() -> None:
    picture = make_picture(at(40), at(2500))
    assert_held(
        website_verdict(picture, staff=signed_input(crop=ON_THE_RIGHT)), Reason.UNKNOWN_FACE
    )


def test_a_stranger_cut_by_the_edge_of_the_crop_is_held() -> None:
    staff = signed_input(crop=ON_THE_RIGHT)
    assert_held(website_verdict(make_picture(at(1801)), staff=staff), Reason.UNKNOWN_FACE)


def test_a_stranger_whose_ear_is_in_the_crop_is_held() -> None:
    staff = signed_input(crop=ON_THE_RIGHT)
    assert_held(website_verdict(make_picture(at(1800)), staff=staff), Reason.UNKNOWN_FACE)


def test_a_crop_that_keeps_no_face_is_held_like_a_picture_without_faces() -> None:
    picture = make_picture(replace(make_matched_face(ANN), box=Box(40, 40, 200, 200)))
    verdict = website_verdict(picture, staff=unsigned_input(crop=ON_THE_RIGHT))
    assert_held(verdict, Reason.NO_FACES_FOUND)


def test_a_crop_that_is_no_part_of_the_picture_is_held() -> None:
    for crop in (Box(2000, 0, 2001, 3000), Box(-1, 0, 90, 90), Box(5000, 0, 90, 90)):
        staff = signed_input(crop=crop)
        assert_held(
            website_verdict(make_picture(make_matched_face()), staff=staff), Reason.NOT_EXAMINED
        )


def test_a_speck_that_the_crop_makes_large_is_not_excused() -> None:
    part = Box(0, 0, 1600, 1200)
    picture = make_picture(make_matched_face(), A_SPECK)
    assert_released(website_verdict(picture, rules=LENIENT))
    verdict = website_verdict(picture, staff=unsigned_input(crop=part), rules=LENIENT)
    assert_held(verdict, Reason.UNKNOWN_FACE)


def test_a_face_beside_the_picture_is_not_cut_away() -> None:
    nowhere = replace(A_STRANGER, box=Box(-900, 40, 200, 200))
    staff = signed_input(crop=ON_THE_RIGHT)
    assert_held(website_verdict(make_picture(nowhere), staff=staff), Reason.UNKNOWN_FACE)


# --- rule 9 ---


def test_a_tag_nobody_signed_clears_nobody() -> None:
    assert_held(
        website_verdict(make_picture(A_STRANGER), staff=unsigned_input({0: pupil_tag(ANN)})),
        Reason.UNKNOWN_FACE,
    )


def test_an_approval_without_a_stated_basis_is_none() -> None:
    staff = unsigned_input({0: pupil_tag(ANN)}, approvals=an_approval(basis="  "))
    assert_held(website_verdict(make_picture(A_STRANGER), staff=staff), Reason.UNKNOWN_FACE)


def test_an_approval_without_a_name_is_none() -> None:
    staff = unsigned_input({0: pupil_tag(ANN)}, approvals=an_approval(actor=" "))
    assert_held(website_verdict(make_picture(A_STRANGER), staff=staff), Reason.UNKNOWN_FACE)


def test_an_approval_for_the_website_opens_no_other_channel() -> None:
    staff = unsigned_input({0: pupil_tag(ANN)}, approvals=an_approval())
    outcome = decide_all(make_picture(A_STRANGER), staff=staff, rules=make_rules(WEBSITE, MAG))
    assert_released(outcome["website"])
    assert_held(outcome["mag"], Reason.UNKNOWN_FACE)


def test_an_approval_does_not_speak_for_a_face_nobody_named() -> None:
    staff = signed_input({0: pupil_tag(ANN)})
    assert_held(
        website_verdict(make_picture(A_STRANGER, A_STRANGER), staff=staff), Reason.UNKNOWN_FACE
    )


def test_staff_cannot_release_a_pupil_who_refused() -> None:
    school = make_register(with_consent(make_pupil(), REFUSED))
    staff = signed_input({0: pupil_tag(ANN)})
    assert_held(website_verdict(make_picture(A_STRANGER), school, staff), Reason.CONSENT_REFUSED)


def test_staff_cannot_release_a_pupil_who_is_not_on_the_register() -> None:
    staff = signed_input({0: pupil_tag("009999")})
    assert_held(website_verdict(make_picture(A_STRANGER), staff=staff), Reason.CONSENT_MISSING)


def test_a_visitor_without_an_agreement_is_held() -> None:
    staff = signed_input({0: visitor_tag(agreement=" ")})
    assert_held(website_verdict(make_picture(A_STRANGER), staff=staff), Reason.UNKNOWN_FACE)


def test_a_visitor_who_is_named_as_a_pupil_is_held() -> None:
    staff = signed_input({0: replace(visitor_tag(), pupil=ANN)})
    assert_held(website_verdict(make_picture(A_STRANGER), staff=staff), Reason.UNKNOWN_FACE)


def test_a_face_staff_cannot_place_is_held_although_the_machine_is_sure() -> None:
    staff = signed_input({0: Tag(TagKind.CANNOT_TELL)})
    assert_held(
        website_verdict(make_picture(make_matched_face()), staff=staff), Reason.UNKNOWN_FACE
    )


def test_an_unsigned_tag_that_contradicts_the_machine_holds() -> None:
    staff = unsigned_input({0: pupil_tag(BEN)})
    assert_held(
        website_verdict(make_picture(make_matched_face(ANN)), staff=staff), Reason.AMBIGUOUS_MATCH
    )


def test_a_tag_about_a_face_that_is_not_there_holds() -> None:
    staff = signed_input({3: pupil_tag(BEN)})
    assert_held(
        website_verdict(make_picture(make_matched_face()), staff=staff), Reason.UNKNOWN_FACE
    )


def test_staff_cannot_name_one_pupil_for_two_faces() -> None:
    staff = signed_input({0: pupil_tag(ANN), 1: pupil_tag(ANN)})
    picture = make_picture(A_STRANGER, A_STRANGER)
    assert_held(website_verdict(picture, staff=staff), Reason.SAME_PUPIL_TWICE)


# --- rule 10 ---

NEVER = make_register(make_pupil(ANN, never_publish=True), make_pupil(BEN))


def test_a_never_publish_pupil_is_never_published() -> None:
    assert_held(website_verdict(make_picture(make_matched_face(ANN)), NEVER), Reason.NEVER_PUBLISH)


def test_no_tag_talks_a_never_publish_pupil_out() -> None:
    for tag in (pupil_tag(BEN), visitor_tag(), Tag(TagKind.NOT_A_FACE), Tag(TagKind.BLURRED)):
        staff = signed_input({0: tag})
        assert_held(
            website_verdict(make_picture(make_matched_face(ANN)), NEVER, staff),
            Reason.NEVER_PUBLISH,
        )


def test_a_never_publish_pupil_named_by_staff_is_never_published() -> None:
    staff = signed_input({0: pupil_tag(ANN)})
    assert_held(website_verdict(make_picture(A_STRANGER), NEVER, staff), Reason.NEVER_PUBLISH)


def test_a_never_publish_pupil_staff_would_blur_is_never_published() -> None:
    staff = signed_input({0: Tag(TagKind.BLURRED, pupil=ANN)})
    assert_held(website_verdict(make_picture(A_STRANGER), NEVER, staff), Reason.NEVER_PUBLISH)


def test_a_face_that_may_be_a_never_publish_pupil_is_never_published() -> None:
    either = make_picture(make_face(Ambiguous((BEN, ANN))))
    staff = signed_input({0: pupil_tag(BEN)})
    assert_held(website_verdict(either, NEVER, staff), Reason.NEVER_PUBLISH)


def test_a_never_publish_pupil_who_would_be_cut_away_is_never_published() -> None:
    staff = signed_input(crop=ON_THE_RIGHT)
    assert_held(
        website_verdict(make_picture(make_matched_face(ANN)), NEVER, staff), Reason.NEVER_PUBLISH
    )


def test_a_never_publish_pupil_whom_staff_would_cut_away_is_never_published() -> None:
    staff = signed_input({0: pupil_tag(ANN)}, crop=ON_THE_RIGHT)
    assert_held(website_verdict(make_picture(at(40)), NEVER, staff), Reason.NEVER_PUBLISH)


# --- rules 11 and 12 ---


def test_a_four_eyes_channel_waits_for_a_second_person() -> None:
    staff = signed_input({0: visitor_tag()})
    verdict = website_verdict(make_picture(A_STRANGER), None, staff, WITH_FOUR_EYES)
    assert_held(verdict, Reason.AWAITING_SECOND_PERSON)


def test_nobody_is_their_own_second_person() -> None:
    staff = unsigned_input({0: visitor_tag()}, approvals=an_approval(second_person="J.Shaw "))
    verdict = website_verdict(make_picture(A_STRANGER), None, staff, WITH_FOUR_EYES)
    assert_held(verdict, Reason.AWAITING_SECOND_PERSON)


def test_a_second_person_opens_a_four_eyes_channel() -> None:
    staff = unsigned_input({0: visitor_tag()}, approvals=an_approval())
    assert_released(website_verdict(make_picture(A_STRANGER), None, staff, WITH_FOUR_EYES))


def test_a_fault_in_the_register_holds_the_picture() -> None:
    broken = make_register(with_consent(make_pupil(), make_consent(expires_on="2099-01-01")))
    assert_held(website_verdict(make_picture(make_matched_face()), broken), Reason.NOT_EXAMINED)


def test_a_pupil_filed_under_anothers_number_holds_the_picture() -> None:
    muddled = make_register(pupils={ANN: make_pupil(BEN)})
    assert_held(website_verdict(make_picture(make_matched_face(ANN)), muddled), Reason.NOT_EXAMINED)


def test_a_channel_set_up_twice_is_closed() -> None:
    rules = make_rules(WEBSITE, WEBSITE)
    assert_held(
        website_verdict(make_picture(make_matched_face()), rules=rules), Reason.NOT_EXAMINED
    )


# --- rule 13 ---


def test_a_copy_of_a_refused_picture_is_held() -> None:
    copy = unsigned_input(seen_before=frozenset({"website"}))
    assert_held(website_verdict(make_picture(make_matched_face()), staff=copy), Reason.SEEN_BEFORE)


def test_a_picture_that_shows_a_sealed_one_is_held() -> None:
    shows = unsigned_input(shows_sealed=True)
    assert_held(website_verdict(make_picture(make_matched_face()), staff=shows), Reason.SEEN_BEFORE)


# --- rule 14 ---


def make_film(*faces: FaceEvidence, is_viewable: bool = True) -> Examined:
    film = Film(9.0, 225, 0, 9, 2, ("video h264",), is_viewable)
    return make_picture(*faces, film=film)


def shown(first: float, last: float) -> Shown:
    return Shown(first, last, first)


def test_one_pupil_shown_twice_at_one_moment_of_a_film_is_held() -> None:
    film = make_film(
        make_matched_face(ANN, shown=shown(0, 4)), make_matched_face(ANN, shown=shown(4, 9))
    )
    assert_held(website_verdict(film), Reason.SAME_PUPIL_TWICE)


def test_a_pupil_may_be_shown_in_two_scenes_of_a_film() -> None:
    film = make_film(
        make_matched_face(ANN, shown=shown(0, 4)), make_matched_face(ANN, shown=shown(4.04, 9))
    )
    assert_released(website_verdict(film))


def test_a_face_without_a_time_is_at_every_moment() -> None:
    film = make_film(make_matched_face(ANN, shown=shown(0, 4)), make_matched_face(ANN))
    assert_held(website_verdict(film), Reason.SAME_PUPIL_TWICE)


def test_a_stranger_in_a_film_is_held() -> None:
    film = make_film(
        make_matched_face(ANN, shown=shown(0, 4)), replace(A_STRANGER, shown=shown(5, 5))
    )
    assert_held(website_verdict(film), Reason.UNKNOWN_FACE)


def test_a_cropped_film_is_held() -> None:
    film = make_film(make_matched_face(shown=shown(0, 4)))
    cropped = signed_input(crop=Box(0, 0, 2000, 2000))
    assert_held(website_verdict(film, staff=cropped), Reason.NOT_EXAMINED)


def test_a_track_that_may_be_two_people_cannot_be_named() -> None:
    track = replace(make_face(Ambiguous((ANN, BEN))), shown=shown(0, 4))
    for kind in (TagKind.PUPIL, TagKind.ADULT_WITH_AGREEMENT, TagKind.NOT_A_FACE):
        tag = Tag(kind, ANN if kind is TagKind.PUPIL else None, "they said so")
        verdict = website_verdict(make_film(track), staff=signed_input({0: tag}))
        assert_held(verdict, Reason.AMBIGUOUS_MATCH)


def test_no_approval_releases_a_film_that_staff_cannot_see() -> None:
    film = make_film(replace(A_STRANGER, shown=shown(0, 4)), is_viewable=False)
    for tag in (visitor_tag(), pupil_tag(ANN), Tag(TagKind.BLURRED), Tag(TagKind.NOT_A_FACE)):
        assert_held(website_verdict(film, staff=signed_input({0: tag})), Reason.UNKNOWN_FACE)
    empty = make_film(is_viewable=False)
    assert_held(website_verdict(empty, staff=signed_input()), Reason.NO_FACES_FOUND)


def test_staff_release_a_film_in_which_they_named_everybody() -> None:
    stranger = replace(A_STRANGER, shown=shown(0, 4))
    film = make_film(make_matched_face(ANN, shown=shown(0, 9)), stranger)
    for tag in (visitor_tag(), Tag(TagKind.NOT_A_FACE)):
        assert_released(website_verdict(film, staff=signed_input({1: tag})))
    twice = signed_input({1: pupil_tag(ANN)})
    assert_held(website_verdict(film, staff=twice), Reason.SAME_PUPIL_TWICE)
    assert_held(website_verdict(film, staff=signed_input()), Reason.UNKNOWN_FACE)


def followed(face: FaceEvidence) -> FaceEvidence:
    """A face that was followed from frame to frame."""
    path = ((1.0, 40, 40, 200, 200), (4.0, 60, 40, 200, 200))
    return replace(face, shown=Shown(1, 4, 1, path, (0.8, 4.2), is_followed=True))


COVERED = signed_input({0: Tag(TagKind.BLURRED)})


def test_a_covered_face_does_not_hold_a_film_that_staff_sign() -> None:
    for face in (A_STRANGER, make_face(Ambiguous((ANN, BEN))), A_SPECK):
        released = assert_released(website_verdict(make_film(followed(face)), staff=COVERED))
        assert [basis.basis for basis in released.basis] == ["blurred"]
    unsigned = replace(COVERED, approvals={})
    assert_held(
        website_verdict(make_film(followed(A_STRANGER)), staff=unsigned),
        Reason.UNKNOWN_FACE,
    )


def test_a_face_of_a_film_that_nobody_followed_cannot_be_covered() -> None:
    covered = followed(A_STRANGER)
    assert covered.shown is not None
    for shown_so in (
        None,
        replace(covered.shown, is_followed=False),
        replace(covered.shown, path=()),
        replace(covered.shown, path=covered.shown.path[:1]),
        replace(covered.shown, path=covered.shown.path[1:]),
        replace(covered.shown, path=covered.shown.path[::-1]),
        replace(covered.shown, path=covered.shown.path * 2),
    ):
        film = make_film(replace(A_STRANGER, shown=shown_so))
        assert_held(website_verdict(film, staff=COVERED), Reason.UNKNOWN_FACE)


def test_a_pupil_never_to_publish_holds_a_film_in_which_they_are_covered() -> None:
    school = make_register(make_pupil(ANN, never_publish=True), make_pupil(BEN))
    for identity in (make_matched_face(ANN).identity, Ambiguous((ANN, BEN))):
        film = make_film(followed(make_face(identity)))
        assert_held(website_verdict(film, school, COVERED), Reason.NEVER_PUBLISH)


def maybe_shown_stranger(first: float, last: float) -> FaceEvidence:
    """A stranger whom the frames between two times may show."""
    begin, end = first + 0.2, last - 0.2
    return replace(A_STRANGER, shown=Shown(begin, end, begin, maybe_s=(first, last)))


def cut_to(*parts: tuple[int, int], frames: str = "ab" * 32) -> StaffInput:
    """The approval of a film of which these parts stay, in milliseconds."""
    return signed_input(film_edit=FilmEdit(tuple(FilmSpan(*part) for part in parts), frames))


def test_a_stranger_who_is_cut_out_does_not_hold_the_film_that_staff_sign() -> None:
    film = make_film(make_matched_face(ANN, shown=shown(0, 9)), maybe_shown_stranger(2, 3))
    released = assert_released(website_verdict(film, staff=cut_to((0, 2000), (3001, 9001))))
    assert [basis.basis for basis in released.basis] == ["consent", "cut_away"]


def test_a_cut_that_is_one_frame_too_short_holds_the_film() -> None:
    film = make_film(make_matched_face(ANN, shown=shown(0, 9)), maybe_shown_stranger(2, 3))
    for parts in (((0, 2001), (3001, 9001)), ((0, 2000), (3000, 9001)), ((0, 9001),)):
        assert_held(website_verdict(film, staff=cut_to(*parts)), Reason.UNKNOWN_FACE)


def test_a_face_is_cut_away_only_where_it_is_known_in_which_frames_it_may_be() -> None:
    staff = cut_to((4000, 9001))
    for maybe in (None, (2.5, 3.0), (2.0, 2.8), (float("nan"), 3.0), (2.0, float("nan"))):
        stranger = replace(A_STRANGER, shown=Shown(2.2, 2.8, 2.2, maybe_s=maybe))
        assert_held(website_verdict(make_film(stranger), staff=staff), Reason.UNKNOWN_FACE)
    assert_held(website_verdict(make_film(A_STRANGER), staff=staff), Reason.UNKNOWN_FACE)


def test_a_cut_without_an_approval_lets_nobody_out() -> None:
    film = make_film(maybe_shown_stranger(2, 3))
    unsigned = replace(cut_to((4000, 9001)), approvals={})
    assert_held(website_verdict(film, staff=unsigned), Reason.UNKNOWN_FACE, Reason.NO_FACES_FOUND)


def test_a_pupil_never_to_publish_holds_a_film_from_which_they_are_cut() -> None:
    ann = replace(maybe_shown_stranger(2, 3), identity=make_matched_face(ANN).identity)
    school = make_register(make_pupil(ANN, never_publish=True))
    verdict = website_verdict(make_film(ann), school, cut_to((4000, 9001)))
    assert_held(verdict, Reason.NEVER_PUBLISH)


def test_a_cut_for_other_frames_holds_the_film() -> None:
    film = make_film(maybe_shown_stranger(2, 3))
    staff = cut_to((4000, 9001), frames="cd" * 32)
    assert_held(website_verdict(film, staff=staff), Reason.NOT_EXAMINED)


def test_a_cut_that_does_not_fit_holds_the_film() -> None:
    film = make_film(maybe_shown_stranger(2, 3))
    for parts in ((), ((5000, 4000),), ((4000, 9002),), ((6000, 8000), (4000, 5000))):
        assert_held(website_verdict(film, staff=cut_to(*parts)), Reason.NOT_EXAMINED)


def test_a_photo_cannot_be_cut_like_a_film() -> None:
    photo = make_picture(maybe_shown_stranger(2, 3))
    verdict = website_verdict(photo, staff=cut_to((4000, 9001)))
    assert_held(verdict, Reason.NOT_EXAMINED, Reason.UNKNOWN_FACE)


def test_a_second_person_is_asked_about_a_film_that_was_cut() -> None:
    film = make_film(make_matched_face(ANN, shown=shown(0, 9)))
    verdict = website_verdict(film, staff=cut_to((4000, 9001)), rules=WITH_FOUR_EYES)
    assert_held(verdict, Reason.AWAITING_SECOND_PERSON)


def test_a_face_that_staff_drew_holds_a_film_whatever_they_say_of_it() -> None:
    film = make_film(make_matched_face(ANN, shown=shown(0, 4)))
    for tag in (visitor_tag(), pupil_tag(BEN), Tag(TagKind.NOT_A_FACE)):
        drawn = signed_input({1: tag}, added_faces=(Box(5, 5, 90, 90),))
        assert_held(website_verdict(film, staff=drawn), Reason.UNKNOWN_FACE)


def test_no_face_of_a_film_is_excused_as_a_speck() -> None:
    film = make_film(make_matched_face(shown=shown(0, 4)), replace(A_SPECK, shown=shown(0, 4)))
    assert_held(website_verdict(film, rules=LENIENT), Reason.UNKNOWN_FACE)


NAME = Box(100, 500, 200, 40)


def named(part: NamePart = NamePart.FULL, pupil: str | None = ANN) -> Examined:
    """A picture of Ann, with a name to be read."""
    mark = VisibleName(NAME, pupil, part)
    return make_picture(make_matched_face(ANN), names=(mark,))


def looked_for(*parts: NamePart, check: TextCheck = TextCheck.COMPARED) -> Examined:
    """A picture of Ann in whose text these were looked for, and none was found."""
    return make_picture(make_matched_face(ANN), text_check=check, looked_for=parts)


def test_a_picture_in_which_a_full_name_can_be_read_is_held() -> None:
    assert_held(website_verdict(named()), Reason.VISIBLE_NAME)


def test_the_name_of_an_erased_pupil_is_held() -> None:
    assert_held(website_verdict(named(pupil=None)), Reason.VISIBLE_NAME)


def test_a_name_is_held_in_every_channel() -> None:
    verdicts = decide_all(named(), rules=make_rules(WEBSITE, MAG))
    for verdict in verdicts.values():
        assert_held(verdict, Reason.VISIBLE_NAME)


def test_a_forename_or_surname_alone_is_held_by_the_setting_of_the_channel() -> None:
    surnames = make_rules(replace(WEBSITE, visible_names=VisibleNames.SURNAME))
    both = make_rules(replace(WEBSITE, visible_names=VisibleNames.ANY))
    assert_released(website_verdict(named(NamePart.SURNAME)))
    assert_held(website_verdict(named(NamePart.SURNAME), rules=surnames), Reason.VISIBLE_NAME)
    assert_released(website_verdict(named(NamePart.FORENAME), rules=surnames))
    assert_held(website_verdict(named(NamePart.FORENAME), rules=both), Reason.VISIBLE_NAME)


def test_a_picture_whose_text_could_not_be_checked_is_held() -> None:
    picture = make_picture(make_matched_face(ANN), text_check=TextCheck.FAILED)
    assert_held(website_verdict(picture), Reason.NOT_EXAMINED)


def test_a_picture_whose_text_was_not_looked_for_is_held() -> None:
    unread = looked_for(check=TextCheck.OFF)
    assert_held(website_verdict(unread), Reason.TEXT_NOT_READ)
    assert_released(website_verdict(unread, staff=signed_input()))


def test_a_film_whose_text_was_not_read_is_held_until_it_is_approved() -> None:
    film = make_film(make_matched_face(ANN, shown=shown(0, 4)))
    reasons = {TextCheck.FAILED: Reason.NOT_EXAMINED, TextCheck.OFF: Reason.TEXT_NOT_READ}
    for check, reason in reasons.items():
        unread = replace(film, text_check=check)
        assert_held(website_verdict(unread), reason)
        assert_released(website_verdict(unread, staff=signed_input()))


def test_a_picture_examined_before_the_channel_asked_for_surnames_is_held() -> None:
    surnames = make_rules(replace(WEBSITE, visible_names=VisibleNames.SURNAME))
    full = looked_for(NamePart.FULL)
    assert_released(website_verdict(full))
    assert_held(website_verdict(full, rules=surnames), Reason.TEXT_NOT_READ)
    both = looked_for(NamePart.FULL, NamePart.SURNAME)
    assert_released(website_verdict(both, rules=surnames))


def test_text_that_was_read_smaller_than_it_is_published_is_held() -> None:
    rules = make_rules(replace(WEBSITE, max_side=1600))
    read_at = {
        side: website_verdict(make_picture(make_matched_face(ANN), text_side=side), rules=rules)
        for side in (0, 1599, 1600)
    }
    assert_released(read_at[1600])
    for side in (0, 1599):
        assert_held(read_at[side], Reason.TEXT_NOT_READ)


def test_text_that_a_crop_publishes_larger_than_it_was_read_is_held_until_somebody_signs() -> None:
    rules = make_rules(replace(WEBSITE, max_side=1600))
    picture = make_picture(make_matched_face(ANN), text_side=1600)
    whole = Box(0, 0, picture.width, picture.height)
    part = Box(0, 0, picture.width // 2, picture.height // 2)
    assert picture.width > 1600
    assert_released(website_verdict(picture, staff=StaffInput(crop=whole), rules=rules))
    assert_held(
        website_verdict(picture, staff=StaffInput(crop=part), rules=rules), Reason.TEXT_NOT_READ
    )
    assert_released(website_verdict(picture, staff=signed_input(crop=part), rules=rules))


def test_a_published_picture_stays_while_its_text_is_read_for_the_first_time() -> None:
    assert not must_recall(website_verdict(looked_for(check=TextCheck.OFF)))
    assert must_recall(website_verdict(named()))


def test_a_channel_that_does_not_look_for_names_needs_no_text() -> None:
    rules = make_rules(replace(WEBSITE, visible_names=VisibleNames.OFF))
    assert_released(website_verdict(looked_for(check=TextCheck.OFF), rules=rules))
    assert_released(website_verdict(named(), rules=rules))


def test_text_beside_a_face_that_cannot_be_read_is_held_by_the_setting() -> None:
    unread = named(NamePart.UNREAD, None)
    strict = make_rules(replace(WEBSITE, unread_text=True))
    assert_released(website_verdict(unread))
    assert_held(website_verdict(unread, rules=strict), Reason.UNREAD_TEXT)
    assert_released(website_verdict(unread, rules=strict, staff=signed_input()))
    assert_held(website_verdict(looked_for(NamePart.FULL), rules=strict), Reason.TEXT_NOT_READ)


def test_a_cover_hides_no_name_in_a_film() -> None:
    """The cover follows its face, and the name may stand there in another frame."""
    school = make_register(make_pupil(ANN, never_publish=True), make_pupil(BEN))
    face = replace(followed(A_STRANGER), box=Box(50, 450, 400, 400))
    assert face.box.encloses(NAME)
    film = replace(make_film(face), names=(VisibleName(NAME, ANN, NamePart.FULL),))
    assert_held(website_verdict(film, school, COVERED), Reason.VISIBLE_NAME)


def test_staff_may_release_a_picture_with_a_name() -> None:
    assert_released(website_verdict(named(), staff=signed_input()))


def test_the_name_of_a_pupil_never_to_publish_is_held_after_an_approval() -> None:
    school = make_register(make_pupil(ANN), make_pupil(BEN, never_publish=True))
    verdict = website_verdict(named(pupil=BEN), school, staff=signed_input())
    assert_held(verdict, Reason.VISIBLE_NAME)


def covered(box: Box) -> dict[str, Any]:
    return {"tags": {1: Tag(TagKind.BLURRED)}, "added_faces": (box,)}


def test_a_covered_name_of_a_pupil_never_to_publish_may_be_released() -> None:
    school = make_register(make_pupil(ANN), make_pupil(BEN, never_publish=True))
    staff = signed_input(**covered(NAME))
    assert_released(website_verdict(named(pupil=BEN), school, staff=staff))


def test_a_cover_beside_the_name_hides_nothing() -> None:
    school = make_register(make_pupil(ANN), make_pupil(BEN, never_publish=True))
    staff = signed_input(**covered(replace(NAME, x=NAME.x + 1)))
    assert_held(website_verdict(named(pupil=BEN), school, staff=staff), Reason.VISIBLE_NAME)


def test_a_crop_through_the_name_hides_nothing() -> None:
    school = make_register(make_pupil(ANN), make_pupil(BEN, never_publish=True))
    cut_away = signed_input(crop=Box(0, 0, 400, 500))
    through = signed_input(crop=Box(0, 0, 400, 501))
    assert_released(website_verdict(named(pupil=BEN), school, staff=cut_away))
    assert_held(website_verdict(named(pupil=BEN), school, staff=through), Reason.VISIBLE_NAME)


LARGE_FACE = replace(WEBSITE, largest_face_px=100)
TURNED_AWAY = replace(WEBSITE, facing=Facing.NOT_FACE_ON)


def seen_at(yaw: float, **changes: Any) -> FaceEvidence:
    """A face of Ann that is turned away so far."""
    quality = Quality(200, 100.0, yaw, 120.0, 40.0, 0.9)
    return make_matched_face(ANN, quality=quality, **changes)


def test_a_face_larger_than_the_channel_shows_is_held_also_after_an_approval() -> None:
    # 4000 pixels wide, published at 1600
    small = make_picture(make_matched_face(ANN, box=Box(100, 100, 200, 250)))
    large = make_picture(make_matched_face(ANN, box=Box(100, 100, 200, 251)))
    rules = make_rules(LARGE_FACE)
    assert_released(website_verdict(small, rules=rules))
    assert_released(website_verdict(large))
    assert_held(website_verdict(large, rules=rules), Reason.TOO_RECOGNISABLE)
    assert_held(website_verdict(large, rules=rules, staff=signed_input()), Reason.TOO_RECOGNISABLE)


def test_a_crop_that_enlarges_a_face_counts() -> None:
    picture = make_picture(make_matched_face(ANN, box=Box(100, 100, 200, 200)))
    rules = make_rules(LARGE_FACE)
    assert_released(website_verdict(picture, rules=rules, staff=signed_input()))
    staff = replace(signed_input(), crop=Box(0, 0, 1000, 1000))
    assert_held(website_verdict(picture, rules=rules, staff=staff), Reason.TOO_RECOGNISABLE)


def test_a_face_of_an_impossible_size_is_too_large() -> None:
    picture = make_picture(make_matched_face(ANN, box=Box(100, 100, 0, 0)))
    verdict = website_verdict(picture, rules=make_rules(LARGE_FACE))
    assert_held(verdict, Reason.TOO_RECOGNISABLE)


def test_a_face_that_staff_drew_is_measured_too() -> None:
    staff = replace(
        signed_input(), tags={1: pupil_tag(BEN)}, added_faces=(Box(900, 900, 400, 400),)
    )
    school = make_register(make_pupil(ANN), make_pupil(BEN))
    picture = make_picture(make_matched_face(ANN, box=Box(0, 0, 100, 100)))
    assert_released(website_verdict(picture, school, staff))
    verdict = website_verdict(picture, school, staff, make_rules(LARGE_FACE))
    assert_held(verdict, Reason.TOO_RECOGNISABLE)


def test_a_face_turned_to_the_camera_is_held_where_only_others_are_shown() -> None:
    rules = make_rules(TURNED_AWAY)
    assert_released(website_verdict(make_picture(seen_at(0.4)), rules=rules))
    assert_held(website_verdict(make_picture(seen_at(0.3)), rules=rules), Reason.TOO_RECOGNISABLE)
    assert_released(website_verdict(make_picture(seen_at(0.3))))
    for unsure in (seen_at(float("nan")), seen_at(float("inf"))):
        assert_held(website_verdict(make_picture(unsure), rules=rules), Reason.TOO_RECOGNISABLE)


def test_a_possible_face_counts_as_turned_to_the_camera() -> None:
    possible = make_picture(seen_at(0.4, kind=FaceKind.POSSIBLE))
    verdict = website_verdict(possible, rules=make_rules(TURNED_AWAY))
    assert_held(verdict, Reason.POSSIBLE_FACE, Reason.TOO_RECOGNISABLE)


def test_a_face_of_which_the_turn_is_not_known_counts_as_turned_to_the_camera() -> None:
    verdict = website_verdict(make_picture(make_matched_face(ANN)), rules=make_rules(TURNED_AWAY))
    assert_held(verdict, Reason.TOO_RECOGNISABLE)


def test_a_covered_face_or_an_adult_who_agreed_may_be_large() -> None:
    picture = make_picture(make_face(Unknown(), side=900))
    rules = make_rules(replace(LARGE_FACE, facing=Facing.NOT_FACE_ON))
    for tag in (Tag(TagKind.BLURRED), Tag(TagKind.ADULT_WITH_AGREEMENT, basis="asked her")):
        staff = replace(signed_input(), tags={0: tag})
        assert_released(website_verdict(picture, rules=rules, staff=staff))
    named = replace(signed_input(), tags={0: pupil_tag(ANN)})
    assert_held(website_verdict(picture, rules=rules, staff=named), Reason.TOO_RECOGNISABLE)


def test_a_face_of_a_film_is_measured_where_it_is_largest_and_is_never_turned_away() -> None:
    moves = replace(shown(0, 4), path=((0.0, 0, 0, 50, 50), (4.0, 0, 0, 300, 300)))
    film = make_film(make_matched_face(ANN, box=Box(0, 0, 50, 50), shown=moves))
    assert_released(website_verdict(film))
    assert_held(website_verdict(film, rules=make_rules(LARGE_FACE)), Reason.TOO_RECOGNISABLE)
    away = make_film(seen_at(0.9, shown=shown(0, 4)))
    assert_held(website_verdict(away, rules=make_rules(TURNED_AWAY)), Reason.TOO_RECOGNISABLE)


SMALLER = replace(LARGE_FACE, large_faces=LargeFaces.SMALLER)


def large_face(side: int, **changes: Any) -> Examined:
    """A picture of 4000 by 3000 pixels with a face of Ann of this size."""
    return make_picture(make_matched_face(ANN, box=Box(100, 100, side, side // 2)), **changes)


def test_a_picture_with_a_large_face_goes_out_smaller_where_the_channel_says_so() -> None:
    rules = make_rules(SMALLER)
    assert_released(website_verdict(large_face(1000), rules=rules))
    assert smaller_side(large_face(1000), StaffInput(), SMALLER) == 400
    assert smaller_side(large_face(999), StaffInput(), SMALLER) == 400
    assert smaller_side(large_face(250), StaffInput(), SMALLER) is None
    assert smaller_side(large_face(1000), StaffInput(), LARGE_FACE) is None
    assert smaller_side(large_face(1000), StaffInput(), WEBSITE) is None


def test_no_picture_is_made_too_small_to_see() -> None:
    assert smaller_side(large_face(1250), StaffInput(), SMALLER) == 320
    assert smaller_side(large_face(1251), StaffInput(), SMALLER) is None
    verdict = website_verdict(large_face(1251), rules=make_rules(SMALLER))
    assert_held(verdict, Reason.TOO_RECOGNISABLE)


def test_no_face_is_larger_than_the_limit_at_the_size_that_is_chosen() -> None:
    for side in range(251, 1251, 7):
        chosen = smaller_side(large_face(side), StaffInput(), SMALLER)
        assert chosen is not None
        assert side * chosen <= 100 * 4000
        assert_released(website_verdict(large_face(side), rules=make_rules(SMALLER)))


def test_the_size_is_chosen_for_the_crop_and_for_faces_that_staff_drew() -> None:
    crop = StaffInput(crop=Box(0, 0, 2000, 1500))
    assert smaller_side(large_face(500), crop, SMALLER) == 400
    drawn = StaffInput(added_faces=(Box(3000, 0, 10, 1000),))
    assert smaller_side(large_face(250), drawn, SMALLER) == 400
    away = StaffInput(crop=Box(0, 0, 2000, 1500), added_faces=(Box(3000, 0, 10, 1000),))
    assert smaller_side(large_face(100), away, SMALLER) is None


def test_a_film_is_not_made_smaller() -> None:
    moves = replace(shown(0, 4), path=((0.0, 0, 0, 300, 300),))
    film = make_film(make_matched_face(ANN, box=Box(0, 0, 300, 300), shown=moves))
    assert_held(website_verdict(film, rules=make_rules(SMALLER)), Reason.TOO_RECOGNISABLE)


# --- rule 18: covers of the gate ---

COVERS = make_rules(replace(WEBSITE, uncleared=Uncleared.COVER))


def covered_verdict(*faces: FaceEvidence, school: Register | None = None, **staff: Any) -> Verdict:
    """The verdict of a website that covers, on a picture of Ann and these faces."""
    picture = make_picture(make_matched_face(ANN), *faces)
    return website_verdict(picture, school, StaffInput(**staff), COVERS)


def school_with(**changes: Any) -> Register:
    """Ann, Ben and Cat, with something about Ben changed."""
    return make_register(make_pupil(ANN), make_pupil(BEN, **changes), make_pupil(CAT))


def test_people_who_are_not_cleared_are_covered_where_the_channel_says_so() -> None:
    refused = make_register(make_pupil(ANN), with_consent(make_pupil(BEN), REFUSED))
    for face, reason in (
        (make_matched_face(BEN), Reason.CONSENT_REFUSED),
        (make_face(Unknown()), Reason.UNKNOWN_FACE),
        (make_near_face(BEN), Reason.UNKNOWN_FACE),
        (make_face(Ambiguous((ANN, BEN))), Reason.AMBIGUOUS_MATCH),
        (make_face(NotMatched(Reason.LOW_QUALITY_FACE)), Reason.LOW_QUALITY_FACE),
        (
            make_face(NotMatched(Reason.POSSIBLE_FACE), kind=FaceKind.POSSIBLE),
            Reason.POSSIBLE_FACE,
        ),
    ):
        release = assert_released(covered_verdict(face, school=refused))
        assert [b.basis for b in release.basis] == ["consent", "covered"]
        assert release.covered[1][0] is reason
    twice = covered_verdict(make_matched_face(BEN), make_matched_face(BEN))
    assert set(assert_released(twice).covered) == {1, 2}


def test_a_face_that_is_too_recognisable_is_covered_and_does_not_make_the_picture_smaller() -> None:
    channel = replace(SMALLER, uncleared=Uncleared.COVER)
    small = make_matched_face(ANN, box=Box(100, 100, 200, 200))
    large = make_matched_face(BEN, box=Box(900, 900, 2000, 2000))
    picture, rules = make_picture(small, large), make_rules(channel)
    release = assert_released(website_verdict(picture, rules=rules))
    assert release.covered == {1: (Reason.TOO_RECOGNISABLE,)}
    stranger = make_picture(small, make_face(Unknown(), side=1000))
    covered = assert_released(website_verdict(stranger, rules=rules)).covered
    assert smaller_side(stranger, StaffInput(), channel) == 400
    assert smaller_side(stranger, StaffInput(), channel, covered) is None


def test_a_held_picture_that_staff_approve_goes_out_with_the_covers() -> None:
    picture = make_picture(make_matched_face(ANN), make_face(Unknown()), device=None)
    rules = replace(COVERS, registered_devices=frozenset({CAMERA}))
    held = website_verdict(picture, rules=rules)
    assert_held(held, Reason.UNREGISTERED_DEVICE)
    assert held.covered == {1: (Reason.UNKNOWN_FACE,)}
    release = assert_released(website_verdict(picture, staff=signed_input(), rules=rules))
    assert [b.basis for b in release.basis] == ["consent", "covered"]


def test_nobody_is_covered_where_the_channel_does_not_say_so() -> None:
    picture = make_picture(make_matched_face(ANN), make_face(Unknown()))
    assert_held(website_verdict(picture), Reason.UNKNOWN_FACE)


def test_a_cover_answers_nothing_that_is_about_the_picture() -> None:
    name = VisibleName(Box(900, 900, 50, 20), BEN, NamePart.FULL)
    picture = make_picture(make_matched_face(ANN), make_face(Unknown()), names=(name,))
    assert_held(website_verdict(picture, rules=COVERS), Reason.VISIBLE_NAME)


def test_the_gate_covers_no_face_that_staff_drew() -> None:
    verdict = covered_verdict(added_faces=(Box(900, 900, 90, 90),))
    assert_held(verdict, Reason.UNKNOWN_FACE)


def test_the_gate_covers_no_face_that_only_the_finished_picture_shows() -> None:
    found = replace(make_face(NotMatched(Reason.POSSIBLE_FACE)), in_rendition=True)
    assert_held(covered_verdict(found), Reason.POSSIBLE_FACE)


def test_the_gate_covers_nobody_in_a_film() -> None:
    film = make_film(
        make_matched_face(ANN, shown=shown(0, 4)), replace(make_face(Unknown()), shown=shown(0, 4))
    )
    assert_held(website_verdict(film, rules=COVERS), Reason.UNKNOWN_FACE)


def test_the_gate_covers_no_face_that_staff_cannot_tell_or_that_was_of_an_erased_pupil() -> None:
    verdict = covered_verdict(make_face(Unknown()), tags={1: Tag(TagKind.CANNOT_TELL)})
    assert_held(verdict, Reason.UNKNOWN_FACE)


def test_a_pupil_never_to_publish_is_not_merely_covered() -> None:
    marked = school_with(never_publish=True)
    for face in (make_matched_face(BEN), make_near_face(BEN), make_face(Ambiguous((ANN, BEN)))):
        verdict = covered_verdict(face, school=marked)
        if isinstance(verdict, Release):
            raise WronglyReleased(verdict)
        assert Reason.NEVER_PUBLISH in verdict.reasons


def test_a_brother_without_a_photo_is_not_merely_covered() -> None:
    verdict = covered_verdict(
        make_matched_face(BEN), school=school_with(has_unenrolled_sibling=True)
    )
    assert_held(verdict, Reason.SIBLING_GUARD)


def test_a_face_that_was_not_examined_is_not_merely_covered() -> None:
    assert_held(covered_verdict(make_face(NotMatched(Reason.NOT_EXAMINED))), Reason.NOT_EXAMINED)


def test_an_old_portrait_does_not_cover_who_is_out() -> None:
    verdict = covered_verdict(make_matched_face(BEN), school=school_with(enrolled_on=days_ago(549)))
    assert_held(verdict, Reason.ENROLMENT_TOO_OLD)


def test_a_pupil_like_somebody_never_to_publish_is_not_merely_covered() -> None:
    school = make_register(
        make_pupil(ANN), make_pupil(BEN, lookalikes=(CAT,)), make_pupil(CAT, never_publish=True)
    )
    assert_held(covered_verdict(make_matched_face(BEN), school=school), Reason.AMBIGUOUS_MATCH)


def test_somebody_who_is_not_on_the_register_is_not_merely_covered() -> None:
    verdict = covered_verdict(make_matched_face("009999"))
    assert_held(verdict, Reason.CONSENT_MISSING)


def test_a_stranger_is_not_covered_where_a_pupil_never_to_publish_may_be_the_stranger() -> None:
    marked = school_with(never_publish=True)
    for face in (
        make_face(Unknown()),
        make_near_face(CAT),
        make_face(NotMatched(Reason.LOW_QUALITY_FACE)),
    ):
        if isinstance(covered_verdict(face, school=marked), Release):
            raise WronglyReleased(face)
    there, away = frozenset({ANN, BEN, CAT}), frozenset({ANN, CAT})
    for whole, roll in ((True, there), (False, away), (True, None)):
        verdict = covered_verdict(
            make_face(Unknown()), school=marked, roster=roll, roll_is_whole=whole
        )
        if isinstance(verdict, Release):
            raise WronglyReleased(roll)
    assert_released(
        covered_verdict(make_face(Unknown()), school=marked, roster=away, roll_is_whole=True)
    )


def test_a_face_of_which_staff_and_the_machine_say_different_things_is_not_merely_covered() -> None:
    objected = school_with(biometric_objection=True)
    verdict = covered_verdict(make_matched_face(BEN), school=objected, tags={1: pupil_tag(CAT)})
    if isinstance(verdict, Release):
        raise WronglyReleased(verdict)


def test_two_faces_like_one_pupil_may_be_somebody_never_to_publish() -> None:
    marked = school_with(never_publish=True)
    verdict = covered_verdict(make_matched_face(CAT), make_matched_face(CAT), school=marked)
    assert_held(verdict, Reason.SAME_PUPIL_TWICE)


def test_a_pupil_never_to_publish_counts_who_is_not_among_the_pupils_of_the_picture() -> None:
    school = make_register(never_published=frozenset({"000009"}))
    assert_held(covered_verdict(make_face(Unknown()), school=school), Reason.UNKNOWN_FACE)
    refused = with_consent(make_pupil(BEN), REFUSED)
    known = replace(school, pupils={**school.pupils, BEN: refused})
    assert_released(covered_verdict(make_matched_face(BEN), school=known))


def test_a_picture_in_which_nobody_would_be_seen_is_held() -> None:
    alone = make_picture(make_face(Unknown()))
    assert_held(website_verdict(alone, rules=COVERS), Reason.UNKNOWN_FACE)
    released = make_rules(replace(COVERS.channels[0], when_no_faces=WhenNoFaces.RELEASE))
    assert_held(website_verdict(alone, rules=released), Reason.UNKNOWN_FACE)


# --- rule 19 ---

HEARD_SHA, SPOKEN = "5" * 64, (FilmSpan(1000, 2000), FilmSpan(5000, 6000))
WITH_SOUND = make_rules(replace(WEBSITE, film_sound=FilmSound.REVIEWED))
SOUND_FOR_TWO = make_rules(replace(WEBSITE, film_sound=FilmSound.REVIEWED, four_eyes=True))


def film_with_sound(
    sound: Sound | None = None, *, streams: tuple[str, ...] = (), is_viewable: bool = True
) -> Examined:
    """Ann in a film of nine seconds in which somebody speaks twice, by default."""
    film = make_film(make_matched_face(ANN, shown=shown(0, 9)), is_viewable=is_viewable)
    assert film.film is not None
    streams = streams or ("video h264", "audio aac")
    heard = Sound(HEARD_SHA, SPOKEN) if sound is None else sound
    return replace(film, film=replace(film.film, streams=streams, sound=heard))


def listened(*parts: tuple[int, int], **changes: Any) -> StaffInput:
    """Somebody listened to these parts of the film."""
    spans = tuple(FilmSpan(*part) for part in parts)
    review = SoundReview(make_picture().pixels_sha256, HEARD_SHA, heard=spans)
    return StaffInput(sound_review=replace(review, **changes))


def assert_silent(film: Examined, staff: StaffInput, rules: Rules = WITH_SOUND) -> None:
    kept = policy.published_sound(film, staff, rules.channels[0])
    if kept is not None:
        raise WronglyReleased(kept)


def assert_not_listened(film: Examined, staff: StaffInput, rules: Rules = WITH_SOUND) -> None:
    assert_held(website_verdict(film, staff=staff, rules=rules), Reason.NOT_LISTENED)
    assert_silent(film, staff, rules)


ALL_HEARD = listened((0, 3000), (5000, 6000))


def test_a_film_in_which_somebody_speaks_is_held_until_somebody_listened() -> None:
    film = film_with_sound()
    assert_not_listened(film, StaffInput())
    approved = signed_input()
    assert_held(website_verdict(film, staff=approved, rules=WITH_SOUND), Reason.NOT_LISTENED)


def test_a_part_to_which_nobody_listened_holds_the_film() -> None:
    for parts in (((1000, 2000),), ((1000, 2000), (5000, 5999)), ((5000, 6000),)):
        assert_not_listened(film_with_sound(), listened(*parts))


def test_a_film_without_a_check_of_its_sound_must_be_heard_to_its_end() -> None:
    film = film_with_sound(Sound(HEARD_SHA, None))
    assert_not_listened(film, listened((0, 9000)))
    assert_released(website_verdict(film, staff=listened((0, 9001)), rules=WITH_SOUND))


def test_a_film_to_which_somebody_listened_goes_out_with_its_sound() -> None:
    film = film_with_sound()
    cut = FilmEdit((FilmSpan(2000, 5500),), film.pixels_sha256)
    muted = {"muted": (FilmSpan(4000, 7000),)}
    for staff in (
        ALL_HEARD,
        listened((1000, 2000), **muted),
        replace(listened((5000, 6000)), film_edit=cut, approvals=an_approval()),
    ):
        assert_released(website_verdict(film, staff=staff, rules=WITH_SOUND))
        assert policy.published_sound(film, staff, WITH_SOUND.channels[0]) is not None
    nobody_speaks = film_with_sound(Sound(HEARD_SHA, ()))
    assert_released(website_verdict(nobody_speaks, rules=WITH_SOUND))


def test_a_film_goes_out_without_sound_once_staff_say_so() -> None:
    for sound in (Sound(HEARD_SHA, SPOKEN), Sound("", None)):
        film, said = film_with_sound(sound), listened(is_off=True, sound_sha256=sound.sha256)
        assert_released(website_verdict(film, staff=said, rules=WITH_SOUND))
        assert_silent(film, said)


def test_a_film_that_staff_want_silent_is_silent() -> None:
    assert_silent(film_with_sound(), listened((0, 9001), is_off=True))


def test_a_channel_that_asks_for_no_sound_gets_none() -> None:
    film = film_with_sound()
    assert_released(website_verdict(film))
    assert_silent(film, ALL_HEARD, make_rules(WEBSITE))


def test_what_was_heard_of_another_film_counts_for_nothing() -> None:
    film = film_with_sound()
    assert_not_listened(film, listened((0, 9001), sound_sha256="6" * 64))
    assert_not_listened(film, listened((0, 9001), frames_sha256="6" * 64))


def test_what_was_muted_stays_silent_when_the_sound_is_decoded_anew() -> None:
    """A whispered name is no speech to the network, so nothing else holds it back."""
    film = film_with_sound(Sound(HEARD_SHA, ()))
    muted = (FilmSpan(3000, 4000),)
    for other in ({"sound_sha256": "6" * 64}, {"frames_sha256": "6" * 64}):
        kept = policy.published_sound(film, listened(muted=muted, **other), WITH_SOUND.channels[0])
        if kept is not None and kept.muted != muted:
            raise WronglyReleased(kept)
        assert_silent(film, listened(is_off=True, **other))


def test_sound_that_could_not_be_decoded_is_never_published() -> None:
    film = film_with_sound(Sound("", SPOKEN))
    assert_not_listened(film, listened((0, 9001), sound_sha256=""))


def test_nobody_can_have_heard_a_film_that_is_not_stored() -> None:
    assert_not_listened(film_with_sound(is_viewable=False), ALL_HEARD)


def test_one_person_who_listened_is_not_enough_where_two_are_needed() -> None:
    film = film_with_sound()
    assert_not_listened(film, ALL_HEARD, SOUND_FOR_TWO)
    one = replace(ALL_HEARD, approvals=an_approval(second_person=None))
    verdict = website_verdict(film, staff=one, rules=SOUND_FOR_TWO)
    assert_held(verdict, Reason.AWAITING_SECOND_PERSON)
    unsigned = replace(ALL_HEARD, approvals=an_approval(actor=" "))
    assert_not_listened(film, unsigned, SOUND_FOR_TWO)
