"""Throw damaged pictures at ``is_complete``, ``decode``, ``render`` and ``verify``, bounded.

Each input is a real or made picture with a few mutations, named by one number, so that any of
them can be made again. Allowed outcomes: ``DecodeError``, or decoded, rendered and verified; a
rendition that fails the check (``not_clean``) would be held, and is counted. A child process does
the work: where it dies or takes over ten seconds, as a decoder written in C can, that is reported;
in the product the same costs one item, held. Exits 1 where any other exception escaped.

    OMP_NUM_THREADS=1 nice -n 5 python -m benchmarks.fuzz_decode --seconds 60 [--first N]
"""

from __future__ import annotations

import argparse
import multiprocessing as mp
import os
import platform
import random
import sys
import time
from collections import Counter
from multiprocessing.connection import Connection

from benchmarks.data import SHARED
from consent_gate.home.clock import utc_now
from ingest.decoding.completeness import is_complete
from ingest.decoding.decode import DecodeError, DecodeLimits, decode
from publish.rendering.render import RenditionSpec, render
from publish.verification.verify import Expected, verify
from tests.support import images as made
from tests.support.raw_images import dng

LARGEST_SEED = 150_000
PATIENCE = 10.0
LIMITS = DecodeLimits(max_pixels=4_000_000)
ALLOWED = {"decoded", "not_clean", "not_examined", "unsupported_format"}


def seeds() -> list[bytes]:
    """Every made picture, one of each format, and the small ones of the shared data if there."""
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
    """Input ``number``: the same on every run over the same corpus."""
    dice = random.Random(number)  # noqa: S311 - repeatable, not secret
    data = bytearray(dice.choice(corpus))
    for _ in range(dice.choice((1, 1, 2, 4, 16))):
        _mutate(data, dice, corpus)
    return bytes(data)


def _mutate(data: bytearray, dice: random.Random, corpus: list[bytes]) -> None:
    """One change. Headers are where the decisions are, so half of the changes go there."""
    if not data:
        return
    at = dice.randrange(min(len(data), 600) if dice.random() < 0.5 else len(data))
    length = dice.choice((1, 2, 4, 16, 200))
    match dice.randrange(7):
        case 0:
            data[at] ^= 1 << dice.randrange(8)
        case 1:
            data[at] = dice.choice((0, 1, 0x7F, 0x80, 0xFF))
        case 2:
            data[at : at + 4] = dice.choice((b"\xff" * 4, bytes(4), b"\x7f\xff\xff\xff"))
        case 3:
            del data[at : at + length]
        case 4:
            data[at:at] = data[at : at + length]
        case 5:
            other = dice.choice(corpus)
            start = dice.randrange(len(other))
            data[at : at + length] = other[start : start + length]
        case _:
            del data[at : None if dice.random() < 0.3 else at + 1]


def judge(data: bytes) -> str:
    """What became of one input. ``is_complete`` is asked by the gate itself: it must not fall."""
    assert is_complete(data) in (True, False)
    try:
        image = decode(data, LIMITS)
    except DecodeError as held:
        return held.reason.value
    spec = RenditionSpec(max_side=200)
    verify(data)
    return "not_clean" if verify(render(image.rgb, spec), Expected(image.rgb, spec)) else "decoded"


def work(pipe: Connection) -> None:
    """Judge numbers as they come."""
    quiet = os.open(os.devnull, os.O_WRONLY)
    os.dup2(quiet, 2)  # the C libraries complain to stderr about nearly every input
    corpus = seeds()
    pipe.send("ready")
    while (number := pipe.recv()) is not None:
        try:
            pipe.send(judge(mutant(number, corpus)))
        except Exception as error:  # noqa: BLE001 - any escape is what we are looking for
            pipe.send(f"ESCAPED {type(error).__name__}: {error}")


class Child:
    """A worker that is replaced when it dies or hangs."""

    def __init__(self) -> None:
        self.pipe, theirs = mp.Pipe()
        self.process = mp.get_context("spawn").Process(target=work, args=(theirs,), daemon=True)
        self.process.start()
        theirs.close()
        self.pipe.recv()

    def judge(self, number: int) -> str:
        self.pipe.send(number)
        try:
            answered = self.pipe.poll(PATIENCE if self.process.is_alive() else 0)
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
    print(f"{utc_now():%Y-%m-%d}, {platform.machine()}, {os.cpu_count()} cores")
    count = number - asked.first
    print(f"{len(seeds())} seeds, {count} inputs ({asked.first}-{number - 1}): {dict(outcomes)}")
    for each, outcome in wrong:
        print(f"{each}: {outcome}")
    sys.exit(any(outcome.startswith("ESCAPED") for _, outcome in wrong))


if __name__ == "__main__":
    main()
