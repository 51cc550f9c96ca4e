"""Answers of workers cross as data, and only values of the expected types come out."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

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
from ingest.faces.enrolment_face import (
    EnrolmentFace,
    NotEnrollable,
    NotEnrollableReason,
    SchoolVector,
)
from ingest.workers import answers, face_tasks, rendition_tasks, worker
from ingest.workers.answers import AnswerInvalid
from ingest.workers.examination import Examination
from publish.rendering.render import ImageFormat
from publish.renditions.rendition import AlternateFormat, Rendition, RenditionRefused

QUALITY = Quality(80, 12.5, 0.1, 120.0, 30.0, 0.98)
FACES = (
    FaceEvidence(Box(1, 2, 3, 4), 0.9, FaceKind.FACE, Match("000001", 0.2, 0.3), QUALITY),
    FaceEvidence(Box(-1, 2, 3, 4), 1.0, FaceKind.POSSIBLE, Unknown()),
    FaceEvidence(Box(1, 2, 3, 4), 0.5, FaceKind.FACE, Ambiguous(("000001", "000002"))),
    FaceEvidence(Box(1, 2, 3, 4), 0.5, FaceKind.FACE, NotMatched(Reason.LOW_QUALITY_FACE, "x")),
)
EXAMINED = Examination(Examined(4000, 3000, "ab" * 32, FACES, "Canon|EOS|1", "v1"), b"jpeg")


@pytest.mark.parametrize(
    ("task", "value"),
    [
        (worker.examine, EXAMINED),
        (worker.examine, Examination(NotExamined(Reason.NOT_EXAMINED, "Größe"), None)),
        (
            rendition_tasks.make_renditions,
            [
                Rendition(b"one", 10, 20, (AlternateFormat(ImageFormat.WEBP, b"two"),)),
                RenditionRefused(Reason.POSSIBLE_FACE, "Look again."),
                Rendition(b"", 10, 20),
            ],
        ),
        (face_tasks.enrol, NotEnrollable(NotEnrollableReason.NO_FACE, "No face.")),
        (face_tasks.enrol, RenditionRefused(Reason.NOT_EXAMINED, "x")),
        (face_tasks.measure_detectability, {12: None, 96: FaceKind.FACE}),
        (face_tasks.measure_detectability, None),
    ],
)
def test_each_kind_of_answer_comes_out_as_it_went_in(task: Any, value: object) -> None:
    assert answers.decode(
        answers.encode(succeeded=True, value=value), answers.answer_type(task)
    ) == (
        True,
        value,
    )


def test_vectors_come_out_as_they_went_in() -> None:
    vector = np.linspace(0, 1, 128, dtype=np.float32)
    own = np.linspace(0, 1, 512, dtype=np.float32)
    vectors = {"sface": vector, "dlib": vector, "school": own}
    face = EnrolmentFace(vectors, dict.fromkeys(vectors, "v1"), QUALITY, b"portrait")
    data = answers.encode(succeeded=True, value=face)
    _, got = answers.decode(data, answers.answer_type(face_tasks.enrol))
    assert np.array_equal(got.vectors["sface"], vector)
    assert np.array_equal(got.vectors["school"], own)
    assert (got.versions, got.quality, got.portrait) == (face.versions, QUALITY, b"portrait")


def message(document: object, rest: bytes = b"") -> bytes:
    text = document if isinstance(document, bytes) else json.dumps(document).encode()
    return len(text).to_bytes(4, "big") + text + rest


BOX = {"x": 1, "y": 2, "width": 3, "height": 4}


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ([True, {"class": "Box", "fields": BOX | {"more": 1}}, []], Box),
        ([True, {"class": "Box", "fields": {"x": 1}}, []], Box),
        ([True, {"class": "Box", "fields": BOX, "more": 1}, []], Box),
        ([True, {"class": "Path", "fields": BOX}, []], Box),
        ([True, {"class": "Box", "fields": BOX | {"x": "1"}}, []], Box),
        ([True, {"class": "Box", "fields": BOX | {"x": True}}, []], Box),
        ([True, {"class": "Box", "fields": BOX | {"x": 1.5}}, []], Box),
        ([True, {"class": "Box", "fields": BOX | {"x": 1 << 40}}, []], Box),
        (
            [True, {"class": "Match", "fields": {"pupil": "1", "distance": 0.1, "margin": 0}}, []],
            Box,
        ),
        ([True, {"class": "Unknown", "fields": {}}, []], Match | Ambiguous),
        ([True, "no_such_reason", []], Reason),
        ([True, "\ud800", []], str),
        ([True, "x" * 10_001, []], str),
        ([True, "x", []], int),
        ([True, None, []], str),
        ([True, 0, []], bytes),
        ([True, -1, [1]], bytes),
        ([True, 0, [-1]], bytes),
        ([True, 0, [1 << 60]], bytes),
        ([True, 0, ["1"]], bytes),
        ([True, [[[], 1]], []], Mapping[int, int]),
        ([True, [[1]], []], Mapping[int, int]),
        ([1, None, []], type(None)),
        ([True, None], type(None)),
        ({"a": 1}, type(None)),
        (b"[true, NaN, []]", float),
        (b"[true, -Infinity, []]", float),
        (b"[true, 1e999, []]", float),
        (b"[true, " + b"9" * 5000 + b", []]", int),
        (b"[" * 100_000, int),
        (b"\xff\xfe", int),
        (b"", int),
        ([False, {"class": "Box", "fields": BOX}, []], Box),
    ],
)
def test_what_is_no_answer_is_refused(document: object, expected: object) -> None:
    with pytest.raises(AnswerInvalid):
        answers.decode(message(document), expected)


@pytest.mark.parametrize(
    "data", [b"", b"\xff\xff\xff\xff", b"\0\0\0\x09[]", message([True, None, []], b"x")]
)
def test_a_message_of_the_wrong_length_is_refused(data: bytes) -> None:
    with pytest.raises(AnswerInvalid):
        answers.decode(data, type(None))


GOOD = np.ones(128, np.float32)


@pytest.mark.parametrize(
    "vectors",
    [
        {"sface": np.full(128, np.nan, np.float32), "dlib": GOOD},
        {"sface": np.zeros(127, np.float32), "dlib": GOOD},
        {"sface": GOOD},
        {"sface": GOOD, "dlib": GOOD, "school": np.ones(31, np.float32)},
        {"sface": GOOD, "dlib": GOOD, "school": np.ones(4097, np.float32)},
        {"sface": GOOD, "dlib": GOOD, "school": np.full(512, np.inf, np.float32)},
        {"sface": GOOD, "dlib": GOOD, "another": GOOD},
    ],
)
def test_vectors_that_cannot_be_compared_are_refused(
    vectors: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as worker:  # a worker that was taken over checks nothing
        worker.setattr(EnrolmentFace, "__post_init__", lambda _: None)
        face = EnrolmentFace(vectors, dict.fromkeys(vectors, "v1"), QUALITY, b"portrait")
        data = answers.encode(succeeded=True, value=face)
    with pytest.raises(AnswerInvalid):
        answers.decode(data, EnrolmentFace)


@pytest.mark.parametrize("length", [31, 4097])
def test_a_portraits_vector_of_no_sensible_length_is_refused(
    length: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as worker:
        worker.setattr(SchoolVector, "__post_init__", lambda _: None)
        data = answers.encode(True, SchoolVector(np.ones(length, np.float32), "v"))  # noqa: FBT003
    with pytest.raises(AnswerInvalid):
        answers.decode(data, SchoolVector)


def test_what_is_no_data_is_not_sent() -> None:
    with pytest.raises(TypeError):
        answers.encode(succeeded=True, value=object())
