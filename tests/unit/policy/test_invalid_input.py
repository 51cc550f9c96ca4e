"""The policy answers whatever it is given, and invalid input releases nothing."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import UTC, date, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from consent_gate import policy
from consent_gate.model import (
    BIOMETRIC,
    Approval,
    Box,
    Consent,
    Examined,
    FaceEvidence,
    Hold,
    Match,
    NotExamined,
    NotMatched,
    Reason,
    Release,
    Tag,
    TagKind,
)
from tests.support.core_factories import (
    ANN,
    CAMERA,
    NOW,
    WEBSITE,
    assert_held,
    make_face,
    make_matched_face,
    make_picture,
    make_pupil,
    make_register,
    make_rules,
    signed_input,
    unsigned_input,
    website_verdict,
    with_consent,
)
from tests.unit.policy.strategies import Scene, scenes

NONSENSE: list[Any] = [
    None,
    "",
    "yes",
    "given",
    0,
    1,
    -1,
    float("nan"),
    float("inf"),
    10**400,
    date.min,
    date.max,
    datetime.max.replace(tzinfo=UTC),
    datetime.min.replace(tzinfo=UTC),
    [],
    {},
    (),
    {"website": None},
    (None,),
    frozenset({None}),
    b"\xff",
    object(),
    Reason.SEALED,
    TagKind.PUPIL,
    NotExamined(None, None),  # type: ignore[arg-type]
]

PLACES = [
    *(("picture", f.name) for f in fields(Examined)),
    *(("face", f.name) for f in fields(FaceEvidence)),
    *(("match", f.name) for f in fields(Match)),
    *(("box", f.name) for f in fields(Box)),
    *(("tag", f.name) for f in fields(Tag)),
    *(("approval", f.name) for f in fields(Approval)),
    *(("consent", f.name) for f in fields(Consent)),
    *(("pupil", f.name) for f in fields(type(make_pupil()))),
    *(("school", f.name) for f in fields(type(make_register()))),
    *(("channel", f.name) for f in fields(type(WEBSITE))),
    *(("rules", f.name) for f in fields(type(make_rules()))),
    *(("staff", f.name) for f in fields(type(signed_input()))),
    *(("crop", f.name) for f in fields(Box)),
]
"""Every field of every value the decision is made from."""


def broken(what: str, field: str, value: Any) -> tuple[Any, ...]:
    """Arguments of ``decide`` that are in order but for one field of one value."""

    def maybe(name: str, thing: Any) -> Any:
        return replace(thing, **{field: value}) if name == what else thing

    box = maybe("box", Box(1, 1, 9, 9))
    identity = maybe("match", Match(ANN, 0.3, 0.2))
    face = maybe("face", replace(make_face(identity), box=box))
    picture = maybe("picture", make_picture(face, make_face(NotMatched(Reason.LOW_QUALITY_FACE))))
    tag = maybe("tag", Tag(TagKind.ADULT_WITH_AGREEMENT, basis="the vicar"))
    approval = maybe("approval", Approval("j.shaw", "asked"))
    crop = maybe("crop", Box(0, 0, 4000, 3000))
    staff = maybe("staff", unsigned_input({1: tag}, approvals={"website": approval}, crop=crop))
    consent = maybe("consent", make_pupil().consents[WEBSITE.purpose])
    pupil = maybe("pupil", with_consent(make_pupil(), consent))
    school = maybe("school", make_register(pupils={ANN: pupil}))
    channel = maybe("channel", WEBSITE)
    rules = maybe("rules", make_rules(channel))
    return picture, school, rules, NOW, staff


def is_an_answer(outcome: object) -> bool:
    """Whether this is what callers of ``decide`` rely on."""
    assert isinstance(outcome, dict)
    for verdict in outcome.values():
        assert isinstance(verdict, Release | Hold)
        if isinstance(verdict, Hold):
            assert verdict.reasons
            assert all(isinstance(reason, Reason) for reason in verdict.reasons)
    return True


def test_the_gate_opens_before_anything_is_broken() -> None:
    args = broken("nothing", "", None)
    assert isinstance(policy.decide(*args)["website"], Release)


@pytest.mark.parametrize(("what", "field"), PLACES)
def test_nonsense_in_any_field_gets_an_answer(what: str, field: str) -> None:
    for value in NONSENSE:
        assert is_an_answer(policy.decide(*broken(what, field, value)))


@pytest.mark.parametrize("place", range(5))
def test_nonsense_in_place_of_any_argument_opens_nothing(place: int) -> None:
    for value in NONSENSE:
        args = list(broken("nothing", "", None))
        args[place] = value
        outcome = policy.decide(*args)
        assert is_an_answer(outcome)
        assert not any(isinstance(v, Release) for v in outcome.values())


@settings(max_examples=200, deadline=None)
@given(scenes(), st.sampled_from(NONSENSE), st.integers(0, 4))
def test_any_scene_with_nonsense_gets_an_answer(scene: Scene, value: Any, place: int) -> None:
    args: list[Any] = [scene.picture, scene.school, scene.rules, NOW, scene.staff]
    args[place] = value
    event(f"argument {place}")
    assert is_an_answer(policy.decide(*args))


SAFEGUARDS = ["never_publish", "biometric_objection", "has_unenrolled_sibling", "on_roll"]


@pytest.mark.parametrize("mark", SAFEGUARDS)
def test_a_safeguard_nobody_knows_counts_as_set(mark: str) -> None:
    nonsense: list[Any] = [None, "", "no", 0, 1, float("nan"), []]
    for value in nonsense:
        school = make_register(make_pupil(ANN, **{mark: value}))
        assert isinstance(website_verdict(make_picture(make_matched_face()), school), Hold)


@pytest.mark.parametrize("purpose", [WEBSITE.purpose, BIOMETRIC])
def test_only_a_given_consent_is_given(purpose: str) -> None:
    for answer in (None, "", "given", "yes", True, 1):
        odd = Consent(answer)  # type: ignore[arg-type]
        school = make_register(with_consent(make_pupil(), odd, purpose))
        assert isinstance(website_verdict(make_picture(make_matched_face()), school), Hold)


@pytest.mark.parametrize("distance", [float("nan"), float("inf")])
def test_a_match_at_no_distance_we_know_is_held(distance: float) -> None:
    odd = make_face(Match(ANN, distance, margin=0.2))
    assert_held(website_verdict(make_picture(odd)), Reason.AMBIGUOUS_MATCH)


def test_a_match_whose_margin_is_no_number_is_held() -> None:
    odd = make_face(Match(ANN, 0.3, margin=float("nan")))
    assert_held(website_verdict(make_picture(odd)), Reason.AMBIGUOUS_MATCH)


def test_a_camera_setting_we_do_not_know_keeps_the_camera_rule_on() -> None:
    rules = make_rules(registered_devices=frozenset({"another camera"}), devices="holdd")
    assert CAMERA not in rules.registered_devices
    assert_held(
        website_verdict(make_picture(make_matched_face()), rules=rules), Reason.UNREGISTERED_DEVICE
    )


def test_ages_that_are_no_numbers_clear_nobody() -> None:
    for age in ("register_max_age_days", "enrolment_max_age_days"):
        rules = make_rules(**{age: float("nan")})
        assert isinstance(website_verdict(make_picture(make_matched_face()), rules=rules), Hold)


def test_a_pupil_without_an_admission_number_is_nobody() -> None:
    school = make_register(pupils={"": make_pupil("")})
    staff = signed_input({0: Tag(TagKind.PUPIL, pupil="")})
    verdict = website_verdict(make_picture(make_matched_face("")), school, staff)
    assert_held(verdict, Reason.CONSENT_MISSING)


def test_what_only_looks_like_an_examined_picture_is_held() -> None:
    lookalike: Any = SimpleNamespace(**vars(make_picture(make_matched_face())))
    assert_held(website_verdict(lookalike), Reason.NOT_EXAMINED)


def test_a_channel_we_cannot_read_does_not_close_the_others() -> None:
    rules = make_rules(None, WEBSITE)  # type: ignore[arg-type]
    assert isinstance(website_verdict(make_picture(make_matched_face()), rules=rules), Release)
