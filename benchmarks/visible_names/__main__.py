"""Measure which pupils' names are read in pictures, and what that costs.

A photo with names shows one to three items, each with the name of another pupil: five of eight are
in print, three in handwriting. It counts as held if any pupil is named.
Items with names are drawn on photos of crowds and on soft shapes, in print and in handwriting, at
any turn, turned away by up to 45 degrees, with an x-height of 12 pixels and more. Harmless text
shows what is written in schools. The photos of the made-up school show no names. Each half has
names, texts, fonts and photos of its own. Settings were chosen with the fit half.

    OMP_NUM_THREADS=1 nice python -m benchmarks.visible_names --fonts FOLDER [--half fit|report]
        [--print N] [--handwriting N] [--named N] [--harmless N] [--photos N]

FOLDER has the fonts: benchmarks/README.md names their packages.
"""

from __future__ import annotations

import argparse
import random
import statistics
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import cv2
import numpy as np

from benchmarks.data import SHARED
from benchmarks.machine import heading
from benchmarks.visible_names.items import HANDWRITING, KINDS, PRINT, Item, lines_of, make_picture
from benchmarks.visible_names.texts import NOT_NAMES, harmless_texts, make_register
from consent_gate.matching.gallery import gallery_of
from consent_gate.matching.shipped_thresholds import shipped_thresholds
from consent_gate.model import Box
from consent_gate.names.name_index import NameIndex, PupilName
from consent_gate.names.visible_names import Options, find_names
from ingest.decoding.decode import DecodeLimits
from ingest.faces.protocols import RGB
from ingest.lettering.finder import TextFinder
from ingest.lettering.lettering import Lettering, TooMuchText
from ingest.lettering.reader import TextReader
from ingest.workers import worker
from ingest.workers.worker_config import WorkerConfig

SIZES = (12, 16, 24, 40)
PRINTED = 5 / 8
"""Share of the items of a photo with names that are in print."""

SEEDS = {"fit": 0, "report": 1_000_000}


@dataclass(frozen=True)
class Half:
    """What the pictures of one half are made of."""

    name: str
    fonts: Mapping[str, Path]
    register: Sequence[PupilName]
    index: NameIndex
    backgrounds: Sequence[Path]
    lettering: Lettering

    def item(self, number: int, fonts: Sequence[str], text: tuple[str, ...] = ()) -> Item:
        """The item with this number, with ``text`` or the name of ``self.pupil(number)``."""
        choice = random.Random(SEEDS[self.name] + number)  # noqa: S311  no secret
        kind, name = choice.choice(KINDS), self.pupil(number)
        return Item(
            kind,
            text or lines_of(kind, name.forename, name.surname, choice),
            self.fonts[choice.choice(fonts)],
            choice.choice(SIZES) * choice.uniform(1, 1.2),
            choice.uniform(0, 360),
            choice.uniform(-45, 45),
        )

    def picture(self, item: Item, number: int) -> RGB:
        """The item in a picture: every second one in a photo of a crowd."""
        choice = random.Random(number)  # noqa: S311  no secret
        background = _enlarged(choice.choice(self.backgrounds)) if number % 2 else None
        return make_picture(item, SEEDS[self.name] + number, background)

    def photo(self, number: int, fonts: Sequence[Sequence[str]]) -> tuple[RGB, set[str], int]:
        """A photo with one to three items, the pupils they name, and the number of items.

        ``fonts`` has those of print and those of handwriting.
        """
        choice = random.Random(SEEDS[self.name] + number)  # noqa: S311  no secret
        count = choice.randint(1, 3)
        picture, pupils = None, set()
        for place in range(3 * number, 3 * number + count):
            item = self.item(place, fonts[choice.random() >= PRINTED])
            if picture is None:
                picture = self.picture(item, place)
            else:
                picture = make_picture(item, SEEDS[self.name] + place, picture)
            pupils.add(self.pupil(place).pupil)
        assert picture is not None
        return picture, pupils, count

    def pupil(self, number: int) -> PupilName:
        return self.register[number % len(self.register)]

    def named(self, picture: RGB, faces: Sequence[Box] = ()) -> tuple[set[str], float]:
        """Admission numbers that are named, and processor seconds. Too much text names "?"."""
        begin = time.process_time()
        try:
            lines = self.lettering.read(picture)
            marks = find_names(lines, self.index, faces, Options(NOT_NAMES))
            pupils = {mark.pupil or "" for mark in marks}
        except TooMuchText:
            pupils = {"?"}
        return pupils, time.process_time() - begin


def share(hits: Iterable[bool]) -> str:
    found = list(hits)
    return f"{sum(found)} of {len(found)} ({100 * sum(found) / max(1, len(found)):.1f} %)"


