"""Evidence is stored and read back unchanged; damaged evidence is rejected."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from consent_gate.db.evidence_json import from_json, to_json
from consent_gate.model import (
    Ambiguous,
    Box,
    Examined,
    FaceEvidence,
    FaceKind,
    Match,
    NotExamined,
    NotMatched,
    Quality,
    Reason,
    Unknown,
)

numbers = st.floats(allow_nan=False, allow_infinity=False)
pupils = st.text(st.characters(codec="utf-8"), min_size=1, max_size=8)
identities = st.one_of(
    st.builds(Match, pupils, numbers, numbers),
    st.just(Unknown()),
    st.builds(Ambiguous, st.lists(pupils, min_size=2, max_size=3).map(tuple)),
    st.builds(NotMatched, st.sampled_from(Reason), st.text(max_size=20)),
)
sizes = st.integers(1, 9999)
faces = st.builds(
    FaceEvidence,
    st.builds(Box, sizes, sizes, sizes, sizes),
    numbers,
    st.sampled_from(FaceKind),
    identities,
    st.none() | st.builds(Quality, sizes, numbers, numbers, numbers, numbers, numbers),
)
evidence = st.one_of(
    st.builds(NotExamined, st.sampled_from(Reason), st.text(max_size=30)),
    st.builds(
        Examined,
        sizes,
        sizes,
        st.text("0123456789abcdef", min_size=64, max_size=64),
        st.lists(faces, max_size=4).map(tuple),
        st.none() | st.text(max_size=20),
        st.text(max_size=20),
    ),
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=12), inner),
    max_leaves=8,
)


@given(evidence)
def test_evidence_comes_back_as_it_was(seen: Examined | NotExamined) -> None:
    assert from_json(json.loads(json.dumps(to_json(seen)))) == seen


@given(json_values | st.fixed_dictionaries({"examined": json_values}))
def test_damaged_evidence_can_only_hold(stored: Any) -> None:
    assert isinstance(from_json(stored), NotExamined)


@given(evidence.filter(lambda e: isinstance(e, Examined) and e.faces), st.data())
def test_evidence_that_lost_a_part_is_not_believed(seen: Examined, data: st.DataObject) -> None:
    stored = json.loads(json.dumps(to_json(seen)))
    face = stored["examined"]["faces"][0]
    del face[data.draw(st.sampled_from(sorted(face)))]
    assert isinstance(from_json(stored), NotExamined)
