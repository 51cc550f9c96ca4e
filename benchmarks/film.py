"""How many short appearances of faces in films are found: ``python -m benchmarks.film``.

The films are stills in motion, made here: faces of people in public life (LFW) are pasted for a
few frames at random places of a blurred crowd, moved, and smeared by less than a quarter of their
height.
Truth is known by frame. Real films are harder: noise, bad light and turning heads are missing.
An appearance is found if a face or a possible face overlaps it in time and place.
"""

from __future__ import annotations

import argparse
import io
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from benchmarks.data import SHARED
from consent_gate.matching.gallery import gallery_of
from consent_gate.matching.shipped_thresholds import shipped_thresholds
from ingest.decoding.decode import DecodeLimits
from ingest.faces.protocols import RGB
from ingest.film.decode import FilmReader
from ingest.film.examine import FilmExaminer, FilmResult
from ingest.workers import worker
from ingest.workers.worker_config import WorkerConfig
from publish.rendering.film import FilmEncoder

WIDTH, HEIGHT, RATE, SECONDS = 1280, 720, 25, 4
FACE_SHARE = 0.45
"""Height of the face in an LFW picture, as a share of the picture."""


@dataclass(frozen=True)
class Appearance:
    """One face that is shown for some frames."""

    first: int
    frames: int
    x: int
    y: int
    height: int
    """Of the face, in pixels."""
    smear: int
    """Length of the motion blur in pixels."""


def appearances(rng: np.random.Generator, frames: int, small: bool) -> list[Appearance]:
    """Eight appearances of a film, one after another."""
    places = []
    for number in range(8):
        height = int(rng.integers(40, 81) if small else rng.integers(60, 180))
        first = 3 + number * (RATE * SECONDS - 6) // 8
        side = int(height / FACE_SHARE)
        x, y = rng.integers(0, WIDTH - side - 20), rng.integers(0, HEIGHT - side)
        smear = int(rng.uniform(0, 0.25) * height)
        places.append(Appearance(first, frames, int(x), int(y), height, smear))
    return places


def frames_of(background: RGB, faces: list[RGB], shown: list[Appearance]) -> Iterator[RGB]:
    """The frames of one film."""
    for number in range(RATE * SECONDS):
        picture = np.roll(background, number, axis=1)
        for face, one in zip(faces, shown, strict=True):
            if one.first <= number < one.first + one.frames:
                paste(picture, face, one, number - one.first)
        yield picture


def paste(picture: RGB, face: RGB, one: Appearance, step: int) -> None:
    """Paste a face into a frame, moved by ``step`` pixels."""
    side = int(one.height / FACE_SHARE)
    pixels = cv2.resize(face, (side, side), interpolation=cv2.INTER_AREA)
    if one.smear > 1:
        pixels = cv2.blur(pixels, (one.smear, 1))
    mask = np.zeros((side, side, 1), np.float32)
    middle = (side // 2, side // 2)
    cv2.ellipse(mask, middle, (int(0.38 * side), int(0.46 * side)), 0, 0, 360, 1.0, -1)
    x = min(one.x + step, WIDTH - side)
    under = picture[one.y : one.y + side, x : x + side]
    under[:] = (mask * pixels + (1 - mask) * under).astype(np.uint8)


def is_found(result: FilmResult, one: Appearance) -> bool:
    """Whether a face of the result overlaps an appearance in time and place."""
    side = one.height / FACE_SHARE
    middle = (one.x + side / 2, one.y + side / 2)
    begins, ends = (one.first - 0.5) / RATE, (one.first + one.frames - 0.5) / RATE
    for face in result.faces:
        assert face.shown is not None
        box = face.box
        inside = (
            box.x <= middle[0] <= box.x + box.width and box.y <= middle[1] <= box.y + box.height
        )
        if inside and face.shown.from_s <= ends and face.shown.to_s >= begins:
            return True
    return False


def film_of(frames: Iterator[RGB]) -> bytes:
    """The frames as an MP4."""
    encoder = FilmEncoder(WIDTH, HEIGHT)
    for number, frame in enumerate(frames):
        encoder.add(number / RATE, frame)
    return encoder.finish()


def examine(film: bytes) -> FilmResult:
    """Examine a film in this process, without a gallery."""
    models = worker.loaded_worker()
    examiner = FilmExaminer(
        models.film_scout, models.film_second, models.finder, models.analyser, gallery_of(())
    )
    with FilmReader(io.BytesIO(film)) as reader:
        return examiner.examine(reader)


def load(path: Path) -> RGB:
    """Return a picture in RGB."""
    picture = cv2.imread(str(path))
    assert picture is not None
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), np.uint8)


def main() -> None:
    """Make films, examine them and print the share of appearances that were found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--films", type=int, default=10, help="films of each kind")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    rng = np.random.default_rng(asked.seed)
    people = sorted((SHARED / "faces" / "strangers").rglob("*.jpg"))
    crowds = sorted((SHARED / "groups" / "images").glob("*.jpg"))
    limits = DecodeLimits()
    worker.start(WorkerConfig(gallery_of(()), shipped_thresholds(), limits))
    kinds = (
        (1, False, "40 ms"),
        (2, False, "80 ms"),
        (4, False, "160 ms"),
        (25, True, "1 s, 40-80 px"),
    )
    for frames, small, title in kinds:
        found = shown = extra = 0
        spent = time.process_time()
        for _ in range(asked.films):
            plan = appearances(rng, frames, small)
            faces = [load(people[int(rng.integers(len(people)))]) for _ in plan]
            crowd = cv2.resize(load(crowds[int(rng.integers(len(crowds)))]), (WIDTH, HEIGHT))
            background = np.asarray(cv2.GaussianBlur(crowd, (0, 0), 25), np.uint8)
            result = examine(film_of(frames_of(background, faces, plan)))
            hits = sum(is_found(result, one) for one in plan)
            found, shown, extra = found + hits, shown + len(plan), extra + len(result.faces) - hits
        seconds = (time.process_time() - spent) / (asked.films * SECONDS)
        print(
            f"{title}: {found} of {shown} appearances found ({100 * found / shown:.1f} %), "
            f"{extra} other tracks, {seconds:.1f} s of processor a second of film"
        )


if __name__ == "__main__":
    main()
