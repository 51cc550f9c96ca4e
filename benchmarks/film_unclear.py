"""How many faces are found that are hard to see: ``python -m benchmarks.film_unclear``.

Stills in motion, made here at 720p: small upright faces of people in public life (LFW), with dark
glasses, half hidden or of low contrast, are pasted for a few frames at random places of a photo of
a town, in front of which something moves. The camera stands or pans. An appearance is found if a
face or a possible face overlaps it in time and place. "Other tracks" counts all faces that are none
of them.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from benchmarks.coverage.faces import altered, cutout, paste, read_face, strangers
from benchmarks.data import SHARED
from benchmarks.film import HEIGHT, RATE, WIDTH, examine, film_of, load
from benchmarks.film_turned import SECONDS, TOWNS, TurnedFace, arguments, is_found
from benchmarks.machine import heading
from consent_gate.matching.gallery import gallery_of
from consent_gate.matching.shipped_thresholds import shipped_thresholds
from ingest.decoding.decode import DecodeLimits
from ingest.faces.protocols import RGB
from ingest.workers import worker
from ingest.workers.worker_config import WorkerConfig

CONDITIONS = ("plain", "dark glasses", "half hidden", "low contrast")
HEIGHTS = (24, 56)
"""Of the faces, in pixels."""
COUNT = 6
"""Faces in one film."""


def appearances(rng: np.random.Generator, frames: int) -> list[TurnedFace]:
    """The faces of one film, one after another; none is there when a second begins."""
    shown = []
    for number in range(COUNT):
        height = int(rng.integers(*HEIGHTS))
        x, y = rng.uniform(height, WIDTH - height), rng.uniform(height, HEIGHT - height)
        first = 4 + number * (int(RATE * SECONDS) - 6) // COUNT
        moves = tuple(float(v) for v in rng.uniform(-2, 2, 2))
        shown.append(TurnedFace(first, frames, x, y, (moves[0], moves[1]), height, 0.0, 0))
    return shown


def frames_of(
    rng: np.random.Generator, people: list[tuple[Path, str]], shown: list[TurnedFace], speed: int
) -> Iterator[RGB]:
    """The frames of one film."""
    towns = sorted((SHARED / "metadata").glob(TOWNS))
    background = cv2.resize(load(towns[int(rng.integers(len(towns)))]), (WIDTH, HEIGHT))
    noise = rng.integers(-4, 5, (HEIGHT, WIDTH, 3), np.int16)
    for number in range(int(RATE * SECONDS)):
        picture = np.asarray(np.roll(background, speed * number, axis=1), np.uint8).copy()
        cv2.circle(picture, (100 + 9 * number, 650), 40, (200, 60, 40), -1)
        for (path, condition), one in zip(people, shown, strict=True):
            if one.first <= number < one.first + one.frames:
                face = altered(read_face(path), condition)
                paste(picture, cutout(face, one.height, 0, feathered=True), one.middle(number))
        yield np.clip(picture + np.roll(noise, 7 * number, axis=0), 0, 255).astype(np.uint8)


def main() -> None:
    """Make films of each kind, examine them and print the share that was found."""
    asked = arguments(__doc__)
    print(heading(f"Faces in films that are hard to see, half {asked.half}"), flush=True)
    paths = strangers(SHARED / "faces" / "strangers", report=asked.half == "report")
    worker.start(WorkerConfig(gallery_of(()), shipped_thresholds(), DecodeLimits()))
    for kind, (frames, speed) in enumerate(((5, 0), (10, 0), (10, 8))):
        rng = np.random.default_rng([asked.seed, kind])
        found = dict.fromkeys(CONDITIONS, 0)
        count, others, spent = dict.fromkeys(CONDITIONS, 0), 0, 0.0
        for _ in range(asked.films):
            shown = appearances(rng, frames)
            people = [
                (paths[int(rng.integers(len(paths)))], CONDITIONS[int(rng.integers(4))])
                for _ in shown
            ]
            film = film_of(frames_of(rng, people, shown, speed))
            began = time.process_time()
            result = examine(film)
            spent += time.process_time() - began
            others += len(result.faces)
            for (_, condition), one in zip(people, shown, strict=True):
                count[condition] += 1
                found[condition] += is_found(result.faces, one)
        rates = ", ".join(f"{one} {found[one]} of {count[one]}" for one in CONDITIONS)
        print(
            f"{frames / RATE} s, {'pan' if speed else 'camera stands'}: {rates}; "
            f"{others - sum(found.values())} other tracks, "
            f"{spent / asked.films / SECONDS:.1f} s of processor time a second of film",
            flush=True,
        )


if __name__ == "__main__":
    main()
