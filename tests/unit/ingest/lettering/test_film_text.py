"""The text of a film is read in the frames that all detectors search."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest

from consent_gate.model import Box
from consent_gate.names.text_lines import MAX_FILM_LINES, ReadLine
from ingest.faces.protocols import RGB, FoundFace
from ingest.film.frames import JudgedFrame
from ingest.film.search import SearchedFrame
from ingest.lettering import film_text
from ingest.lettering.film_text import FilmText
from ingest.lettering.lettering import Lettering, TooMuchText

BOX = Box(10, 20, 30, 4)
THUMBNAIL = np.zeros((18, 32, 3), np.float32)


class FakeLettering(Lettering):
    """Knows the text of each frame, whose number is the value of its pixels."""

    def __init__(self, texts: Mapping[int, tuple[str, ...] | None]) -> None:
        self.texts = texts
        self.calls = 0

    def read(self, rgb: RGB) -> tuple[ReadLine, ...]:
        self.calls += 1
        found = self.texts[int(rgb[0, 0, 0])]
        if found is None:
            raise TooMuchText
        return tuple(ReadLine(text, BOX) for text in found)


def read(texts: Mapping[int, tuple[str, ...] | None]) -> tuple[ReadLine, ...] | None:
    text = FilmText(FakeLettering(texts), width=128)
    for number in texts:
        frame = JudgedFrame(number, float(number), np.full((36, 64, 3), number, np.uint8))
        text.read(SearchedFrame(frame, cut=False, thumbnail=THUMBNAIL, by_scout=(), by_ensemble=()))
        text.read(SearchedFrame(frame, cut=False, thumbnail=THUMBNAIL, by_scout=()))
    return text.lines()


def test_the_lines_of_each_frame_that_says_something_new_are_kept() -> None:
    lines = read({0: ("Ben", "Whitcombe"), 1: ("BEN", "whitcombe"), 2: ("Ben", "Class 3B"), 3: ()})
    assert lines is not None
    assert [(line.text, line.frame) for line in lines] == [
        ("Ben", 0),
        ("Whitcombe", 0),
        ("Ben", 2),
        ("Class 3B", 2),
    ]
    assert lines[0].box == Box(20, 40, 60, 8), "in pixels of the original"


def test_a_frame_that_puts_known_words_beside_each_other_is_kept() -> None:
    lines = read({0: ("Ben",), 1: ("Whitcombe",), 2: ("Ben", "Whitcombe"), 3: ("Ben", "Whitcombe")})
    assert lines is not None
    assert [(line.text, line.frame) for line in lines if line.frame > 1] == [
        ("Ben", 2),
        ("Whitcombe", 2),
    ]


def test_what_a_film_said_before_an_interruption_is_read_again() -> None:
    """Only the numbers of the frames were stored. All other frames before it say nothing new."""
    texts = {0: ("Ben",), 1: ("Ben",), 2: ("Whitcombe",), 3: ("Ben",), 4: ("Ann",)}
    whole = FilmText(FakeLettering(texts), width=128)
    for number in texts:
        whole.read(searched(number, by_ensemble=()))
    assert whole.frames == [0, 2, 4]
    again = FilmText(FakeLettering({n: texts[n] for n in (0, 2, 3, 4)}), 128, again=(0, 2))
    for number in texts:
        again.read(searched(number, by_ensemble=None if number < 3 else ()))
    assert again.lines() == whole.lines()
    assert again.frames == whole.frames


def test_too_much_text_before_an_interruption_is_too_much_after_it() -> None:
    before = FilmText(FakeLettering({0: None}), width=128)
    before.read(searched(0, by_ensemble=()))
    again = FilmText(FakeLettering({0: None}), 128, again=before.frames)
    again.read(searched(0, by_ensemble=None))
    assert again.lines() is None


def searched(number: int, by_ensemble: tuple[FoundFace, ...] | None) -> SearchedFrame:
    frame = JudgedFrame(number, float(number), np.full((36, 64, 3), number, np.uint8))
    return SearchedFrame(
        frame, cut=False, thumbnail=THUMBNAIL, by_scout=(), by_ensemble=by_ensemble
    )


def test_single_letters_of_a_pattern_are_no_text() -> None:
    assert read({0: ("D", "", "3"), 1: ("4 x 4",)}) == ()


def test_a_film_with_more_text_than_is_read_was_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    assert read({0: ("Ben",), 1: None, 2: ("Ann",)}) is None
    monkeypatch.setattr(film_text, "MAX_FILM_LINES", 3)
    assert read({0: ("Ann", "Ben"), 1: ("Cara", "Dan")}) is None
    assert MAX_FILM_LINES > 3


def test_a_picture_that_is_repeated_is_read_once() -> None:
    lettering = FakeLettering({1: ("MIA",), 2: ("BEN",)})
    text = FilmText(lettering, width=128)
    for number, seconds in ((1, 0), (1, 1), (2, 2), (2, 3), (1, 4)):
        picture = np.full((36, 64, 3), number, np.uint8)
        text.read(
            SearchedFrame(
                JudgedFrame(seconds, seconds, picture),
                cut=False,
                thumbnail=THUMBNAIL,
                by_scout=(),
                by_ensemble=(),
            )
        )
    assert lettering.calls == 3
    assert [line.text for line in text.lines() or ()] == ["MIA", "BEN"]
