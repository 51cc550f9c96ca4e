"""Measure which pictures are taken for copies of a closed picture.

Faces are pasted on photos of the made-up school. The closed picture is compared with copies of it,
which must be found, and with other pictures of the same scene, which need not be held. In a scene
from a tripod only the people differ; in a scene from the hand the view moves as well. The photos
of the half ``report`` were not used to choose a threshold.

    OMP_NUM_THREADS=1 nice -n 5 python -m benchmarks.closed_copies [--half report]
"""

from __future__ import annotations

import argparse
import random
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from cv2.typing import MatLike
from numpy.typing import NDArray

from benchmarks.data import SHARED
from benchmarks.faces.crowd import is_for_report
from benchmarks.machine import heading
from consent_gate.matching.copies.picture_hash import (
    BURST_DISTANCE,
    COPY_DISTANCE,
    HASHED_SIDE,
    STORED_BYTES,
    distances,
    picture_hashes,
)
from consent_gate.matching.copies.same_moment import is_other_moment
from consent_gate.model import Box

Pixels = NDArray[np.uint8]
PEOPLE = (1, 2, 4)
HEIGHTS = (60, 90, 140, 220, 380)
LONG_SIDE = 1600


@dataclass(frozen=True)
class Picture:
    """A picture in BGR with the boxes of the pasted faces."""

    bgr: Pixels
    faces: tuple[Box, ...]


def scaled(picture: Picture, factor: float) -> Picture:
    how = cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR
    bgr = cv2.resize(picture.bgr, None, fx=factor, fy=factor, interpolation=how)
    return Picture(np.asarray(bgr, np.uint8), tuple(_times(b, factor) for b in picture.faces))


def _times(box: Box, factor: float) -> Box:
    return Box(*(round(v * factor) for v in (box.x, box.y, box.width, box.height)))


def saved(bgr: Pixels, quality: int) -> Pixels:
    data = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)


def cropped(picture: Picture, left: int, top: int, right: int, bottom: int) -> Picture:
    faces = tuple(Box(b.x - left, b.y - top, b.width, b.height) for b in picture.faces)
    return Picture(np.ascontiguousarray(picture.bgr[top:bottom, left:right]), faces)


