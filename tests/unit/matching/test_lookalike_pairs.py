"""Pairs of pupils whom the models confuse."""

from __future__ import annotations

import dataclasses
from unittest import mock

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from consent_gate.matching.gallery import DLIB, SFACE, Gallery, fused_scores, gallery_of
from consent_gate.matching.lookalike_pairs import LOOKALIKE_RATE, lookalikes
from consent_gate.matching.thresholds import Thresholds
from tests.support.budgets import examples
from tests.support.face_vectors import (
    NEARLY,
    NO_CENTRE,
    THRESHOLDS,
    alike_by,
    school,
    seen_again,
    someone,
    template,
)


def test_twins_are_on_the_lookalike_list_once() -> None:
    twin = someone(1)
    gallery = gallery_of(
        [template("004002", twin), template("004001", seen_again(twin, 5, 0.3)), *school(5, 90)]
    )
    assert lookalikes(gallery, THRESHOLDS) == [("004001", "004002")]


@settings(max_examples=examples(60), deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 5), st.floats(0.0, 1.5)), min_size=1, max_size=30),
    st.integers(1, 9),
    st.sampled_from([0.0, 0.125, 0.5]),
)
def test_comparing_block_by_block_finds_the_same_lookalikes_as_comparing_all_at_once(
    looks: list[tuple[int, float]], block: int, weight: float
) -> None:
    thresholds = dataclasses.replace(THRESHOLDS, dlib_weight=weight)
    portraits = [
        template(f"{number // 2:06d}", seen_again(someone(like), number, change))
        for number, (like, change) in enumerate(looks)
    ]
    gallery = gallery_of(portraits)
    with mock.patch("consent_gate.matching.lookalike_pairs.BLOCK", block):
        assert lookalikes(gallery, thresholds) == all_at_once(gallery, thresholds)


def test_lookalikes_are_found_where_dlib_is_sure_of_them_and_sface_is_not() -> None:
    thresholds = dataclasses.replace(NO_CENTRE, dlib_weight=0.3)
    line = thresholds.fused_tail.score_at(LOOKALIKE_RATE / 2)
    probe = alike_by(thresholds.min_sface(line) + NEARLY, 1.0)
    one = {model: np.eye(128, dtype=np.float32)[0] for model in (SFACE, DLIB)}
    other = {model: rows[0] for model, rows in probe.vectors.items()}
    gallery = gallery_of([template("004001", one), template("004002", other)])
    with mock.patch("consent_gate.matching.lookalike_pairs.BLOCK", 1):
        assert lookalikes(gallery, thresholds) == [("004001", "004002")]


def all_at_once(gallery: Gallery, thresholds: Thresholds) -> list[tuple[str, str]]:
    """The definition: every template with every other."""
    scores = fused_scores(gallery.vectors, gallery.vectors, thresholds)
    line = thresholds.fused_tail.score_at(LOOKALIKE_RATE / len(gallery.pupils))
    near = [(gallery.owners[a], gallery.owners[b]) for a, b in np.argwhere(scores >= line)]
    return sorted({(gallery.pupils[a], gallery.pupils[b]) for a, b in near if a < b})


def test_a_pupil_with_two_portraits_is_not_his_own_lookalike() -> None:
    gallery = gallery_of([template("004001", someone(1)), template("004001", someone(1))])
    assert lookalikes(gallery, THRESHOLDS) == []
