"""Measure how long a film of 1080p takes: ``python -m benchmarks.film_speed``.

A made film with 30 frames a second and four faces in every frame is examined as a worker examines
it, with the text in it, and then written at 720p and examined once more, as for a channel. The
encoder alone is measured too, in each codec: from judged frames of 1080p to a file of 720p.
Processor time is printed beside the time that passed, because other programs may use the cores.
Divide the processor time by the free cores for the shortest time that can be reached.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from benchmarks.data import SHARED
from benchmarks.film import Appearance, load, paste
from benchmarks.machine import heading
from consent_gate.matching.gallery import gallery_of
from consent_gate.matching.shipped_thresholds import shipped_thresholds
from consent_gate.model import Examined
from ingest.decoding.decode import DecodeLimits
from ingest.faces.protocols import RGB
from ingest.film.decode import FilmReader
from ingest.workers import rendition_tasks, worker
from ingest.workers.worker_config import WorkerConfig
from publish.rendering.film import FilmCodec, FilmEncoder
from publish.renditions.rendition import FilmRequest, Rendition

WIDTH, HEIGHT, RATE, FACES = 1920, 1080, 30, 4
PUBLISHED_SIDE = 1280
NOISE = 6
"""Largest difference of a pixel by the noise of a sensor, 0-255."""


def frames_of(seconds: int) -> Iterator[RGB]:
    """A blurred crowd with noise, and people who walk to and fro in front of it."""
    rng = np.random.default_rng(1)
    files = sorted((SHARED / "faces" / "strangers").rglob("*.jpg"))
    people = [load(file) for file in files[5 : 5 + FACES]]
    crowds = sorted((SHARED / "groups" / "images").glob("*.jpg"))
    crowd = cv2.resize(load(crowds[3]), (WIDTH, HEIGHT))
    background = np.asarray(cv2.GaussianBlur(crowd, (0, 0), 25), np.uint8)
    noise = rng.integers(-NOISE, NOISE + 1, background.shape, np.int16)
    for number in range(seconds * RATE):
        frame = np.roll(background, number, axis=1)
        for at, face in enumerate(people):
            height = 100 + 20 * at
            one = Appearance(0, 1, 200 + 400 * at, 200 + 100 * (at % 2), height, 0)
            paste(frame, face, one, 60 + int(60 * np.sin(number / 40 + at)))
        yield np.clip(frame + np.roll(noise, 7 * number, axis=0), 0, 255).astype(np.uint8)


def make_film(path: Path, seconds: int) -> None:
    """Write the film."""
    import av

    with av.open(str(path), "w") as file:
        stream = file.add_stream("libx264", rate=RATE)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.options = {"preset": "veryfast", "crf": "20"}
        for frame in frames_of(seconds):
            file.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        file.mux(stream.encode())


def main() -> None:
    """Make a film, examine and write it, and print the times."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=30)
    seconds = parser.parse_args().seconds
    print(heading(f"A film of {seconds} s at 1080p with {RATE} frames a second"), flush=True)
    path = Path(tempfile.mkdtemp()) / "film.mp4"
    # In a process of its own, so that its memory is not counted.
    maker = multiprocessing.get_context("spawn").Process(target=make_film, args=(path, seconds))
    maker.start()
    maker.join()
    worker.start(
        WorkerConfig(gallery_of(()), shipped_thresholds(), DecodeLimits(), text_side=PUBLISHED_SIDE)
    )
    with path.open("rb") as film:
        clock = _Clock()
        evidence = worker.examine_film(film).evidence
        clock.print("examined", seconds)
        assert isinstance(evidence, Examined)
        assert evidence.film is not None
        tracks = tuple(face.shown for face in evidence.faces if face.shown is not None)
        order = FilmRequest(
            PUBLISHED_SIDE, evidence.pixels_sha256, evidence.width, evidence.height, tracks
        )
        clock = _Clock()
        made = rendition_tasks.make_films(film, [order])[0]
        clock.print("written at 720p and examined once more", seconds)
    print_encoders(path)
    outcome = "published" if isinstance(made, Rendition) else made.message
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
    print(
        f"{evidence.film.frames} frames, {len(tracks)} tracks, {outcome}; memory {peak} MB at most"
    )


def print_encoders(path: Path) -> None:
    """Print how much faster than the film each encoder is, by the time of its own thread."""
    for codec in FilmCodec:
        encoder = FilmEncoder(PUBLISHED_SIDE, HEIGHT * PUBLISHED_SIDE // WIDTH, codec=codec)
        passed = spent = 0.0
        with path.open("rb") as film, FilmReader(film) as reader:
            for frame in reader.frames():
                began = time.perf_counter(), time.thread_time()
                encoder.add(frame.time, frame.rgb)
                passed += time.perf_counter() - began[0]
                spent += time.thread_time() - began[1]
        size = len(encoder.finish())
        print(
            f"encoded alone as {codec}: {reader.seconds / spent:.1f} seconds of film in a second of"
            f" processor time, {reader.seconds / passed:.1f} in a second that passed;"
            f" {size / reader.seconds / 125_000:.1f} Mbit a second",
            flush=True,
        )


class _Clock:
    """Time that has passed, and processor time."""

    def __init__(self) -> None:
        self._began = time.perf_counter(), time.process_time()

    def print(self, title: str, seconds: int) -> None:
        passed = time.perf_counter() - self._began[0]
        spent = time.process_time() - self._began[1]
        print(
            f"{title}: {passed:.0f} s; {spent:.0f} s of processor time = {spent / seconds:.2f} s a "
            "second of film",
            flush=True,
        )


if __name__ == "__main__":
    main()
