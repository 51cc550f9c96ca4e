"""How many turned faces in films are found: ``python -m benchmarks.film_turned``.

Stills in motion, made here at 720p: faces of people in public life (LFW), turned by 45 to 315
degrees, are pasted for a few frames at random places of a blurred crowd or a photo of a town. The
camera stands, shakes or pans. An appearance is found if a face or a possible face overlaps it in
time and place. "Other tracks" counts all faces that are none of them.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from benchmarks.coverage.faces import strangers
from benchmarks.data import SHARED
from benchmarks.film import FACE_SHARE, HEIGHT, RATE, WIDTH, examine, film_of, load
from benchmarks.machine import heading
from consent_gate.matching.gallery import gallery_of
from consent_gate.matching.shipped_thresholds import shipped_thresholds
from consent_gate.model import FaceEvidence
from ingest.decoding.decode import DecodeLimits
from ingest.faces.protocols import RGB
from ingest.workers import worker
from ingest.workers.worker_config import WorkerConfig

SECONDS = 3.5
TOWNS = "exifsamples__ianare__jpg__gps__DSCN00*.jpg"


@dataclass(frozen=True)
class FilmKind:
    """What the films of one kind show."""

    camera: str
    """"stands", "shakes" or "pans"."""
    frames: int
    """In how many frames each face is shown."""
    heights: tuple[int, int] = (50, 160)
    """Of the faces, in pixels."""
    speed: int = 3
    """Largest movement in pixels a frame, across and down."""
    is_town: bool = True
    light: float = 1.0
    spin: float = 0.0
    """Degrees by which a face turns in each frame."""


KINDS = {
    "0.12 s, blurred crowd": FilmKind("stands", 3, is_town=False),
    "0.4 s, blurred crowd": FilmKind("stands", 10, is_town=False),
    "0.12 s": FilmKind("stands", 3),
    "0.4 s, 28 to 50 px": FilmKind("stands", 10, (28, 50)),
    "0.12 s, pan": FilmKind("pans", 3),
    "0.4 s, pan": FilmKind("pans", 10),
    "0.2 s, shaking": FilmKind("shakes", 5),
    "0.4 s, dark": FilmKind("stands", 10, light=0.22),
    "0.2 s, fast": FilmKind("stands", 5, speed=25, is_town=False),
    "0.4 s, cartwheel": FilmKind("stands", 10, speed=15, spin=25.0),
    "nobody": FilmKind("stands", 0),
    "nobody, pan": FilmKind("pans", 0),
}


@dataclass(frozen=True)
class TurnedFace:
    """One appearance. Places are the middle of the face, in pixels."""

    first: int
    frames: int
    x: float
    y: float
    moves: tuple[float, float]
    height: int
    degrees: float
    smear: int

    def middle(self, frame: int) -> tuple[float, float]:
        """Where it is in a frame."""
        step = frame - self.first
        return self.x + step * self.moves[0], self.y + step * self.moves[1]


def appearances(rng: np.random.Generator, kind: FilmKind) -> list[TurnedFace]:
    """The faces of one film, one after another."""
    count = 0 if not kind.frames else 7 if kind.frames < 8 else 5
    shown = []
    for number in range(count):
        height = int(rng.integers(*kind.heights))
        half = height / FACE_SHARE / 2
        across, down = rng.uniform(half, WIDTH - half), rng.uniform(half, HEIGHT - half)
        moves = rng.uniform(-kind.speed, kind.speed, 2)
        first = 4 + number * (int(RATE * SECONDS) - 6) // count
        degrees, smear = float(rng.uniform(45, 315)), int(rng.uniform(0, 0.2) * height)
        place = (float(across), float(down), (float(moves[0]), float(moves[1])))
        shown.append(TurnedFace(first, kind.frames, *place, height, degrees, smear))
    return shown


def frames_of(
    rng: np.random.Generator, kind: FilmKind, faces: list[RGB], shown: list[TurnedFace]
) -> Iterator[RGB]:
    """The frames of one film."""
    folder, names = ("metadata", TOWNS) if kind.is_town else ("groups/images", "*.jpg")
    behind = sorted((SHARED / folder).glob(names))
    background = cv2.resize(load(behind[int(rng.integers(len(behind)))]), (WIDTH, HEIGHT))
    if not kind.is_town:
        background = cv2.GaussianBlur(background, (0, 0), 25)
    noise = rng.integers(-6, 7, (HEIGHT, WIDTH, 3), np.int16)
    for number in range(int(RATE * SECONDS)):
        shake = (int(6 * np.sin(0.9 * number)), int(4 * np.cos(1.3 * number)))
        shift = {"stands": (0, 0), "shakes": shake, "pans": (8 * number, 0)}[kind.camera]
        picture = np.roll(background, shift, axis=(1, 0)).astype(np.float32)
        for face, one in zip(faces, shown, strict=True):
            if one.first <= number < one.first + one.frames:
                paste(picture, face, one, number, kind.spin)
        dark = picture * kind.light + np.roll(noise, 7 * number, axis=0)
        yield np.clip(dark, 0, 255).astype(np.uint8)


def paste(picture: np.ndarray, face: RGB, one: TurnedFace, number: int, spin: float) -> None:
    """Paste a face into a frame."""
    side = int(one.height / FACE_SHARE)
    pixels = cv2.resize(face, (side, side), interpolation=cv2.INTER_AREA)
    if one.smear > 1:
        pixels = cv2.blur(pixels, (one.smear, 1))
    mask = np.zeros((side, side), np.float32)
    cv2.ellipse(
        mask, (side // 2, side // 2), (int(0.38 * side), int(0.46 * side)), 0, 0, 360, 1.0, -1
    )
    degrees = one.degrees + spin * (number - one.first)
    turn = np.asarray(cv2.getRotationMatrix2D((side / 2, side / 2), degrees, 1.0), np.float64)
    turn[:, 2] += np.array(one.middle(number)) - side / 2
    over = cv2.warpAffine(pixels, turn, (WIDTH, HEIGHT))
    share = cv2.warpAffine(mask, turn, (WIDTH, HEIGHT))[..., None]
    picture[:] = share * over + (1 - share) * picture


def is_found(faces: tuple[FaceEvidence, ...], one: TurnedFace) -> bool:
    """Whether a face overlaps an appearance in time and place."""
    begins, ends = (one.first - 0.5) / RATE, (one.first + one.frames - 0.5) / RATE
    return any(
        face.shown is not None
        and face.shown.from_s <= ends
        and face.shown.to_s >= begins
        and any(face.box.contains(one.middle(one.first + n)) for n in range(one.frames))
        for face in faces
    )


def arguments(description: str | None) -> argparse.Namespace:
    """How many films of each kind, from which seed, with whose faces."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--films", type=int, default=2, help="films of each kind")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--half", choices=("fit", "report"), default="fit")
    return parser.parse_args()


def main() -> None:
    """Make films of each kind, examine them and print the share that was found."""
    asked = arguments(__doc__)
    print(heading(f"Turned faces in films, half {asked.half}"), flush=True)
    people = strangers(SHARED / "faces" / "strangers", report=asked.half == "report")
    worker.start(WorkerConfig(gallery_of(()), shipped_thresholds(), DecodeLimits()))
    for number, (title, kind) in enumerate(KINDS.items()):
        rng = np.random.default_rng([asked.seed, number])
        found = count = others = 0
        spent = 0.0
        for _ in range(asked.films):
            shown = appearances(rng, kind)
            faces = [load(people[int(rng.integers(len(people)))]) for _ in shown]
            film = film_of(frames_of(rng, kind, faces, shown))
            began = time.process_time()
            result = examine(film)
            spent += time.process_time() - began
            hits = sum(is_found(result.faces, one) for one in shown)
            found, count, others = found + hits, count + len(shown), others + len(result.faces)
        print(
            f"{title}: {found} of {count} found, {others - found} other tracks, "
            f"{spent / asked.films / SECONDS:.1f} s of processor time a second of film",
            flush=True,
        )


if __name__ == "__main__":
    main()
