"""All text of a picture is read, at any size and turn."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from consent_gate.model import Box
from ingest.lettering import lettering as module
from ingest.lettering.lettering import Lettering, TooMuchText
from tests.support.lettering import Card, draw_card, make_background, make_picture_with


@pytest.mark.parametrize(
    "card",
    [
        Card(("Zoe Archer",), 12),
        Card(("Zoe Archer",), 12, turn=90),
        Card(("Zoe Archer",), 14, turn=135),
        Card(("Zoe Archer",), 16, turn=180),
        Card(("Zoe Archer",), 16, turn=270, yaw=40),
        Card(("Zoe Archer",), 24, turn=20, yaw=45),
        Card(("Zoe Archer",), 90),
    ],
    ids=lambda card: f"{card.x_height}px-{card.turn}-{card.yaw}",
)
def test_a_name_is_read_at_any_size_and_turn(lettering: Lettering, card: Card) -> None:
    read = " ".join(line.text for line in lettering.read(make_picture_with(card, seed=2)))
    assert "Archer" in read
    assert "Zoe" in read


def test_a_name_is_read_in_the_mirror_image_of_a_front_camera(lettering: Lettering) -> None:
    picture = make_picture_with(Card(("Oluwaseun Adeyemi",), 18), seed=4)
    mirrored = np.ascontiguousarray(picture[:, ::-1])
    assert "Oluwaseun Adeyemi" in " ".join(line.text for line in lettering.read(mirrored))


def test_small_turned_lines_that_make_one_mark_are_told_apart(lettering: Lettering) -> None:
    card = Card(("ZOE", "ARCHER"), 13, turn=124, yaw=38)
    read = {line.text for line in lettering.read(make_picture_with(card, seed=3))}
    assert {"ZOE", "ARCHER"} <= read


def test_a_name_around_a_mug_is_read(lettering: Lettering) -> None:
    card = draw_card(Card(("Zoe Archer",), 16), seed=1)
    height, width = card.shape[:2]
    seen = np.arcsin(np.linspace(-1, 1, width) * np.sin(1.0))  # a cylinder, 57 degrees to each side
    across = np.tile((seen + 1) / 2 * (width - 1), (height, 1)).astype(np.float32)
    down = np.repeat(np.arange(height, dtype=np.float32)[:, None], width, axis=1)
    picture = make_background(1)
    picture[300 : 300 + height, 300 : 300 + width] = cv2.remap(card, across, down, cv2.INTER_LINEAR)
    assert "Zoe Archer" in {line.text for line in lettering.read(picture)}


def test_letters_one_below_the_other_are_read(lettering: Lettering) -> None:
    picture = make_picture_with(Card(tuple("BENHILL"), 20), seed=4)
    assert "BENHILL" in "".join(line.text for line in lettering.read(picture)).replace(" ", "")


def test_a_picture_without_text_says_nothing(lettering: Lettering) -> None:
    assert lettering.read(make_background(5)) == ()


def test_print_too_small_for_the_published_picture_is_not_read(lettering: Lettering) -> None:
    picture = make_picture_with(Card(("Zoe Archer",), 14), seed=2)
    small = Lettering(lettering._finder, lettering._reader, 160)
    assert not any("Archer" in line.text for line in small.read(picture))


def test_the_box_of_a_line_is_in_pixels_of_the_original(lettering: Lettering) -> None:
    whole = np.full((1200, 1600, 3), 120, np.uint8)
    card = make_picture_with(Card(("Zoe Archer",), 30), seed=2, width=400, height=200)
    whole[900:1100, 1100:1500] = card
    lines = Lettering(lettering._finder, lettering._reader, 800).read(whole)
    assert any("Archer" in line.text for line in lines)
    assert all(Box(1100, 900, 400, 200).encloses(line.box) for line in lines)


def test_a_picture_with_too_much_text_is_not_read(
    lettering: Lettering, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_LINES", 0)
    with pytest.raises(TooMuchText):
        lettering.read(make_picture_with(Card(("Zoe Archer",), 30), seed=2))
