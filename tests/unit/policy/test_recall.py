"""Published pictures are recalled when a consent is lost, and only then."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from consent_gate.model import BIOMETRIC, Consent, Release, WhenNoFaces
from consent_gate.policy import must_recall
from tests.support.core_factories import (
    ANN,
    BEN,
    MAG,
    REFUSED,
    WEBSITE,
    assert_released,
    days_ago,
    decide_all,
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
from tests.unit.policy.strategies import NO_CONSENTS, Scene, scenes, spoil

OUT = make_picture(make_matched_face(ANN), make_matched_face(BEN))


def test_a_picture_that_may_stay_out_is_not_recalled() -> None:
    assert not must_recall(assert_released(website_verdict(OUT)))


def test_a_withdrawn_consent_recalls_from_its_channel_alone() -> None:
    school = make_register(with_consent(make_pupil(ANN), REFUSED), make_pupil(BEN))
    outcome = decide_all(OUT, school, rules=make_rules(WEBSITE, MAG))
    assert {name: must_recall(v) for name, v in outcome.items()} == {"website": True, "mag": False}


def test_a_leaver_is_recalled_also_when_the_register_has_gone_stale() -> None:
    school = make_register(
        make_pupil(ANN, on_roll=False), make_pupil(BEN), exported_on=days_ago(400)
    )
    assert must_recall(website_verdict(OUT, school))


@pytest.mark.parametrize(
    "later",
    [
        {"exported_on": days_ago(131)},
        {"exported_on": None},
        {"suspended": frozenset({WEBSITE.purpose})},
        {"suspended": frozenset({BIOMETRIC})},
    ],
)
def test_a_register_in_doubt_holds_new_pictures_but_recalls_none(later: dict[str, object]) -> None:
    verdict = website_verdict(OUT, make_register(**later))
    assert not isinstance(verdict, Release)
    assert not must_recall(verdict)


def test_an_enrolment_photo_that_has_aged_recalls_nothing() -> None:
    school = make_register(make_pupil(ANN, enrolled_on=days_ago(600)), make_pupil(BEN))
    verdict = website_verdict(OUT, school)
    assert not isinstance(verdict, Release)
    assert not must_recall(verdict)


def test_a_sibling_who_joins_recalls_nothing() -> None:
    school = make_register(make_pupil(ANN, has_unenrolled_sibling=True), make_pupil(BEN))
    assert not must_recall(website_verdict(OUT, school))


def test_a_camera_taken_off_the_register_recalls_nothing() -> None:
    rules = make_rules(registered_devices=frozenset({"Nikon|Z50|42"}))
    assert not must_recall(website_verdict(OUT, rules=rules))


def test_a_channel_that_no_longer_takes_pictures_without_faces_recalls_none() -> None:
    landscape = make_picture()
    lenient = make_rules(replace(WEBSITE, when_no_faces=WhenNoFaces.RELEASE))
    assert_released(website_verdict(landscape, rules=lenient))
    assert not must_recall(website_verdict(landscape))


def test_staff_who_change_their_mind_recall() -> None:
    assert must_recall(website_verdict(OUT, staff=unsigned_input(refused=frozenset({"website"}))))


def test_sealing_recalls() -> None:
    assert must_recall(website_verdict(OUT, staff=signed_input(sealed=True)))


# --- for any picture that is out ---


def shown_in(scene: Scene) -> list[tuple[str, str]]:
    """Each channel the picture is out in, with each pupil shown there by name."""
    return [
        (name, basis.pupil)
        for name, verdict in scene.verdicts().items()
        if isinstance(verdict, Release)
        for basis in verdict.basis
        if basis.pupil and basis.basis in ("consent", "tagged")
    ]


@settings(max_examples=150, deadline=None)
@given(scenes(), st.sampled_from(NO_CONSENTS))
def test_losing_a_consent_always_recalls(scene: Scene, none_now: Consent | None) -> None:
    purposes = {c.name: c.purpose for c in scene.rules.channels}
    out = shown_in(scene)
    event(f"shown: {bool(out)}")
    for channel, number in out:
        lost = spoil(scene.school, number, (purposes[channel], none_now))
        assert must_recall(replace(scene, school=lost).verdicts()[channel])


@settings(max_examples=150, deadline=None)
@given(
    scenes(),
    st.sampled_from(({"never_publish": True}, {"on_roll": False})),
)
def test_a_marked_pupil_and_a_leaver_are_always_recalled(
    scene: Scene, mark: dict[str, object]
) -> None:
    for channel, number in shown_in(scene):
        marked = spoil(scene.school, number, mark)
        assert must_recall(replace(scene, school=marked).verdicts()[channel])


@settings(max_examples=150, deadline=None)
@given(scenes(), st.sampled_from((None, days_ago(131), days_ago(-1))))
def test_staleness_alone_never_recalls(scene: Scene, exported_on: object) -> None:
    stale = replace(scene.school, exported_on=exported_on)  # type: ignore[arg-type]
    out = [n for n, v in scene.verdicts().items() if isinstance(v, Release)]
    later = replace(scene, school=stale).verdicts()
    assert not any(must_recall(later[name]) for name in out)
