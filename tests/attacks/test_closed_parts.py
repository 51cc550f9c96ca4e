"""A picture that a person closed comes in again as part of another one: cropped, in a collage, on a
screen, on a page, tilted, as a negative, or covered in part."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache

import cv2
import numpy as np
import pytest
from django.db import transaction
from numpy.typing import NDArray
from PIL import Image

from consent_gate.db.models import ClosedPicture, Item, ItemState, SeenBefore
from consent_gate.decisions.copies.copy_traits import decrypt_description, description_place
from consent_gate.home.home import Home
from consent_gate.home.keys import decrypt
from consent_gate.matching.copies.closed_description import (
    DESCRIBED_SIDE,
    MAX_BYTES,
    Description,
    describe,
    shown_in,
)
from consent_gate.matching.copies.picture_points import reduced
from consent_gate.model import Box
from consent_gate.register.gallery_version import gallery_version
from consent_gate.review import service as review
from consent_gate.review.covering import undo_answers
from ingest.examinations import record_examination
from ingest.pipeline import compare_with_closed
from publish.retention import erase_item, retention_round
from tests.attacks.test_closed_copies import (
    ANN,
    BASIS,
    action,
    drop,
    examination_of,
    is_out,
    recall,
    refuse,
    take_in_scene,
    verdict,
)
from tests.conftest import Clock
from tests.support.factories import World

Pixels = NDArray[np.uint8]
WIDTH, HEIGHT = 800, 600
FACES = (Box(250, 170, 90, 110), Box(480, 210, 90, 110))


@cache
def wall(seed: int) -> Pixels:
    """A place with things in it: rectangles and discs of all sizes."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(40, 200, (6, 8, 3), dtype=np.uint8)
    picture = cv2.resize(coarse, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
    for size in np.geomspace(120, 6, 260).astype(int):
        x, y = int(rng.integers(WIDTH)), int(rng.integers(HEIGHT))
        colour = tuple(int(value) for value in rng.integers(0, 255, 3))
        if rng.random() < 0.5:
            cv2.circle(picture, (x, y), int(size) // 2, colour, -1)
        else:
            tall = int(size * rng.uniform(0.4, 1.6))
            cv2.rectangle(picture, (x, y), (x + int(size), y + tall), colour, -1)
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), 0.8), np.uint8)


@cache
def photo(seed: int, *people: int) -> Pixels:
    """A wall with a head at each place of ``FACES``."""
    picture = wall(seed).copy()
    for person, box in zip(people or (10 * seed + 1, 10 * seed + 2), FACES, strict=True):
        rng = np.random.default_rng(1000 + person)
        coarse = rng.integers(30, 230, (9, 8), dtype=np.uint8)
        head = cv2.resize(coarse, (box.width, box.height), interpolation=cv2.INTER_CUBIC)
        picture[box.y : box.y + box.height, box.x : box.x + box.width] = head[..., None]
    return picture


def luma_of(picture: Pixels) -> Pixels:
    grey = np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), np.uint8)
    return reduced(grey, DESCRIBED_SIDE)[0]


@cache
def closed(seed: int) -> Description:
    return describe(luma_of(photo(seed)), FACES)


def is_found(picture: Pixels, seed: int = 1) -> bool:
    return shown_in(luma_of(picture), [closed(seed)]) == [0]


def cropped(picture: Pixels, left: float, top: float, right: float, bottom: float) -> Pixels:
    height, width = picture.shape[:2]
    rows = slice(int(top * height), int((1 - bottom) * height))
    return np.ascontiguousarray(picture[rows, int(left * width) : int((1 - right) * width)])


def pasted(picture: Pixels, share: float, x: int, y: int, under: Pixels | None = None) -> Pixels:
    """The picture on another one, in this share of its width."""
    page = cv2.resize(wall(9) if under is None else under, (1600, 1200))
    size = round(1600 * share), round(1600 * share * picture.shape[0] / picture.shape[1])
    page[y : y + size[1], x : x + size[0]] = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    return np.asarray(page, np.uint8)


def collage(picture: Pixels, columns: int, gap: int = 0, at: int = 1) -> Pixels:
    tiles = [photo(20 + n) for n in range(columns * columns)]
    tiles[at] = picture
    page = np.full((columns * (HEIGHT + gap), columns * (WIDTH + gap), 3), 255, np.uint8)
    for n, tile in enumerate(tiles):
        x, y = n % columns * (WIDTH + gap), n // columns * (HEIGHT + gap)
        page[y : y + HEIGHT, x : x + WIDTH] = cv2.resize(tile, (WIDTH, HEIGHT))
    return page


