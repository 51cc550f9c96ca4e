"""Measure how long a long film takes, and its memory: ``python -m benchmarks.film_long``.

A film of 1080p with 30 frames a second, in which people come and go, is examined by a confined
worker process with the text in it, as the running gate does. The film is one piece that is repeated
without encoding it again, so it is made quickly. They are stills in motion.
"""

from __future__ import annotations

import argparse
import os
import resource
import tempfile
import time
from collections.abc import Iterator
from fractions import Fraction
from functools import partial
from itertools import chain
from pathlib import Path

from benchmarks.film_speed import HEIGHT, PUBLISHED_SIDE, RATE, WIDTH, frames_of
from benchmarks.machine import heading
from consent_gate.matching.gallery import gallery_of
from consent_gate.matching.shipped_thresholds import shipped_thresholds
from consent_gate.model import Examined
from ingest.decoding.decode import DecodeLimits
from ingest.faces.protocols import RGB
from ingest.workers import sandbox, worker
from ingest.workers.process_pool import WorkerPool
from ingest.workers.sandbox import Confinement
from ingest.workers.served_file import ServedFile
from ingest.workers.worker_config import WorkerConfig

MEGABYTES = 3072
"""``megabytes_per_worker`` of the settings."""
LONGEST_SECONDS = 4 * 3600.0


def come_and_go(seconds: int) -> Iterator[RGB]:
    """The people of ``film_speed``. A quarter of the time the left or the right two are away."""
    for number, frame in enumerate(frames_of(seconds)):
        shown = frame.copy()
        phase = 8 * number // (seconds * RATE)
        if phase in {2, 6}:
            half = slice(0, WIDTH // 2) if phase == 2 else slice(WIDTH // 2, WIDTH)
            shown[:, half] = frame[:1, half]  # above everybody
        yield shown


def make_film(path: Path, piece_seconds: int, pieces: int) -> None:
    """Write one piece again and again."""
    import av

    with av.open(str(path), "w") as file:
        stream = file.add_stream("libx264", rate=RATE)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.options = {"preset": "veryfast", "crf": "20", "bf": "0"}
        frames = come_and_go(piece_seconds)
        pictures = (av.VideoFrame.from_ndarray(frame, format="rgb24") for frame in frames)
        packets = [
            packet for picture in chain(pictures, [None]) for packet in stream.encode(picture)
        ]
        unit = Fraction(1, RATE)
        for number in range(pieces * len(packets)):
            original = packets[number % len(packets)]
            packet = av.Packet(bytes(original))
            packet.stream, packet.time_base, packet.duration = stream, unit, 1
            packet.pts = packet.dts = number
            packet.is_keyframe = original.is_keyframe
            file.mux(packet)


def main() -> None:
    """Make a film, examine it and print the time and the worker's memory."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=600)
    parser.add_argument("--piece", type=int, default=20, help="seconds that are encoded")
    options = parser.parse_args()
    print(heading(f"A film of {options.seconds} s at 1080p, {RATE} frames a second"), flush=True)
    path = Path(tempfile.mkdtemp()) / "film.mp4"
    make_film(path, options.piece, max(1, options.seconds // options.piece))
    print(f"made a film of {path.stat().st_size >> 20} MB", flush=True)
    config = WorkerConfig(
        gallery_of(()), shipped_thresholds(), DecodeLimits(), text_side=PUBLISHED_SIDE
    )
    confinement = Confinement(MEGABYTES, required=not sandbox.missing_parts(), files=())
    begun = time.monotonic()

    def say(done: int, whole: int) -> None:
        if done % 60 == 0:
            print(f"{done} of {whole} s after {time.monotonic() - begun:.0f} s", flush=True)

    with path.open("rb") as film:
        descriptor = film.fileno()
        file = ServedFile(
            path.stat().st_size, lambda offset, length: os.pread(descriptor, length, offset), say
        )
        with WorkerPool(
            1, partial(worker.start, config), LONGEST_SECONDS, confinement=confinement
        ) as pool:
            examination = pool.submit(worker.examine_film, file).result()
    path.unlink()
    passed, spent = time.monotonic() - begun, resource.getrusage(resource.RUSAGE_CHILDREN)
    processor = spent.ru_utime + spent.ru_stime
    evidence = examination.evidence
    if not isinstance(evidence, Examined) or evidence.film is None:
        print(f"not examined: {evidence}")
        return
    seconds = evidence.film.seconds
    print(
        f"{evidence.film.frames} frames, {len(evidence.faces)} tracks, {evidence.film.scenes}"
        f" scenes: {passed:.0f} s = {passed / seconds:.2f} s a second of film; processor time"
        f" {processor:.0f} s = {processor / seconds:.2f} s a second;"
        f" memory of the worker {spent.ru_maxrss >> 10} MB at most;"
        f" copy for staff {len(examination.film_view or b'') / 1e6:.1f} MB"
    )


if __name__ == "__main__":
    main()
