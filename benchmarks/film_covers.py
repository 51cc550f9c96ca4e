"""Whether covered and cut faces are found in published films: ``python -m benchmarks.film_covers``.

The films are stills in motion, as in ``benchmarks.film``: three people walk before a blurred crowd,
the third for a quarter of a second only. Each film is published twice. Once every track that can be
covered is covered, and the published frames are searched by the scout, from a score of 0.5. Once
only the tracks of the person in the middle are covered, and the other two stay to be seen.
"""

from __future__ import annotations

import argparse
import io
from collections.abc import Iterator

import cv2
import numpy as np

from benchmarks.data import SHARED
from benchmarks.film import HEIGHT, RATE, WIDTH, Appearance, examine, film_of, load, paste
from consent_gate.home.settings import default_settings
from consent_gate.matching.gallery import gallery_of
from consent_gate.matching.shipped_thresholds import shipped_thresholds
from consent_gate.model import Examined
from consent_gate.publication import Appearance as Wanted
from ingest.decoding.decode import DecodeLimits
from ingest.faces.protocols import RGB
from ingest.film.decode import FilmReader
from ingest.workers import rendition_tasks, worker
from ingest.workers.worker_config import WorkerConfig
from publish.renditions.film_requests import film_request
from publish.renditions.rendition import Rendition, RenditionRefused

FRAMES = 3 * RATE
THIRD = 400
"""Pixels of the frame's width in which each person walks."""
LIKE_A_FACE = 0.5
LARGEST = 320
"""Pixels in height of the largest place that counts: twice the tallest face. Larger ones are blobs
of the blurred crowd."""


def frames_of(rng: np.random.Generator, people: list[RGB], crowd: RGB) -> Iterator[RGB]:
    """The frames of one film: each person in a third of the frame, at a speed of their own."""
    heights = [int(rng.integers(60, 160)) for _ in people]
    speeds = [int(rng.integers(0, 16)) for _ in people]
    for number in range(FRAMES):
        picture = np.roll(crowd, number, axis=1)
        for place, (person, height, speed) in enumerate(zip(people, heights, speeds, strict=True)):
            if place == 2 and not 30 <= number < 36:
                continue
            room = max(1, THIRD - 50 - int(height / 0.45))
            x = 40 + THIRD * place + (speed * number) % room
            one = Appearance(0, FRAMES, x, 60 + 100 * place, height, int(0.2 * speed))
            paste(picture, person, one, 0)
        yield picture


def publish(
    film: bytes, evidence: Examined, covered: tuple[int, ...]
) -> Rendition | RenditionRefused:
    """What the gate would publish with these faces covered."""
    order = film_request(default_settings(), "website", evidence, Wanted(covered=covered))
    return rendition_tasks.make_films(io.BytesIO(film), [order])[0]


def faces_left(made: Rendition) -> int:
    """How many places like a face the scout finds in all frames of a published film."""
    assert made.film is not None
    scout = worker.loaded_worker().film_scout
    with FilmReader(io.BytesIO(made.film.data)) as reader:
        found = (one for frame in reader.frames() for one in scout.detect(frame.rgb))
        return sum(one.score >= LIKE_A_FACE and one.height <= LARGEST for one in found)


def main() -> None:
    """Make films, cover the people in them, and print what is found afterwards."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--films", type=int, default=10)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    rng = np.random.default_rng(asked.seed)
    people = sorted((SHARED / "faces" / "strangers").rglob("*.jpg"))
    crowds = sorted((SHARED / "groups" / "images").glob("*.jpg"))
    worker.start(WorkerConfig(gallery_of(()), shipped_thresholds(), DecodeLimits()))
    tracks = unfollowed = hidden = left = partly = 0
    for _ in range(asked.films):
        shown = [load(people[int(rng.integers(len(people)))]) for _ in range(3)]
        crowd = cv2.resize(load(crowds[int(rng.integers(len(crowds)))]), (WIDTH, HEIGHT))
        blurred = np.asarray(cv2.GaussianBlur(crowd, (0, 0), 25), np.uint8)
        film = film_of(frames_of(rng, shown, blurred))
        found = examine(film)
        size = (found.width, found.height)
        evidence = Examined(*size, found.frames_sha256, found.faces, film=found.film)
        all_of_them = tuple(
            i for i, face in enumerate(found.faces) if face.shown and face.shown.is_followed
        )
        middle = tuple(i for i in all_of_them if 430 <= found.faces[i].box.x < 830)
        tracks, unfollowed = (
            tracks + len(found.faces),
            unfollowed + len(found.faces) - len(all_of_them),
        )
        whole = publish(film, evidence, all_of_them)
        if isinstance(whole, Rendition):
            hidden, left = hidden + 1, left + faces_left(whole)
        partly += isinstance(publish(film, evidence, middle), Rendition)
    print(
        f"{asked.films} films, {tracks} tracks, {unfollowed} that cannot be covered. All covered: "
        f"{hidden} published, {left} faces found in them. One person covered: {partly} published."
    )


if __name__ == "__main__":
    main()