def paste(background: Pixels, faces: list[tuple[Path, int, int, int]]) -> Picture:
    """Paste heads (file, x, y, width) as ovals with a soft edge."""
    bgr, boxes = background.copy(), []
    for file, x, y, width in faces:
        whole = np.asarray(cv2.imread(str(file)), np.uint8)
        size = (width, width * 194 // 150)
        head = cv2.resize(whole[28:222, 50:200], size, interpolation=cv2.INTER_AREA)
        height = head.shape[0]
        oval = np.zeros((height, width), np.float32)
        centre = (width // 2, height // 2)
        cv2.ellipse(oval, centre, (centre[0] - 3, centre[1] - 3), 0, 0, 360, 1.0, -1)
        mask = np.asarray(cv2.GaussianBlur(oval, (0, 0), 2))[..., None]
        left, top = min(x, bgr.shape[1] - width), min(max(y, 0), bgr.shape[0] - height)
        place = bgr[top : top + height, left : left + width]
        place[:] = (place * (1 - mask) + head * mask).astype(np.uint8)
        boxes.append(Box(left + width // 7, top + height // 5, width * 7 // 10, height * 13 // 20))
    return Picture(bgr, tuple(boxes))


def copies(picture: Picture) -> Iterator[tuple[str, Picture]]:
    bgr, faces = picture.bgr, picture.faces
    height, width = bgr.shape[:2]
    for quality in (90, 60, 30):
        yield f"saved at quality {quality}", Picture(saved(bgr, quality), faces)
    half = scaled(picture, 0.5)
    yield "half the size", Picture(saved(half.bgr, 75), half.faces)
    tiny = scaled(picture, 320 / max(height, width))
    yield "320 pixels", Picture(saved(tiny.bgr, 60), tiny.faces)
    for share in (0.03, 0.06, 0.1):
        x, y = int(width * share), int(height * share)
        cut = cropped(picture, x, y // 2, width, height - y // 2)
        yield f"{share:.0%} trimmed", Picture(saved(cut.bgr, 80), cut.faces)
    turned = tuple(Box(height - b.y - b.height, b.x, b.height, b.width) for b in faces)
    yield "turned", Picture(np.asarray(cv2.rotate(bgr, cv2.ROTATE_90_CLOCKWISE), np.uint8), turned)
    mirrored = tuple(Box(width - b.x - b.width, b.y, b.width, b.height) for b in faces)
    yield "mirrored", Picture(saved(np.ascontiguousarray(bgr[:, ::-1]), 80), mirrored)
    yield "brighter", Picture(np.clip(bgr * 1.2 + 15.0, 0, 255).astype(np.uint8), faces)
    strong = np.clip((bgr - 128.0) * 1.4 + 110, 0, 255)
    yield "more contrast", Picture(strong.astype(np.uint8), faces)
    grey = cv2.cvtColor(cv2.cvtColor(bgr, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
    yield "grey", Picture(saved(np.asarray(grey, np.uint8), 80), faces)
    yield "blurred", Picture(np.asarray(cv2.GaussianBlur(bgr, (0, 0), 2.5), np.uint8), faces)
    captioned = bgr.copy()
    captioned[int(height * 0.92) :] = 255
    yield "with a caption", Picture(captioned, faces)
    yield "faces blurred", with_faces(picture, lambda face: cv2.blur(face, (31, 31)))
    yield "faces made of squares", with_faces(picture, squares)
    if len(faces) > 1:
        covered = bgr.copy()
        box = faces[0]
        covered[box.y : box.y + box.height, box.x : box.x + box.width] = (0, 200, 255)
        yield "one face of several covered", Picture(covered, faces)


def with_faces(picture: Picture, change: Callable[[Pixels], MatLike]) -> Picture:
    """The picture with each face changed."""
    bgr = picture.bgr.copy()
    for box in picture.faces:
        place = bgr[box.y : box.y + box.height, box.x : box.x + box.width]
        place[:] = change(np.ascontiguousarray(place))
    return Picture(saved(bgr, 85), picture.faces)


def squares(face: Pixels) -> MatLike:
    """A face of eight by eight squares."""
    small = cv2.resize(face, (8, 8), interpolation=cv2.INTER_AREA)
    return cv2.resize(small, face.shape[1::-1], interpolation=cv2.INTER_NEAREST)


def other_pictures(
    background: Pixels, people: list[Path], places: list[tuple[int, int, int]], rng: random.Random
) -> Iterator[tuple[str, Picture]]:
    """Other pictures of the scene of ``places`` (x, y, width), where ``people`` stood."""
    noise = np.random.default_rng(rng.randrange(2**32))
    count = len(places)
    again = [sorted(person.glob("*.jpg"))[1] for person in people[:count]]
    others = [sorted(person.glob("*.jpg"))[0] for person in people[count:]]
    anywhere = [
        (rng.randrange(background.shape[1] - 100), rng.randrange(background.shape[0] - 100), w)
        for _, _, w in places
    ]
    for name, files, spots in (
        ("the same people a moment later", again, [(x + 5, y - 4, w) for x, y, w in places]),
        ("other people in the same places", others, places),
        ("other people elsewhere", others, anywhere),
    ):
        faces = [(file, *spot) for file, spot in zip(files, spots, strict=True)]
        made = paste(background, faces)
        noisy = np.clip(made.bgr + noise.normal(0, 2, made.bgr.shape), 0, 255).astype(np.uint8)
        yield f"tripod: {name}", Picture(noisy, made.faces)
        height, width = noisy.shape[:2]
        x, y = int(width * 0.02), int(height * 0.03)
        moved = cropped(Picture(noisy, made.faces), x, y, width - x // 2, height)
        yield f"hand: {name}", moved


def hashes_of(picture: Picture) -> bytes:
    luma = cv2.cvtColor(picture.bgr, cv2.COLOR_BGR2GRAY)
    factor = HASHED_SIDE / max(luma.shape)
    small = cv2.resize(luma, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    return picture_hashes(np.asarray(small, np.uint8))


def grey_of(picture: Picture) -> Pixels:
    return np.asarray(cv2.cvtColor(picture.bgr, cv2.COLOR_BGR2GRAY), np.uint8)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--half", choices=("fit", "report"), default="fit")
    parser.add_argument("--scenes", type=int, default=20, help="backgrounds (default: 20)")
    options = parser.parse_args()
    report = options.half == "report"
    cv2.setNumThreads(1)
    rng = random.Random(5)  # noqa: S311
    events = sorted((SHARED / "school" / "events").rglob("*.*"))
    files = [f for f in events if is_for_report(f.name) == report]
    everybody = sorted((SHARED / "faces" / "people").iterdir())
    people = [person for person in everybody if is_for_report(person.name) == report]
    print(heading(f"Copies of closed pictures, half {options.half}"), flush=True)
    total: Counter[str] = Counter()
    near: Counter[str] = Counter()
    burst: Counter[str] = Counter()
    held: Counter[str] = Counter()
    for file in files[:: max(1, len(files) // options.scenes)][: options.scenes]:
        background = np.asarray(cv2.imread(str(file)), np.uint8)
        background = scaled(Picture(background, ()), LONG_SIDE / max(background.shape)).bgr
        for count in PEOPLE:
            chosen = rng.sample(people, 2 * count)
            places = [
                (
                    rng.randrange(background.shape[1] - 100),
                    rng.randrange(background.shape[0] - 100),
                    rng.choice(HEIGHTS),
                )
                for _ in range(count)
            ]
            first = [sorted(person.glob("*.jpg"))[0] for person in chosen[:count]]
            closed = paste(
                background, [(f, *place) for f, place in zip(first, places, strict=True)]
            )
            stored = hashes_of(closed)[:STORED_BYTES]
            compared = [*copies(closed), *other_pictures(background, chosen, places, rng)]
            for name, picture in compared:
                distance = int(distances(hashes_of(picture), [stored])[0])
                total[name] += 1
                burst[name] += distance <= BURST_DISTANCE
                if distance <= COPY_DISTANCE:
                    near[name] += 1
                    held[name] += not is_other_moment(
                        grey_of(closed), closed.faces, grey_of(picture), picture.faces
                    )
    print(f"{'':44}{'n':>6}{'burst hash':>12}{'copy hash':>12}{'held as a copy':>16}")
    for name in total:
        shares = (100 * count[name] / total[name] for count in (burst, near, held))
        print(f"{name:44}{total[name]:6}" + "{:11.0f}%{:11.0f}%{:15.0f}%".format(*shares))


if __name__ == "__main__":
    main()