def measure_names(half: Half, title: str, fonts: Sequence[str], count: int, start: int) -> None:
    right, held = [], []
    by_kind: dict[str, list[bool]] = defaultdict(list)
    for number in range(start, start + count):
        item = half.item(number, fonts)
        pupils, _ = half.named(half.picture(item, number))
        right.append(half.pupil(number).pupil in pupils)
        held.append(bool(pupils))
        by_kind[item.kind].append(held[-1])
        if not pupils:
            print(
                f"  missed: {number} {item.kind} {item.lines} in {item.font.stem}, x-height"
                f" {item.x_height:.0f}, turn {item.turn:.0f}, yaw {item.yaw:.0f}"
            )
    print(f"{title}: held {share(held)}; the right pupil is named in {share(right)}")
    for kind, hits in sorted(by_kind.items()):
        print(f"  {kind}: {share(hits)}")


def measure_harmless(half: Half, fonts: Sequence[str], times: int) -> None:
    held = []
    for number, text in enumerate(harmless_texts(half.name) * times, start=500_000):
        pupils, _ = half.named(half.picture(half.item(number, fonts, (text,)), number))
        held.append(bool(pupils))
        if pupils:
            print(f"  held: {text!r}")
    print(f"harmless text: held {share(held)}")


def measure_named(half: Half, count: int) -> None:
    """Photos with names: the goal is that 95 % are held."""
    fonts = (PRINT[half.name], HANDWRITING[half.name])
    held: dict[int, list[bool]] = defaultdict(list)
    wrong = []
    for number in range(300_000, 300_000 + count):
        picture, shown, items = half.photo(number, fonts)
        pupils, _ = half.named(picture)
        held[items].append(bool(pupils))
        wrong.append(bool(pupils) and not pupils & shown)
    print(f"photos with names: held {share(chain(*held.values()))}; wrong pupils: {share(wrong)}")
    for items, hits in sorted(held.items()):
        print(f"  with {items} items: {share(hits)}")


def measure_photos(half: Half, count: int) -> None:
    """Plain photos: what is held, and the share of the text in the cost of an examination."""
    files = _half_of(sorted((SHARED / "school" / "events").rglob("*.[jJ][pP][gG]")), half.name)
    worker.start(WorkerConfig(gallery_of(()), shipped_thresholds(), DecodeLimits()))
    texts, others, held = [], [], []
    for file in files[:: max(1, len(files) // count)][:count]:
        pupils, cost = half.named(_picture(file))
        held.append(bool(pupils))
        begin = time.process_time()
        worker.examine(file.read_bytes())
        texts.append(cost)
        others.append(time.process_time() - begin)
    print(f"plain photos: held {share(held)}")
    print(
        f"  processor seconds a photo for text: mean {statistics.fmean(texts):.3f}, median"
        f" {statistics.median(texts):.3f}; for the rest of the examination, without templates:"
        f" mean {statistics.fmean(others):.3f}"
    )
    whole = sum(texts) + sum(others)
    print(f"  text takes {100 * sum(texts) / whole:.1f} % of the examination (goal: 15 %)")


def _half_of(files: Sequence[Path], half: str) -> list[Path]:
    return [file for place, file in enumerate(files) if (place % 2 == 0) == (half == "fit")]


def _picture(file: Path) -> RGB:
    bgr = cv2.imdecode(np.frombuffer(file.read_bytes(), np.uint8), cv2.IMREAD_COLOR)
    return np.asarray(np.asarray(bgr)[:, :, ::-1], dtype=np.uint8).copy()


def _enlarged(file: Path) -> RGB:
    """A photo of a crowd as a background of 1600 pixels: its own text is too blurred to be read."""
    small = _picture(file)
    factor = 1600 / max(small.shape[:2])
    size = (round(small.shape[1] * factor), round(small.shape[0] * factor))
    return np.asarray(cv2.resize(small, size, interpolation=cv2.INTER_CUBIC), dtype=np.uint8)


def _fonts(folders: Iterable[Path]) -> Iterator[tuple[str, Path]]:
    for folder in folders:
        for file in folder.rglob("*.[to]tf"):
            yield file.stem, file


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fonts", type=Path, required=True)
    parser.add_argument("--half", choices=("fit", "report"), default="report")
    parser.add_argument("--print", type=int, default=140)
    parser.add_argument("--handwriting", type=int, default=84)
    parser.add_argument("--named", type=int, default=100)
    parser.add_argument("--harmless", type=int, default=2)
    parser.add_argument("--photos", type=int, default=30)
    chosen = parser.parse_args()
    cv2.setNumThreads(1)
    print(heading(f"Names that can be read in pictures, {chosen.half} half"))
    register = make_register(chosen.half)
    half = Half(
        chosen.half,
        dict(_fonts([chosen.fonts, Path("/usr/share/fonts")])),
        register,
        NameIndex(register),
        _half_of(sorted((SHARED / "groups" / "images").rglob("*.jpg")), chosen.half),
        Lettering(TextFinder(), TextReader(), 3000),
    )
    if chosen.print:
        measure_names(half, "print", PRINT[half.name], chosen.print, 0)
    if chosen.handwriting:
        fonts = HANDWRITING[half.name]
        measure_names(half, "handwriting", fonts, chosen.handwriting, 100_000)
    if chosen.named:
        measure_named(half, chosen.named)
    if chosen.harmless:
        measure_harmless(half, PRINT[half.name], chosen.harmless)
    if chosen.photos:
        measure_photos(half, chosen.photos)


if __name__ == "__main__":
    main()
