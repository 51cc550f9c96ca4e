"""Run damaged pictures through ``is_complete``, ``decode``, ``render`` and ``verify``.

Each input is a real or generated picture with a few mutations. A number identifies it, so that it
can be generated again. Allowed outcomes are a ``DecodeError``, or a rendition that passes or fails
verification (``not_clean``; the product would hold it). A child process does the work. If it dies
or takes over ten seconds, as a decoder written in C may, this is reported; in the product only that
item would be held. The exit code is 1 if any other exception was raised.

    OMP_NUM_THREADS=1 nice -n 5 python -m benchmarks.fuzz_decode --seconds 60 [--first N]
"""

from __future__ import annotations

import argparse
import multiprocessing as mp
import os
import random
import sys
import time
from collections import Counter
from multiprocessing.connection import Connection

from benchmarks.data import SHARED
from benchmarks.machine import heading
from ingest.decoding.completeness import is_complete
from ingest.decoding.decode import DecodeError, DecodeLimits, decode
from publish.rendering.render import RenditionSpec, render
from publish.verification.verify import Expected, verify
from tests.support import images as made
from tests.support.raw_images import dng

LARGEST_SEED = 150_000
TIMEOUT_SECONDS = 10.0
LIMITS = DecodeLimits(max_pixels=4_000_000)
ALLOWED = {"decoded", "not_clean", "not_examined", "unsupported_format"}


def seeds() -> list[bytes]:
    """Generated pictures of each format, and the small test photos if they are there."""
    found = [make() for make in made.CARRIERS.values()]
    for fmt in ("JPEG", "PNG", "WEBP", "TIFF", "AVIF", "GIF", "BMP"):
        found.append(made.saved(made.scene(96, 64), fmt))
    found.append(made.saved(made.scene(96, 64), "TIFF", compression="tiff_lzw"))
    still = made.gif_block(made.scene())
    found += [made.frames(fmt) for fmt in ("GIF", "PNG", "WEBP", "AVIF", "TIFF")]
    found += [
        dng(made.scene(96, 64)),
        made.gif_of(still, still),
        made.png_grey16(),
        made.see_through_png(),
    ]
    files = sorted((SHARED / "metadata").glob("*")) if SHARED.is_dir() else []
    found += [f.read_bytes() for f in files if 0 < f.stat().st_size < LARGEST_SEED]
    return found


def mutant(number: int, corpus: list[bytes]) -> bytes:
    """Input ``number``: the same in every run with the same corpus."""
    rng = random.Random(number)  # noqa: S311 - repeatable, not secret
    data = bytearray(rng.choice(corpus))
    for _ in range(rng.choice((1, 1, 2, 4, 16))):
        _mutate(data, rng, corpus)
    return bytes(data)


def _mutate(data: bytearray, rng: random.Random, corpus: list[bytes]) -> None:
    """Make one change. Half of the changes hit the header, which decoders interpret most."""
    if not data:
        return
    offset = rng.randrange(min(len(data), 600) if rng.random() < 0.5 else len(data))
    length = rng.choice((1, 2, 4, 16, 200))
    match rng.randrange(7):
        case 0:
            data[offset] ^= 1 << rng.randrange(8)
        case 1:
            data[offset] = rng.choice((0, 1, 0x7F, 0x80, 0xFF))
        case 2:
            data[offset : offset + 4] = rng.choice((b"\xff" * 4, bytes(4), b"\x7f\xff\xff\xff"))
        case 3:
            del data[offset : offset + length]
        case 4:
            data[offset:offset] = data[offset : offset + length]
        case 5:
            other = rng.choice(corpus)
            start = rng.randrange(len(other))
            data[offset : offset + length] = other[start : start + length]
        case _:
            del data[offset : None if rng.random() < 0.3 else offset + 1]


def judge(data: bytes) -> str:
    """The outcome of one input. ``is_complete`` runs in the gate's process and must not raise."""
    assert is_complete(data) in (True, False)
    try:
        image = decode(data, LIMITS)
    except DecodeError as held:
        return held.reason.value
    spec = RenditionSpec(max_side=200)
    verify(data)
    return "not_clean" if verify(render(image.rgb, spec), Expected(image.rgb, spec)) else "decoded"


def run_child(pipe: Connection) -> None:
    """Judge the inputs whose numbers arrive by ``pipe``, until None arrives."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 2)  # the C libraries write to stderr about nearly every input
    corpus = seeds()
    pipe.send("ready")
    while (number := pipe.recv()) is not None:
        try:
            pipe.send(judge(mutant(number, corpus)))
        except Exception as error:  # noqa: BLE001 - any escaping exception is a finding
            pipe.send(f"ESCAPED {type(error).__name__}: {error}")


class Child:
    """A worker process, which is replaced if it dies or hangs."""

    def __init__(self) -> None:
        self.pipe, theirs = mp.Pipe()
        self.process = mp.get_context("spawn").Process(
            target=run_child, args=(theirs,), daemon=True
        )
        self.process.start()
        theirs.close()
        self.pipe.recv()

    def judge(self, number: int) -> str:
        self.pipe.send(number)
        try:
            answered = self.pipe.poll(TIMEOUT_SECONDS if self.process.is_alive() else 0)
            return str(self.pipe.recv()) if answered else "HUNG"
        except (EOFError, ConnectionResetError):
            self.process.join()
            return f"DIED with {self.process.exitcode}"

    def stop(self) -> None:
        self.process.kill()
        self.process.join()


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--seconds", type=float, default=60)
    arguments.add_argument("--first", type=int, default=0, help="number of the first input")
    asked = arguments.parse_args()
    print(heading("Damaged pictures"), flush=True)
    outcomes: Counter[str] = Counter()
    wrong: list[tuple[int, str]] = []
    number, end, child = asked.first, time.monotonic() + asked.seconds, Child()
    while time.monotonic() < end:
        outcome = child.judge(number)
        outcomes[outcome.split()[0]] += 1
        if outcome not in ALLOWED:
            wrong.append((number, outcome))
            child.stop()
            child = Child()
        number += 1
    child.stop()
    count = number - asked.first
    print(f"{len(seeds())} seeds, {count} inputs ({asked.first}-{number - 1}): {dict(outcomes)}")
    for index, outcome in wrong:
        print(f"{index}: {outcome}")
    sys.exit(any(outcome.startswith("ESCAPED") for _, outcome in wrong))


if __name__ == "__main__":
    main()
