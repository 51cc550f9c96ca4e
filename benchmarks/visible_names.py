"""Measure which pupils' names are read in pictures, and what that costs.

Cards with names are drawn on soft shapes, at several sizes of print, turns and angles. The register
has 700 made-up pupils. Harmless cards show what is written in schools. The photos of the made-up
school show no names. No handwriting is drawn, as no font of the environment looks like it.

    OMP_NUM_THREADS=1 nice -n 5 python -m benchmarks.visible_names [--photos N]
"""

from __future__ import annotations

import argparse
import random
import statistics
import time
from collections.abc import Iterable, Iterator
from itertools import product

import cv2
import numpy as np

from benchmarks.data import SHARED
from benchmarks.machine import heading
from consent_gate.names.name_index import NameIndex, PupilName
from consent_gate.names.visible_names import Options, find_names
from ingest.faces.protocols import RGB
from ingest.lettering.finder import TextFinder
from ingest.lettering.lettering import Lettering, TooMuchText
from ingest.lettering.reader import TextReader
from tests.support.lettering import Card, make_picture_with

_FORENAMES = """Olivia Amelia Isla Ava Mia Ivy Lily Freya Florence Willow Zara Aisha Fatima Maryam
Priya Ananya Chloe Siân Niamh Oluwaseun Noah Oliver George Arthur Muhammad Leo Harry Theo Yusuf
Ibrahim Kwame Jakub Mateusz Rhys Callum Will Mark Jack Rose Grace Hope"""
_SURNAMES = """Smith Jones Taylor Brown Williams Wilson Johnson Davies Patel Khan Hussain Ahmed
Begum Okafor Adeyemi Mensah Kowalski Nowak Fernandes O'Donnell Whitcombe Archer Hill Marsh Page
Green Wood Barnes-Wright Raghunathan Thistlethwaite MacKenzie Featherstone"""
HARMLESS = """Welcome to Year 3|Reading corner|Please wash your hands|Harvest festival|Sports day
Millfields Primary School|Our school values|Be kind, be brave|Lost property|Mind the step|Exit
Rose Hill is a park in Oxford|Mark your own work|Will you be my friend?|Hope and peace|Page 12
A grace note|The marsh and the wood|World Book Day|Spelling rules|Times tables|12 x 4 = 48
Fire assembly point|Push|Library|Head Teacher|School Council|Eco Warriors|Star of the week
Jack and the Beanstalk|The Green Mile|Under the hill|Brown bear, brown bear|Johnson and Johnson
A Taylor made suit|Maths challenge|Recycling only|No nuts|Staff only|Adidas|Nike|Clarks
Happy birthday|Keep calm and read|Reception|Office|Visitors must sign in|House points
Class assembly""".replace("\n", "|").split("|")
OPTIONS = Options(("Millfields Primary School",))
SIZES, YAWS, TURNS = (8, 10, 12, 16, 24, 48), (0, 30, 45), (0, 20, 45, 90, 135, 180, 225, 270, 315)


def make_register(pupils: int) -> list[PupilName]:
    pairs = list(product(_FORENAMES.split(), _SURNAMES.split()))
    random.Random(1).shuffle(pairs)  # noqa: S311  no secret
    return [PupilName(str(number), *pair) for number, pair in enumerate(pairs[:pupils])]


def written(name: PupilName, seed: int) -> tuple[str, ...]:
    """The lines of a card: in one line or in two, with or without a class."""
    first, last = name.forename, name.surname
    forms = [
        (f"{first} {last}",),
        (first, last),
        (f"{first} {last}", "Class 3B"),
        (f"{first.upper()} {last.upper()}",),
        (f"{last}, {first}",),
        ("This is to certify that", f"{first} {last}", "has read 20 books"),
    ]
    return forms[seed % len(forms)]


def read_seconds(lettering: Lettering, picture: RGB, index: NameIndex) -> tuple[set[str], float]:
    """Admission numbers that are named, and processor seconds. Too much text names "?"."""
    begin = time.process_time()
    try:
        marks = find_names(
            lettering.read(picture), index, [], Options(("Millfields Primary School",))
        )
        pupils = {mark.pupil or "" for mark in marks}
    except TooMuchText:
        pupils = {"?"}
    return pupils, time.process_time() - begin


def share(hits: Iterable[bool]) -> str:
    found = list(hits)
    return f"{sum(found)} of {len(found)} ({100 * sum(found) / max(1, len(found)):.1f} %)"


def measure_print(lettering: Lettering, names: list[PupilName], index: NameIndex) -> None:
    print("print: right pupil named; any pupil named")
    seconds, large = [], []
    for size, yaw in product(SIZES, YAWS):
        right, held = [], []
        for place, turn in enumerate(TURNS):
            seed = place + 100 * size + yaw
            name = names[seed % len(names)]
            picture = make_picture_with(Card(written(name, seed), size, turn, yaw), seed)
            pupils, cost = read_seconds(lettering, picture, index)
            right.append(name.pupil in pupils)
            held.append(bool(pupils))
            seconds.append(cost)
        large += held if size >= 12 else []
        print(f"  x-height {size:2} px, yaw {yaw:2}: {share(right)}; {share(held)}")
    print(f"  all with an x-height of 12 px and more: held {share(large)}")
    print(f"  processor seconds a picture: median {statistics.median(seconds):.3f}")


def measure_harmless(lettering: Lettering, index: NameIndex) -> None:
    held = []
    for seed, text in enumerate(HARMLESS * 2):
        card = Card((text,), SIZES[2 + seed % 4], TURNS[seed % len(TURNS)])
        pupils, _ = read_seconds(lettering, make_picture_with(card, seed), index)
        held.append(bool(pupils))
        if pupils:
            print(f"  held: {text!r}")
    print(f"harmless text: held {share(held)}")


def photos(count: int) -> Iterator[RGB]:
    files = sorted((SHARED / "school" / "events").rglob("*.JPG"))
    for file in files[:: max(1, len(files) // count)][:count]:
        bgr = cv2.imread(str(file), cv2.IMREAD_COLOR)
        if bgr is not None:
            yield np.asarray(bgr[:, :, ::-1], dtype=np.uint8).copy()


def measure_photos(lettering: Lettering, index: NameIndex, count: int) -> None:
    costs, held = [], []
    for picture in photos(count):
        pupils, cost = read_seconds(lettering, picture, index)
        held.append(bool(pupils))
        costs.append(cost)
    mean, median = statistics.fmean(costs), statistics.median(costs)
    print(f"plain photos: held {share(held)}")
    print(
        f"  processor seconds a photo: mean {mean:.3f}, median {median:.3f}, most {max(costs):.3f}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=int, default=60)
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    print(heading("Names that can be read in pictures"))
    names = make_register(700)
    index = NameIndex(names)
    lettering = Lettering(TextFinder(), TextReader(), 3000)
    measure_print(lettering, names, index)
    measure_harmless(lettering, index)
    measure_photos(lettering, index, arguments.photos)


if __name__ == "__main__":
    main()
