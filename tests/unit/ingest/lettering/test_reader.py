"""Upright lines are read."""

from __future__ import annotations

import cv2
import numpy as np

from ingest.faces.protocols import RGB
from ingest.lettering.reader import HEIGHT, TextReader
from tests.support.lettering import Card, draw_card


def line(text: str) -> RGB:
    drawn = draw_card(Card((text,), 20), seed=0)
    width = round(drawn.shape[1] * HEIGHT / drawn.shape[0])
    return np.asarray(cv2.resize(drawn, (width, HEIGHT)), dtype=np.uint8)


def test_lines_are_read_in_the_order_in_which_they_are_given(reader: TextReader) -> None:
    texts = ["Zoe Archer 3B", "Hi", "A much longer line about the harvest festival"]
    readings = reader.read([line(text) for text in texts])
    assert [reading.text for reading in readings] == texts
    assert min(reading.confidence for reading in readings) > 0.8


def test_a_line_without_letters_says_nothing(reader: TextReader) -> None:
    (reading,) = reader.read([np.full((HEIGHT, 100, 3), 128, np.uint8)])
    assert reading.text.strip() == ""


def test_no_lines_are_no_readings(reader: TextReader) -> None:
    assert reader.read([]) == []