def page_of_text(picture: Pixels) -> Pixels:
    """A page of a newsletter with a small picture in it."""
    page = np.full((1200, 1600, 3), 250, np.uint8)
    for y in range(60, 1180, 36):
        line = "the class went to the farm and saw the sheep, pigs and hens there"
        cv2.putText(page, line, (60, y), cv2.FONT_HERSHEY_COMPLEX_SMALL, 1.6, (30, 30, 30), 1)
    return pasted(picture, 0.4, 860, 420, page)


def on_a_screen(picture: Pixels) -> Pixels:
    """Photographed at a slant, less sharp, darker and with noise."""
    height, width = picture.shape[:2]
    frame = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    seen = np.array([[170, 130], [640, 90], [660, 500], [140, 460]], np.float32)
    under = np.asarray(cv2.GaussianBlur(wall(8), (0, 0), 5), np.uint8)
    move = cv2.getPerspectiveTransform(frame, seen)
    inside = cv2.warpPerspective(np.full((height, width), 255, np.uint8), move, (WIDTH, HEIGHT))
    shown = cv2.warpPerspective(picture, move, (WIDTH, HEIGHT), flags=cv2.INTER_AREA)
    under[inside > 127] = shown[inside > 127]
    noise = np.random.default_rng(0).normal(0, 5, under.shape)
    blurred = cv2.GaussianBlur(under, (0, 0), 0.9)
    return np.clip(blurred * 0.85 + 15 + noise, 0, 255).astype(np.uint8)


def turned(picture: Pixels, angle: float) -> Pixels:
    height, width = picture.shape[:2]
    move = cv2.getRotationMatrix2D((width / 2, height / 2), angle, 1)
    return cropped(np.asarray(cv2.warpAffine(picture, move, (width, height))), *[0.06] * 4)


def in_border(picture: Pixels, kind: str) -> Pixels:
    height, width = picture.shape[0] + 200, picture.shape[1] + 200
    page = np.zeros((height, width, 3), np.uint8)
    if kind == "noise":
        page[:] = np.random.default_rng(4).integers(0, 255, page.shape)
    elif kind == "gradient":
        page[:] = np.linspace(30, 230, width)[None, :, None]
    else:
        page[:] = cv2.GaussianBlur(cv2.resize(picture, (width, height)), (0, 0), 20)
    page[100:-100, 100:-100] = picture
    return page


def as_ellipse(picture: Pixels, *, soft: bool = False) -> Pixels:
    y, x = np.mgrid[-1 : 1 : HEIGHT * 1j, -1 : 1 : WIDTH * 1j]
    far = x**2 + y**2
    light = np.clip(1.2 - far, 0, 1) if soft else np.where(far < 1, 1.0, 0.0)
    return np.asarray(picture * light[..., None], np.uint8)


def with_stickers(picture: Pixels) -> Pixels:
    """The second face and six other places are covered."""
    copy = picture.copy()
    for x, y in ((525, 265), (60, 60), (700, 80), (90, 500), (400, 540), (720, 480), (130, 260)):
        cv2.circle(copy, (x, y), 60, (250, 210, 40), -1)
    return copy


def with_bars(picture: Pixels) -> Pixels:
    copy = picture.copy()
    copy[:60], copy[470:] = 240, (30, 40, 200)
    cv2.putText(copy, "Sports day", (40, 560), cv2.FONT_HERSHEY_DUPLEX, 2, (255, 255, 255), 4)
    return copy


def saved(picture: Pixels, quality: int) -> Pixels:
    data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)


def mirrored(picture: Pixels) -> Pixels:
    return np.ascontiguousarray(picture[:, ::-1])


