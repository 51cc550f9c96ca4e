"""Matching a face with the enrolled pupils, and what it must never do."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from consent_gate.matching.gallery import (
    DLIB,
    SFACE,
    Gallery,
    Probes,
    Template,
    gallery_of,
)
from consent_gate.matching.identify import match, match_by_sface
from consent_gate.matching.lookalike_pairs import lookalikes
from consent_gate.model import (
    MINIMUM_ROLL,
    Ambiguous,
    Identity,
    Match,
    NearMatch,
    NotMatched,
    Reason,
    Unknown,
)
from tests.support.budgets import examples
from tests.support.face_vectors import (
    NEARLY,
    NO_CENTRE,
    THRESHOLDS,
    VERSIONS,
    alike_by,
    faces,
    school,
    seen_again,
    someone,
    template,
)


def whose(gallery: Gallery, person: dict[str, NDArray[np.float32]]) -> Identity:
    return match(gallery, faces(person), THRESHOLDS)[0]


def test_a_pupil_is_recognised_in_another_picture() -> None:
    gallery = gallery_of(school(200))
    answer = whose(gallery, seen_again(someone(7), seed=999, change=0.5))
    assert isinstance(answer, Match)
    assert answer.pupil == "000007"
    assert 0 < answer.distance < 1
    assert answer.margin >= THRESHOLDS.margin


def nobody_alike(pupils: int) -> Gallery:
    axes = np.eye(128, dtype=np.float32)
    return gallery_of(
        [template(f"{n:06d}", {SFACE: axes[n], DLIB: axes[n]}) for n in range(pupils)]
    )


@pytest.mark.parametrize("pupils", [2, 100])
@pytest.mark.parametrize("weight", [0.0, 0.2])
def test_just_under_the_line_a_face_is_unknown_and_just_over_it_is_the_pupil(
    pupils: int, weight: float
) -> None:
    thresholds = dataclasses.replace(NO_CENTRE, dlib_weight=weight)
    gallery, line = nobody_alike(pupils), thresholds.accept_fused(pupils)
    under, over = (alike_by(line + by, line + by) for by in (-NEARLY, NEARLY))
    (below,) = match(gallery, under, thresholds)
    near = pupils > MINIMUM_ROLL
    assert isinstance(below, NearMatch if near else Unknown), "near only for a smaller roll"
    (answer,) = match(gallery, over, thresholds)
    assert isinstance(answer, Match)
    assert answer.pupil == "000000"
    assert answer.distance == pytest.approx(1 - line, abs=2 * NEARLY)


def test_both_opinions_count_as_much_as_they_are_said_to() -> None:
    thresholds = dataclasses.replace(NO_CENTRE, dlib_weight=0.25)
    (answer,) = match(nobody_alike(50), alike_by(0.8, 0.4), thresholds)
    assert isinstance(answer, Match)
    assert answer.distance == pytest.approx(1 - 0.7, abs=1e-5)


def test_sface_alone_has_a_stricter_line_of_its_own() -> None:
    thresholds = dataclasses.replace(NO_CENTRE, dlib_weight=0.2)
    gallery, line = nobody_alike(50), thresholds.accept_sface(50)
    assert line > thresholds.accept_fused(50)
    assert match_by_sface(gallery, alike_by(line - NEARLY), thresholds) == [None]
    assert isinstance(match_by_sface(gallery, alike_by(line + NEARLY), thresholds)[0], Match)


def test_dlib_is_asked_wherever_it_could_still_lift_a_face_over_the_line() -> None:
    thresholds = dataclasses.replace(NO_CENTRE, dlib_weight=0.2)
    gallery, least = nobody_alike(50), thresholds.min_sface_to_match(MINIMUM_ROLL)
    assert match_by_sface(gallery, alike_by(least - NEARLY), thresholds) == [Unknown()]
    assert match(gallery, alike_by(least - NEARLY, 1.0), thresholds) == [Unknown()]
    assert match_by_sface(gallery, alike_by(least + NEARLY), thresholds) == [None]
    assert isinstance(match(gallery, alike_by(least + NEARLY, 1.0), thresholds)[0], NearMatch)


@pytest.mark.parametrize("weight", [0.0, 0.2])
def test_a_near_match_says_for_how_many_pupils_on_a_roll_it_would_suffice(weight: float) -> None:
    thresholds = dataclasses.replace(NO_CENTRE, dlib_weight=weight)
    gallery = nobody_alike(100)
    for roll in (MINIMUM_ROLL, 30, 60, 90):
        line = thresholds.accept_fused(roll)
        (over,) = match(gallery, alike_by(line + NEARLY, line + NEARLY), thresholds)
        (under,) = match(gallery, alike_by(line - NEARLY, line - NEARLY), thresholds)
        assert isinstance(over, NearMatch)
        assert over.pupil == "000000"
        assert over.roll_size >= roll
        assert thresholds.accept_fused(over.roll_size) <= line + 2 * NEARLY
        assert not isinstance(under, NearMatch) or under.roll_size < roll


def test_a_near_match_needs_the_margin_over_the_whole_school() -> None:
    thresholds = dataclasses.replace(NO_CENTRE, dlib_weight=0.0)
    score = thresholds.accept_fused(20) + NEARLY
    for lead, kind in ((thresholds.margin - 0.01, Unknown), (thresholds.margin + 0.01, NearMatch)):
        face = np.zeros((1, 128), np.float32)
        face[0, :2] = score, score - lead
        face[0, 127] = np.sqrt(1 - (face**2).sum())
        probes = Probes({SFACE: face, DLIB: face}, VERSIONS)
        assert isinstance(match(nobody_alike(100), probes, thresholds)[0], kind)


def test_the_lead_needed_over_the_next_pupil_is_the_margin() -> None:
    thresholds = dataclasses.replace(NO_CENTRE, dlib_weight=0.0)
    for lead, kind in ((thresholds.margin - 0.01, Ambiguous), (thresholds.margin + 0.01, Match)):
        face = np.zeros((1, 128), np.float32)
        face[0, :3] = 0.6, 0.6 - lead, np.sqrt(1 - 0.36 - (0.6 - lead) ** 2)
        probes = Probes({SFACE: face, DLIB: face}, VERSIONS)
        assert isinstance(match(nobody_alike(2), probes, thresholds)[0], kind)


def remembered(pupil: str, axis: int) -> Template:
    """A face that staff named as the pupil."""
    return dataclasses.replace(along(axis, pupil=pupil)[0], remembered=True)


def seen_along(*shares: float) -> Probes:
    """A face with this likeness to each axis."""
    face = np.zeros((1, 128), np.float32)
    face[0, : len(shares)] = shares
    face[0, 127] = np.sqrt(1 - (face**2).sum())
    return Probes({SFACE: face, DLIB: face}, VERSIONS)


@pytest.mark.parametrize("weight", [0.0, 0.2])
def test_one_face_remembered_under_the_wrong_name_clears_nobody(weight: float) -> None:
    """The other child, seen again, is very like the wrong template and not like the portrait."""
    thresholds = dataclasses.replace(NO_CENTRE, dlib_weight=weight)
    other_child = seen_along(0.1, 0.9)
    for count in (1, 2):
        wrong = [remembered("004001", 1)] * count
        gallery = gallery_of([*along(0, pupil="004001"), *wrong, *along(5, pupil="004002")])
        assert match(gallery, other_child, thresholds) == [Unknown()]
        assert not isinstance(match_by_sface(gallery, other_child, thresholds)[0], Match)
    as_portraits = gallery_of([*along(0, 1, pupil="004001"), *along(5, pupil="004002")])
    assert isinstance(match(as_portraits, other_child, thresholds)[0], Match), "the test can fail"


def test_a_remembered_face_helps_where_the_portrait_is_somewhat_like() -> None:
    thresholds = dataclasses.replace(NO_CENTRE, dlib_weight=0.2)
    face = seen_along(0.33, 0.6)
    alone = gallery_of([*along(0, pupil="004001"), *along(5, pupil="004002")])
    assert match(alone, face, thresholds) == [Unknown()]
    both = gallery_of(
        [*along(0, pupil="004001"), remembered("004001", 1), *along(5, pupil="004002")]
    )
    assert isinstance(match(both, face, thresholds)[0], Match)


def test_a_pupil_who_has_no_portrait_is_compared_with_named_faces() -> None:
    thresholds = dataclasses.replace(NO_CENTRE, dlib_weight=0.2)
    gallery = gallery_of([remembered("004001", 1), *along(5, pupil="004002")])
    assert isinstance(match(gallery, seen_along(0.0, 0.9), thresholds)[0], Match)


def along(*axes: int, pupil: str = "004001") -> list[Template]:
    """Portraits of one pupil, each along an axis of its own or the same as another."""
    every = np.eye(128, dtype=np.float32)
    return [template(pupil, {SFACE: every[axis], DLIB: every[axis]}) for axis in axes]


def test_of_several_portraits_the_average_counts() -> None:
    thresholds = dataclasses.replace(NO_CENTRE, dlib_weight=0.2)
    (answer,) = match(gallery_of(along(0, 5)), alike_by(0.9, 0.8), thresholds)
    assert isinstance(answer, Match)
    sface, dlib = 0.9 / np.sqrt(2), 0.8 / 2
    assert answer.distance == pytest.approx(1 - 0.8 * sface - 0.2 * dlib, abs=1e-5)


def test_another_child_among_a_pupils_portraits_is_not_taken_for_the_pupil() -> None:
    gallery = gallery_of([*along(5, 5, 5, 0), *along(7, pupil="004002")])
    for answer in (
        match(gallery, alike_by(1.0, 1.0), NO_CENTRE)[0],
        match_by_sface(gallery, alike_by(1.0), NO_CENTRE)[0],
    ):
        assert not isinstance(answer, Match)


def test_portraits_that_say_nothing_together_have_the_face_not_judged() -> None:
    one, opposite = along(0)[0], along(0)[0]
    turned = {SFACE: -opposite.vectors[SFACE], DLIB: opposite.vectors[DLIB]}
    gallery = gallery_of([one, template("004001", turned)])
    assert isinstance(match(gallery, alike_by(1.0), NO_CENTRE)[0], NotMatched)


def with_pictures(first: int, others: int = 1, pupils: int = 50) -> Gallery:
    """Pupils along axes of their own: the first with so many equal templates, the others with so
    many each."""
    counts = [first, *[others] * (pupils - 1)]
    return gallery_of(
        [t for n, count in enumerate(counts) for t in along(*[n] * count, pupil=f"{n:06d}")]
    )


@pytest.mark.parametrize("pictures", [2, 3, 5])
def test_more_templates_of_a_pupil_raise_the_line_of_this_pupil(pictures: int) -> None:
    """A stranger has more chances to resemble one of them."""
    thresholds = dataclasses.replace(NO_CENTRE, dlib_weight=0.0)
    line = thresholds.accept_fused(50, pictures)
    assert line > thresholds.accept_fused(50) + 2 * NEARLY
    for gallery in (with_pictures(pictures), with_pictures(pictures, pictures)):
        assert isinstance(match(gallery, alike_by(line + NEARLY), thresholds)[0], Match)
        (below,) = match(gallery, alike_by(line - NEARLY), thresholds)
        assert isinstance(below, NearMatch)
        assert thresholds.accept_fused(below.roll_size, pictures) <= line
        assert thresholds.accept_fused(below.roll_size + 1, pictures) > line - NEARLY
    others_have_more = with_pictures(1, pictures)
    over = alike_by(thresholds.accept_fused(50) + NEARLY)
    assert isinstance(match(others_have_more, over, thresholds)[0], Match)


def test_more_templates_raise_the_line_of_sface_alone_too() -> None:
    line = NO_CENTRE.accept_sface(50, 2)
    assert line > NO_CENTRE.accept_sface(50) + 2 * NEARLY
    gallery = with_pictures(2)
    assert match_by_sface(gallery, alike_by(line - NEARLY), NO_CENTRE) == [None]
    assert isinstance(match_by_sface(gallery, alike_by(line + NEARLY), NO_CENTRE)[0], Match)


def test_where_only_the_next_pupil_reaches_the_line_both_are_named() -> None:
    thresholds = dataclasses.replace(NO_CENTRE, dlib_weight=0.0)
    gallery, low = with_pictures(5), thresholds.accept_fused(50)
    assert match(gallery, seen_along(low + 0.02, low + 0.01), thresholds) == [
        Ambiguous(("000000", "000001"))
    ]
    assert match(gallery, seen_along(low + 0.02, low - 0.01), thresholds) == [Unknown()]


@settings(max_examples=examples(60), deadline=None)
@given(st.lists(st.integers(1, 4), min_size=4, max_size=12), st.integers(0, 3), st.floats(0.0, 2.0))
def test_a_match_reaches_the_line_of_one_template_and_of_its_own(
    counts: list[int], pupil: int, change: float
) -> None:
    gallery = gallery_of(
        [
            template(f"{n:06d}", seen_again(someone(n), 10 * n + i, 0.3))
            for n, count in enumerate(counts)
            for i in range(count)
        ]
    )
    probe = seen_again(someone(pupil), 999, change)
    for found, accept in (
        (whose(gallery, probe), THRESHOLDS.accept_fused),
        (match_by_sface(gallery, faces(probe), THRESHOLDS)[0], THRESHOLDS.accept_sface),
    ):
        if isinstance(found, Match):
            own = counts[gallery.pupils.index(found.pupil)]
            least = max(accept(len(counts)), accept(len(counts), own))
            assert 1 - found.distance >= least - 1e-6


def test_a_visitor_is_unknown_and_not_the_nearest_pupil() -> None:
    assert whose(gallery_of(school(200)), someone(12345)) == Unknown()


def test_with_nobody_enrolled_everyone_is_unknown() -> None:
    empty = gallery_of([])
    assert match(empty, faces(someone(1), someone(2)), THRESHOLDS) == [Unknown(), Unknown()]
    assert match_by_sface(empty, faces(someone(1)), THRESHOLDS) == [Unknown()]


def test_a_picture_without_faces_has_no_answers() -> None:
    none = Probes(dict.fromkeys((SFACE, DLIB), np.zeros((0, 128), np.float32)), VERSIONS)
    assert match(gallery_of(school(3)), none, THRESHOLDS) == []
    assert match_by_sface(gallery_of(school(3)), none, THRESHOLDS) == []


def test_twins_are_ambiguous_and_both_are_named() -> None:
    twin = someone(1)
    gallery = gallery_of(
        [template("004001", twin), template("004002", seen_again(twin, 5, 0.05)), *school(20, 50)]
    )
    assert whose(gallery, twin) == Ambiguous(("004001", "004002"))
    assert match_by_sface(gallery, faces(twin), THRESHOLDS) == [None]


@pytest.mark.parametrize("model", [SFACE, DLIB])
@pytest.mark.parametrize("broken", [np.nan, np.inf])
def test_a_face_that_gave_no_figures_is_not_judged(model: str, broken: float) -> None:
    person = {name: vector.copy() for name, vector in someone(1).items()}
    person[model][3] = broken
    gallery = gallery_of(school(5))
    answer = whose(gallery, person)
    assert isinstance(answer, NotMatched)
    assert answer.reason is Reason.NOT_EXAMINED
    if model == SFACE:
        assert match_by_sface(gallery, faces(person), THRESHOLDS) == [answer]


def test_a_face_measured_by_another_model_is_not_judged() -> None:
    gallery = gallery_of(school(5))
    other = Probes(faces(someone(1)).vectors, {**VERSIONS, SFACE: "another"})
    for answer in [*match(gallery, other, THRESHOLDS), *match_by_sface(gallery, other, THRESHOLDS)]:
        assert isinstance(answer, NotMatched)


def test_thresholds_of_another_model_judge_nobody() -> None:
    foreign = dataclasses.replace(THRESHOLDS, versions={**VERSIONS, DLIB: "another"})
    gallery = gallery_of(school(5))
    assert isinstance(match(gallery, faces(someone(1)), foreign)[0], NotMatched)
    assert lookalikes(gallery, foreign) == []


def test_templates_of_another_model_match_nobody() -> None:
    old = {**VERSIONS, SFACE: "last year's"}
    gallery = gallery_of([Template("000001", someone(1), old)])
    for answer in (
        match(gallery, faces(someone(1)), THRESHOLDS)[0],
        match_by_sface(gallery, faces(someone(1)), THRESHOLDS)[0],
    ):
        assert isinstance(answer, NotMatched)
    assert lookalikes(gallery, THRESHOLDS) == []


@settings(max_examples=examples(30), deadline=None)
@given(st.permutations(range(12)), st.integers(0, 11), st.floats(0.2, 1.5))
def test_the_order_of_enrolment_makes_no_difference(
    order: list[int], pupil: int, change: float
) -> None:
    templates = [template(f"{n % 6:06d}", someone(n)) for n in range(12)]
    probe = seen_again(someone(pupil), 77, change)
    shuffled = gallery_of([templates[index] for index in order])
    straight, other = whose(gallery_of(templates), probe), whose(shuffled, probe)
    assert type(straight) is type(other)
    if isinstance(straight, Match) and isinstance(other, Match):
        assert straight.pupil == other.pupil
        assert straight.distance == pytest.approx(other.distance, abs=1e-5)


@settings(max_examples=examples(60), deadline=None)
@given(st.integers(0, 9), st.floats(0.0, 2.0), st.integers(1, 40))
def test_enrolling_others_never_makes_an_unmatched_face_match_an_old_pupil(
    pupil: int, change: float, newcomers: int
) -> None:
    before = gallery_of(school(10))
    after = gallery_of([*school(10), *newly(newcomers)])
    probe = seen_again(someone(pupil), 3, change)
    was, became = whose(before, probe), whose(after, probe)
    if not isinstance(was, Match) and isinstance(became, Match):
        assert became.pupil not in before.pupils
    if isinstance(was, Match) and isinstance(became, Match):
        assert became.pupil == was.pupil


def newly(count: int) -> list[Template]:
    return [template(f"9{number:05d}", someone(700 + number)) for number in range(count)]


@settings(max_examples=examples(60), deadline=None)
@given(st.integers(0, 9), st.floats(0.0, 2.0))
def test_a_stricter_promise_never_clears_more(pupil: int, change: float) -> None:
    gallery = gallery_of(school(10))
    stricter = dataclasses.replace(THRESHOLDS, false_accept_rate=1e-5)
    probe = faces(seen_again(someone(pupil), 3, change))
    if isinstance(match(gallery, probe, stricter)[0], Match):
        assert isinstance(match(gallery, probe, THRESHOLDS)[0], Match)


@settings(max_examples=examples(60), deadline=None)
@given(st.integers(0, 9), st.floats(0.0, 2.0))
def test_sface_alone_never_names_another_pupil_than_both_models_would(
    pupil: int, change: float
) -> None:
    gallery = gallery_of(school(10))
    probe = faces(seen_again(someone(pupil), 3, change))
    alone, both = (
        match_by_sface(gallery, probe, THRESHOLDS)[0],
        match(gallery, probe, THRESHOLDS)[0],
    )
    if isinstance(alone, Match) and isinstance(both, Match):
        assert alone.pupil == both.pupil


@settings(max_examples=examples(60), deadline=None)
@given(st.integers(0, 19), st.floats(0.0, 2.0))
def test_sface_alone_calls_nobody_unknown_whom_both_models_would_match(
    pupil: int, change: float
) -> None:
    gallery = gallery_of(school(10))
    probe = faces(seen_again(someone(pupil), 3, change))
    if match_by_sface(gallery, probe, THRESHOLDS) == [Unknown()]:
        assert match(gallery, probe, THRESHOLDS) == [Unknown()]


@settings(max_examples=examples(40), deadline=None)
@given(st.lists(st.integers(0, 30), min_size=1, max_size=8))
def test_each_face_is_judged_by_itself(people: list[int]) -> None:
    gallery = gallery_of(school(10))
    shown = [seen_again(someone(n), n, 0.4) for n in people]
    together = match(gallery, faces(*shown), THRESHOLDS)
    for person, answer in zip(shown, together, strict=True):
        assert type(whose(gallery, person)) is type(answer)
