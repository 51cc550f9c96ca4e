"""Faces that only the rendered picture showed, in the evidence of the picture."""

from __future__ import annotations

from dataclasses import replace

import pytest

from consent_gate.db.evidence_json import from_json, to_json
from consent_gate.decisions.rendition_faces import (
    MAX_ADDED,
    with_earlier_rendition_faces,
    with_film_faces,
    with_rendition_faces,
)
from consent_gate.model import (
    Box,
    Examined,
    FaceEvidence,
    FaceKind,
    Film,
    NotExamined,
    Reason,
    Shown,
    Unknown,
)

PUPIL = FaceEvidence(Box(10, 10, 40, 50), 0.9, FaceKind.FACE, Unknown())
PICTURE = Examined(300, 200, "ab" * 32, (PUPIL,))
SECOND = Box(200, 100, 30, 40)


def test_a_new_box_becomes_a_possible_face_after_the_others() -> None:
    pupil, found = with_rendition_faces(PICTURE, [SECOND]).faces
    assert pupil == PUPIL
    assert (found.box, found.kind, found.in_rendition) == (SECOND, FaceKind.POSSIBLE, True)


@pytest.mark.parametrize(
    "box",
    [
        pytest.param(Box(20, 20, 30, 30), id="at a face"),
        pytest.param(Box(110, 110, 20, 20), id="at a face that staff drew"),
        pytest.param(Box(400, 100, 30, 40), id="outside the picture"),
    ],
)
def test_a_box_at_a_known_face_or_outside_is_not_added(box: Box) -> None:
    assert with_rendition_faces(PICTURE, [box], [Box(100, 100, 40, 40)]) == PICTURE


def test_a_far_smaller_face_before_a_known_one_is_added() -> None:
    """A child before a poster."""
    child = Box(25, 40, 10, 12)
    assert [face.box for face in with_rendition_faces(PICTURE, [child]).faces[1:]] == [child]


def test_one_place_is_added_once_and_inside_the_picture() -> None:
    boxes = [Box(280, 180, 40, 40), Box(282, 182, 30, 30)]
    assert [f.box for f in with_rendition_faces(PICTURE, boxes).faces[1:]] == [
        Box(280, 180, 20, 20)
    ]


def test_a_worker_that_was_taken_over_cannot_fill_the_database() -> None:
    boxes = [Box(x, y, 2, 2) for x in range(60, 300, 5) for y in range(0, 200, 5)]
    assert len(with_rendition_faces(PICTURE, boxes).faces) == 1 + MAX_ADDED


def test_a_new_examination_of_the_same_pixels_keeps_it() -> None:
    before = with_rendition_faces(PICTURE, [SECOND])
    assert with_earlier_rendition_faces(before, PICTURE) == before
    seen = replace(PICTURE, faces=(PUPIL, replace(PUPIL, box=SECOND)))
    assert with_earlier_rendition_faces(before, seen) == seen, "the examination finds it now"
    other = replace(PICTURE, pixels_sha256="cd" * 32)
    assert with_earlier_rendition_faces(before, other) == other
    failed = NotExamined(Reason.NOT_EXAMINED, "")
    assert with_earlier_rendition_faces(failed, PICTURE) == PICTURE
    assert with_earlier_rendition_faces(before, failed) == failed


def test_the_database_keeps_where_it_was_found() -> None:
    evidence = with_rendition_faces(PICTURE, [SECOND])
    assert from_json(to_json(evidence)) == evidence


FILM = replace(PICTURE, film=Film(2.0, 50, 0, 2, 1, ("video h264",)))
GLIMPSE = Shown(1.0, 1.0, 1.0, ((1.0, 12, 12, 40, 50),), (-3.0, 5.0))


def test_a_face_of_a_film_is_added_with_its_time_also_at_the_place_of_another() -> None:
    found = with_film_faces(FILM, [GLIMPSE]).faces[1]
    assert (found.box, found.kind, found.shown) == (Box(12, 12, 40, 50), FaceKind.POSSIBLE, GLIMPSE)
    assert found.in_rendition
    assert found.identity != Unknown()


def test_a_face_of_a_film_is_added_once_and_inside_the_picture() -> None:
    outside, nowhere = replace(GLIMPSE, path=((1.0, 400, 12, 40, 50),)), replace(GLIMPSE, path=())
    after = with_film_faces(FILM, [GLIMPSE, GLIMPSE, outside, nowhere])
    assert len(after.faces) == 2
    assert with_film_faces(after, [GLIMPSE]) == after
    many = [replace(GLIMPSE, from_s=number / 10) for number in range(2 * MAX_ADDED)]
    assert len(with_film_faces(FILM, many).faces) == 1 + MAX_ADDED


def test_a_new_examination_of_the_same_film_keeps_it() -> None:
    before = with_film_faces(FILM, [GLIMPSE])
    assert with_earlier_rendition_faces(before, FILM) == before
    assert from_json(to_json(before)) == before