FORMS: dict[str, Callable[[Pixels], Pixels]] = {
    "15 % cropped on each side": lambda p: cropped(p, 0.15, 0.15, 0.15, 0.15),
    "25 % cropped on each side": lambda p: cropped(p, 0.25, 0.25, 0.25, 0.25),
    "the left half": lambda p: cropped(p, 0, 0, 0.5, 0),
    "a corner, mirrored": lambda p: mirrored(cropped(p, 0.25, 0.2, 0, 0)),
    "cropped and lying on its side": lambda p: np.ascontiguousarray(
        np.rot90(cropped(p, 0.12, 0.12, 0.12, 0.12))
    ),
    "a collage of four without gaps": lambda p: collage(p, 2),
    "a collage of nine": lambda p: collage(p, 3, gap=20, at=4),
    "a quarter of another picture's width": lambda p: pasted(p, 0.25, 130, 700),
    "a third, mirrored": lambda p: pasted(mirrored(p), 0.35, 900, 90),
    "a page of text": page_of_text,
    "a photo of a screen": on_a_screen,
    "a slide, photographed as a negative": lambda p: on_a_screen(255 - p),
    "a border of noise": lambda p: in_border(p, "noise"),
    "a border that fades": lambda p: in_border(p, "gradient"),
    "a border of itself, blurred": lambda p: in_border(p, "blurred"),
    "a negative": lambda p: 255 - p,
    "a mirrored negative, cropped": lambda p: mirrored(cropped(255 - p, 0.1, 0.1, 0.1, 0.1)),
    "an ellipse": as_ellipse,
    "a vignette": lambda p: as_ellipse(p, soft=True),
    "bars with a title": with_bars,
    "stickers": with_stickers,
    "turned by 3 degrees": lambda p: turned(p, 3),
    "turned by 10 degrees": lambda p: turned(p, 10),
    "turned by 7 degrees, mirrored": lambda p: mirrored(turned(p, -7)),
    "narrower": lambda p: np.asarray(cv2.resize(p, (600, 600)), np.uint8),
    "saved very badly, cropped": lambda p: saved(cropped(p, 0.15, 0.1, 0.1, 0.15), 8),
    "black and white, cropped": lambda p: cropped(
        np.repeat(cv2.cvtColor(p, cv2.COLOR_RGB2GRAY)[..., None], 3, 2), 0.15, 0.15, 0.15, 0.15
    ),
}


@pytest.mark.parametrize("form", FORMS)
def test_a_closed_picture_is_found_in(form: str) -> None:
    assert is_found(FORMS[form](photo(1)))


@pytest.mark.parametrize("form", list(FORMS)[::6])
def test_another_picture_is_not_found_in(form: str) -> None:
    assert not is_found(FORMS[form](photo(2)))


@pytest.mark.parametrize("shown", [1, 2, 3])
def test_the_right_one_of_many_closed_pictures_is_found(shown: int) -> None:
    many = [closed(seed) for seed in range(8)]
    assert shown_in(luma_of(pasted(photo(shown), 0.4, 300, 500)), many) == [shown]


def test_every_closed_picture_in_a_collage_is_found() -> None:
    found = shown_in(luma_of(collage(photo(1), 2, at=0)), [closed(seed) for seed in (5, 1, 21, 22)])
    assert found == [1, 2, 3]


@pytest.mark.parametrize("x", [0.0, 0.12])
def test_another_picture_of_the_same_place_is_not_found(x: float) -> None:
    """Other people stand in the same places before the same wall, from a tripod and beside it."""
    assert not is_found(cropped(photo(1, 3, 4), x, 0.05, 0.02, 0))


@pytest.mark.parametrize("people", [(11, 4), (3, 12)])
def test_a_part_in_which_one_face_is_the_same_is_found(people: tuple[int, int]) -> None:
    assert is_found(cropped(photo(1, *people), 0.12, 0.12, 0.12, 0.12))


@pytest.mark.parametrize("grey", [0, 128, 255])
def test_a_picture_without_corners_is_found_nowhere(grey: int) -> None:
    flat = np.full((HEIGHT, WIDTH), grey, np.uint8)
    nothing = describe(flat, ())
    assert not len(nothing.points)
    assert shown_in(flat, [nothing, closed(1)]) == []
    assert shown_in(luma_of(photo(1)), [nothing, nothing]) == []
    assert Description.from_bytes(b"").to_bytes() == nothing.to_bytes()


@pytest.mark.parametrize("shape", [(1, 1), (1, 800), (800, 3), (63, 800), (64, 64)])
def test_a_tiny_picture_is_compared_without_an_error(shape: tuple[int, int]) -> None:
    noise = np.random.default_rng(0).integers(0, 255, shape, dtype=np.uint8)
    odd = describe(noise, (Box(0, 0, 0, 0), Box(-9, -9, 4000, 4000), Box(700, 0, 1, 1)))
    assert shown_in(noise, [closed(1)]) == []
    shown_in(noise, [odd])


def test_a_description_has_a_bounded_size_and_survives_storage() -> None:
    crowd = [Box(x, y, 20, 24) for x in range(0, 780, 25) for y in range(0, 570, 30)]
    stored = describe(luma_of(photo(1)), crowd).to_bytes()
    assert len(stored) <= MAX_BYTES < 16_000
    assert Description.from_bytes(stored).to_bytes() == stored


def taken_in(world: World, picture: Pixels, faces: tuple[Box, ...] = FACES) -> Item:
    return take_in_scene(world, Image.fromarray(picture), faces)


def part(picture: Pixels) -> Pixels:
    return cropped(picture, 0.2, 0.1, 0.15, 0.15)


PART_FACES = tuple(Box(b.x - 160, b.y - 60, b.width, b.height) for b in FACES)


