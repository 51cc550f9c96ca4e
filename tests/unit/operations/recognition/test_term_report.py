"""The report of a term: what was said of each face, counted by year."""

from __future__ import annotations

import pytest

from consent_gate.model import Ambiguous, Identity, Match, NearMatch, Tag, TagKind, Unknown
from consent_gate.operations.recognition.term_report import (
    FaceOutcome,
    YearOutcomes,
    by_year,
    outcome_of,
)
from tests.support.core_factories import make_face, make_near_face

ANN, BEN = "000001", "000002"
MATCH = Match(ANN, 0.3, 0.2)


@pytest.mark.parametrize(
    ("identity", "tag", "expected"),
    [
        (MATCH, None, (FaceOutcome.UNCHECKED, ANN)),
        (MATCH, Tag(TagKind.PUPIL, ANN), (FaceOutcome.CONFIRMED, ANN)),
        (MATCH, Tag(TagKind.PUPIL, BEN), (FaceOutcome.CORRECTED, ANN)),
        (MATCH, Tag(TagKind.ADULT_WITH_AGREEMENT, basis="mum"), (FaceOutcome.CORRECTED, ANN)),
        (MATCH, Tag(TagKind.NOT_A_FACE), (FaceOutcome.CORRECTED, ANN)),
        (MATCH, Tag(TagKind.CANNOT_TELL), (FaceOutcome.DOUBTED, ANN)),
        (MATCH, Tag(TagKind.BLURRED), None),
        (Unknown(), None, None),
        (Unknown(), Tag(TagKind.PUPIL, ANN), (FaceOutcome.MISSED, ANN)),
        (Ambiguous((ANN, BEN)), Tag(TagKind.PUPIL, BEN), (FaceOutcome.WITHOUT_PORTRAIT, BEN)),
        (Unknown(), Tag(TagKind.CANNOT_TELL), None),
    ],
)
def test_each_face_has_one_outcome(
    identity: Identity, tag: Tag | None, expected: tuple[FaceOutcome, str] | None
) -> None:
    assert outcome_of(make_face(identity), tag, (), {ANN}) == expected


def test_a_near_match_is_recognised_only_where_it_counted() -> None:
    face = make_near_face(ANN)
    assert isinstance(face.identity, NearMatch)
    assert outcome_of(face, None, (), {ANN}) == (FaceOutcome.UNCHECKED, ANN)
    assert outcome_of(face, None, {"unknown_face"}, {ANN}) is None
    named = Tag(TagKind.PUPIL, ANN)
    assert outcome_of(face, named, {"not_at_event"}, {ANN}) == (FaceOutcome.MISSED, ANN)


def test_faces_are_counted_by_year() -> None:
    outcomes = [
        (FaceOutcome.UNCHECKED, ANN),
        (FaceOutcome.CORRECTED, ANN),
        (FaceOutcome.MISSED, BEN),
        (FaceOutcome.CONFIRMED, "000009"),
    ]
    assert by_year(outcomes, {ANN: "Year 5", BEN: "Year 1", "000009": ""}) == (
        YearOutcomes("Year 1", missed=1),
        YearOutcomes("Year 5", unchecked=1, corrected=1),
        YearOutcomes("no year group", confirmed=1),
    )
