"""The same faces in two pictures of one moment."""

from __future__ import annotations

from dataclasses import replace

import pytest

from consent_gate.matching.bursts import burst_key, same_faces
from consent_gate.model import Box, Examined, NotExamined, Reason
from tests.support.factories import STRANGER, make_evidence, matches

FIRST = make_evidence(matches("000001"), STRANGER)


def moved(picture: Examined, by: int) -> Examined:
    faces = [replace(f, box=replace(f.box, x=f.box.x + by)) for f in picture.faces]
    return replace(picture, faces=tuple(faces))


def test_faces_in_the_same_places_are_paired_in_any_order() -> None:
    turned = replace(FIRST, faces=FIRST.faces[::-1])
    assert same_faces(FIRST, moved(turned, 10)) == {0: 1, 1: 0}


@pytest.mark.parametrize(
    "other",
    [
        moved(FIRST, 90),
        replace(FIRST, width=FIRST.width + 1),
        replace(FIRST, faces=FIRST.faces[:1]),
        make_evidence(matches("000001"), STRANGER, STRANGER),
        make_evidence(matches("000002"), STRANGER),
        make_evidence(
            matches("000001"), STRANGER, boxes=[FIRST.faces[0].box, Box(61, 121, 120, 150)]
        ),
    ],
)
def test_another_picture_has_no_face_in_common(other: Examined) -> None:
    assert same_faces(FIRST, other) == {}


def test_pictures_with_the_same_faces_have_the_same_key_and_some_have_none() -> None:
    assert burst_key(FIRST) == burst_key(moved(FIRST, 10))
    assert burst_key(FIRST) != burst_key(replace(FIRST, width=FIRST.width + 1))
    assert burst_key(FIRST) != burst_key(replace(FIRST, faces=FIRST.faces[:1]))
    assert burst_key(make_evidence()) == burst_key(NotExamined(Reason.NOT_EXAMINED, "")) == ""