@pytest.fixture
def school(home: Home) -> World:
    world = World(home)
    world.make_import()
    world.make_pupil(ANN)
    return world


@pytest.mark.dialect
@pytest.mark.parametrize("close", [refuse, recall])
def test_a_part_of_a_closed_picture_is_held_with_a_link(
    school: World, close: Callable[[World, Item], None]
) -> None:
    earlier = taken_in(school, photo(1), FACES[:1])
    close(school, earlier)
    item = taken_in(school, part(photo(1)), PART_FACES[:1])
    assert verdict(item) == ("held", ["seen_before"])
    assert not is_out(item)
    assert item.seen_before.get().earlier.item_id == earlier.pk  # type: ignore[union-attr]
    assert is_out(taken_in(school, part(photo(1, 3, 4)), PART_FACES[:1]))


def test_a_part_that_is_already_out_is_recalled_by_the_next_round(school: World) -> None:
    earlier = taken_in(school, photo(1), FACES[:1])
    item = taken_in(school, part(photo(1)), PART_FACES[:1])
    assert is_out(item)
    refuse(school, earlier)
    compare_with_closed(school.home)
    assert not is_out(item)


@pytest.mark.dialect
def test_a_part_of_a_sealed_picture_is_held_in_every_channel_and_not_sealed(school: World) -> None:
    review.seal(action(school, taken_in(school, photo(1), FACES[:1])))
    item = taken_in(school, part(photo(1)), PART_FACES[:1])
    assert item.state == ItemState.DECIDED
    for channel in school.home.settings.channels:
        assert verdict(item, channel) == ("held", ["seen_before"])
    review.release(action(school, item), ["website"], BASIS)
    assert is_out(item)
    assert not is_out(item, "mag")


def test_a_part_of_a_refused_picture_that_is_sealed_later_is_held_and_not_sealed(
    school: World,
) -> None:
    earlier = taken_in(school, photo(1), FACES[:1])
    refuse(school, earlier)
    item = taken_in(school, part(photo(1)), PART_FACES[:1])
    assert is_out(item, "mag")
    review.seal(action(school, earlier))
    item.refresh_from_db()
    assert item.state == ItemState.DECIDED
    assert not is_out(item, "mag")


def test_erasing_a_sealed_picture_frees_no_part_of_it(school: World) -> None:
    earlier = taken_in(school, photo(1), FACES[:1])
    review.seal(action(school, earlier))
    item = taken_in(school, part(photo(1)), PART_FACES[:1])
    earlier.refresh_from_db()
    with transaction.atomic():
        erase_item(school.home, earlier, "pupil_erased")
    assert not ClosedPicture.objects.exists()
    assert SeenBefore.objects.get(item=item).earlier is None
    Item.objects.filter(pk=item.pk).update(state=ItemState.RECEIVED)
    again = examination_of(Image.fromarray(part(photo(1))))
    record_examination(school.home, item.pk, again, gallery_version(school.home))
    item.refresh_from_db()
    assert item.state == ItemState.DECIDED
    assert verdict(item, "mag") == ("held", ["seen_before"])


def test_a_description_is_encrypted_for_its_picture(school: World) -> None:
    earlier = taken_in(school, photo(1))
    refuse(school, earlier)
    row = ClosedPicture.objects.get()
    found = decrypt_description(school.home, row)
    assert found is not None
    assert len(found.faces) == len(FACES)
    assert found.points["bits"].tobytes()[:64] not in bytes(row.description)
    place = description_place(earlier.pk)
    assert decrypt(school.home.keys.vault, bytes(row.description), place) == found.to_bytes()
    row.item_id = drop(school, Image.fromarray(photo(2))).pk
    assert decrypt_description(school.home, row) is None


def test_only_closed_pictures_have_a_description_and_it_goes_with_the_hash(
    school: World, clock: Clock
) -> None:
    earlier, other = taken_in(school, photo(1)), taken_in(school, photo(2))
    refuse(school, earlier)
    assert ClosedPicture.objects.get().item_id == earlier.pk
    undo_answers(action(school, earlier), ["website"])
    assert not ClosedPicture.objects.exists()
    refuse(school, other)
    clock.pass_days(31)
    settings = school.home.settings
    kept = settings.retention.model_copy(update={"closed_days": 30})
    retention_round(replace(school.home, settings=settings.model_copy(update={"retention": kept})))
    assert not ClosedPicture.objects.exists()


def test_a_picture_that_is_sealed_while_it_is_examined_is_described(school: World) -> None:
    item = drop(school, Image.fromarray(photo(1)))
    review.seal(action(school, item))
    made = examination_of(Image.fromarray(photo(1)))
    record_examination(school.home, item.pk, made, gallery_version(school.home))
    assert ClosedPicture.objects.get().description
