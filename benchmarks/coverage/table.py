"""Measures what share of pasted faces is proposed and found, by condition and height.

    python -m benchmarks.coverage.table [--pictures FIRST:LAST] [--half fit|report] [--save FILE]

Each picture has up to nine faces of people of that half, in the conditions of the benchmark, at
any angle and place. This is far quicker than one face a picture (``benchmarks.coverage``), and
finds the same. Faces that lie on a person of the background count as the others.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from benchmarks.coverage.__main__ import photos
from benchmarks.coverage.faces import altered, cutout, paste, read_face, strangers
from benchmarks.coverage.numbered import measured_rows
from benchmarks.coverage.scenes import Pasted, free_place
from benchmarks.coverage.trials import ANGLES, CONDITIONS, background, is_covered
from benchmarks.data import SHARED
from benchmarks.machine import heading
from ingest.faces.finder import FaceFinder
from ingest.faces.protocols import RGB

BANDS = ((20, 32), (32, 60), (60, 110))
FACES = 9


class Row(NamedTuple):
    """What became of one face."""

    condition: str
    band: int
    """Index in ``BANDS``."""
    is_proposed: bool
    is_found: bool


def main() -> None:
    """Run the pictures and print the table."""
    half, rows = measured_rows(__doc__, "0:45", Row, measured)
    print(heading(f"Faces proposed / found, per cent, {half} half"))
    print_table(rows)


def measured(finder: FaceFinder, number: int, report: bool) -> Iterator[Row]:
    """The faces of one picture."""
    picture, faces = _picture(number, report=report)
    found = finder.find(picture)
    is_found_by_face = [is_covered(found, face.x, face.y, face.height) for _, _, face in faces]
    places = [] if all(is_found_by_face) else finder.places(picture)
    for (condition, band, face), is_found in zip(faces, is_found_by_face, strict=True):
        is_proposed = is_found or any(
            math.dist(place.centre, (face.x, face.y)) < face.height / 2
            and 0.5 < place.height / face.height < 2
            for place in places
        )
        yield Row(condition, band, is_proposed, is_found)


def print_table(rows: list[Row]) -> None:
    """Print the shares, with the number of faces."""
    cells: dict[tuple[str, int], list[tuple[bool, bool]]] = defaultdict(list)
    for row in rows:
        cells[row.condition, row.band].append((row.is_proposed, row.is_found))
    for condition in CONDITIONS:
        line = (_cell(cells[condition, band]) for band in range(len(BANDS)))
        print(f"{condition:16}" + "   ".join(line))
    print(f"{len(rows)} faces")


def _cell(faces: list[tuple[bool, bool]]) -> str:
    """The shares proposed and found and the number of faces; a dash where there are none."""
    if not faces:
        return f"{'-':>19}"
    proposed, found = 100 * np.mean(faces, axis=0)
    return f"{proposed:6.0f} /{found:4.0f} of {len(faces):3}"


def _picture(number: int, *, report: bool) -> tuple[RGB, list[tuple[str, int, Pasted]]]:
    rng = np.random.default_rng(number)
    people = strangers(SHARED / "faces" / "strangers", report=report)
    scenery = photos(report=report)
    photo = scenery[int(rng.integers(len(scenery)))]
    rgb = background(photo, float(rng.choice([0.5, 1.0, 2.0])), upright=bool(rng.integers(2)))
    rgb = rgb.copy()
    faces: list[tuple[str, int, Pasted]] = []
    for index in range(FACES):
        condition = CONDITIONS[(number + index) % len(CONDITIONS)]
        band = (index + number // len(CONDITIONS)) % len(BANDS)
        low, high = (math.log(edge) for edge in BANDS[band])
        height = math.exp(rng.uniform(low, high))
        taken = [face for _, _, face in faces]
        place = free_place(
            rgb, height, taken, rng, inside=(0, 0) if "outside" in condition else None
        )
        if place is None:
            continue
        face = altered(read_face(people[int(rng.integers(len(people)))]), condition)
        degrees, feathered = float(rng.choice(ANGLES)), bool(rng.integers(2))
        paste(rgb, cutout(face, height, degrees, feathered=feathered), place)
        faces.append((condition, band, Pasted(*place, height, is_face=True)))
    return rgb, faces


if __name__ == "__main__":
    main()
