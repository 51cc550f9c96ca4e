"""Measures which small faces are found before or beside a much larger face.

    python -m benchmarks.coverage.posters [--pictures FIRST:LAST] [--half fit|report] [--save FILE]

Each picture shows posters, projections and drawings with large faces on a photo. Small faces stand
before them, at any angle, as they are, mirrored or half hidden, or are pasted with their
surroundings, as a photo in a hand. The table has the number that is found by the height of the
large face and of the small one.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from benchmarks.coverage.__main__ import photos
from benchmarks.coverage.faces import (
    TYPICAL_BOX,
    Face,
    altered,
    cutout,
    paste,
    read_face,
    strangers,
)
from benchmarks.coverage.numbered import measured_rows
from benchmarks.coverage.scenes import Pasted
from benchmarks.coverage.trials import ANGLES, background, is_covered
from benchmarks.data import SHARED
from benchmarks.machine import heading
from ingest.faces.finder import FaceFinder
from ingest.faces.protocols import RGB

POSTERS = (100, 150, 300, 500, 800)
"""Heights of the large faces, in pixels."""
KINDS = ("poster", "poster", "projection", "drawing")
CONDITIONS = ("whole", "mirrored", "half hidden")
SHARES = (0.4, 0.3, 0.3)
"""Of the conditions."""
BANDS = ((20, 32), (32, 60))
MEGAPIXELS = 1.5
PRINT_SHARE = 0.2
"""Share of the small faces that are pasted as a rectangle: a badge, a photo or a screen."""
MAX_SHARE = 0.4
"""Height of a small face in heights of the large one, at most."""
MAX_POSTERS = 6
"""Large faces in one picture."""
SMALL_FACES = {100: 1, 150: 1, 300: 3, 500: 4, 800: 6}
"""Small faces before one large face, by its height."""
ROOM = 1.1
"""Distance of two small faces, in the sum of their heights, at least."""


class Row(NamedTuple):
    """What became of one small face."""

    poster: int
    """Height of the large face."""
    kind: str
    height: float
    condition: str
    is_print: bool
    place: str
    """Whether its middle lies in the large face's box or beside it."""
    is_found: bool


class Small(NamedTuple):
    """A small face and what is known about it."""

    row: Row
    pasted: Pasted


def main() -> None:
    """Run the pictures and print the tables."""
    half, rows = measured_rows(__doc__, "0:60", Row, measured)
    print(heading(f"Small faces found before larger ones, {half} half"))
    print_tables(rows)


def measured(finder: FaceFinder, number: int, report: bool) -> Iterator[Row]:
    """The small faces of one picture."""
    picture, smalls = composed(number, report=report)
    found = finder.find(picture)
    for row, face in smalls:
        yield row._replace(is_found=is_covered(found, face.x, face.y, face.height))


def print_tables(rows: Sequence[Row]) -> None:
    """Print what was found by both heights, then by each other quality."""
    print(f"{'large face, px':16}" + "".join(f"{low:>8}-{high} px" for low, high in BANDS))
    for poster in POSTERS:
        cells = [
            [row for row in rows if row.poster == poster and low <= row.height < high]
            for low, high in BANDS
        ]
        print(f"{poster:<16}" + "".join(f"{_share(cell):>14}" for cell in cells))
    qualities: dict[str, Callable[[Row], str]] = {
        "size": lambda row: "20-32 px" if row.height < 32 else "32 px and more",
        "kind": lambda row: row.kind,
        "condition": lambda row: row.condition,
        "way": lambda row: "rectangle" if row.is_print else "feathered",
        "place": lambda row: row.place,
    }
    for name, quality in qualities.items():
        groups: dict[str, list[Row]] = defaultdict(list)
        for row in rows:
            groups[quality(row)].append(row)
        print(f"by {name}: " + ", ".join(f"{k}: {_share(groups[k])}" for k in sorted(groups)))


def composed(number: int, *, report: bool) -> tuple[RGB, list[Small]]:
    """The picture of this number, and its small faces."""
    rng = np.random.default_rng(number)
    people = strangers(SHARED / "faces" / "strangers", report=report)
    scenery = photos(report=report)
    photo = scenery[int(rng.integers(len(scenery)))]
    rgb = background(photo, MEGAPIXELS, upright=bool(rng.integers(2))).copy()
    height = POSTERS[number % len(POSTERS)]
    kind = KINDS[number // len(POSTERS) % len(KINDS)]
    smalls: list[Small] = []
    for middle in _poster_places(rgb, height, rng):
        large = _poster(read_face(_any(people, rng)), kind, rng)
        paste(rgb, cutout(large, height, rng.normal(0, 5), feathered=False), middle)
        for _ in range(SMALL_FACES[height]):
            small = _small(middle, height, kind, [one.pasted for one in smalls], rng)
            if small is None:
                continue
            face = altered(read_face(_any(people, rng)), small.row.condition)
            degrees = float(rng.choice(ANGLES))
            piece = cutout(face, small.row.height, degrees, feathered=not small.row.is_print)
            paste(rgb, piece, (small.pasted.x, small.pasted.y))
            smalls.append(small)
    return rgb, smalls


def _poster_places(
    rgb: RGB, height: int, rng: np.random.Generator
) -> Iterator[tuple[float, float]]:
    """The middles of up to six posters on the picture."""
    down, across = rgb.shape[:2]
    side = height / TYPICAL_BOX[3]
    columns, rows = max(1, int(across // side)), max(1, int(down // side))
    cells = [(column, row) for row in range(rows) for column in range(columns)]
    for index in rng.permutation(len(cells))[:MAX_POSTERS]:
        column, row = cells[index]
        yield (column + 0.5) * across / columns, (row + 0.5) * down / rows


def _poster(face: Face, kind: str, rng: np.random.Generator) -> Face:
    """The face as it is on a poster, a pale projection or a drawing."""
    if kind == "projection":
        pale = 150 + 0.4 * (face.rgb - face.rgb.mean()) + rng.normal(0, 2, face.rgb.shape)
        return Face(np.asarray(pale.clip(0, 255), np.uint8), face.box)
    if kind == "drawing":
        smooth = np.ascontiguousarray(face.rgb)
        for _ in range(4):
            smooth = cv2.bilateralFilter(smooth, 9, 40, 9).astype(np.uint8)
        flat = (smooth // 48) * 48 + 24
        grey = cv2.cvtColor(smooth, cv2.COLOR_RGB2GRAY)
        lines = cv2.adaptiveThreshold(
            grey, 255, cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY, 9, 6
        )
        tint = np.array([1.1, 0.95, 0.8])
        return Face((flat * tint * (lines[:, :, None] > 0)).clip(0, 255).astype(np.uint8), face.box)
    return face


def _small(
    large: tuple[float, float],
    poster: int,
    kind: str,
    taken: Sequence[Pasted],
    rng: np.random.Generator,
) -> Small | None:
    """A small face before the large one or at its edge; None where there is no room."""
    low, high = BANDS[int(rng.integers(len(BANDS)))]
    highest = min(high, MAX_SHARE * poster)
    if highest <= low:
        low = BANDS[0][0]
    height = math.exp(rng.uniform(math.log(low), math.log(highest)))
    condition = str(rng.choice(CONDITIONS, p=SHARES))
    is_print = bool(rng.random() < PRINT_SHARE)
    for _ in range(20):
        across, down = rng.uniform(-0.65, 0.65), rng.uniform(-0.65, 0.65)
        x, y = large[0] + across * 0.77 * poster, large[1] + down * poster
        if all(math.dist((x, y), (o.x, o.y)) > ROOM * (height + o.height) for o in taken):
            place = "inside" if max(abs(across), abs(down)) < 0.5 else "at the edge"
            row = Row(poster, kind, height, condition, is_print, place, is_found=False)
            return Small(row, Pasted(x, y, height, is_face=True))
    return None


def _share(rows: Sequence[Row]) -> str:
    return f"{sum(row.is_found for row in rows)} of {len(rows)}"


def _any(files: Sequence[Path], rng: np.random.Generator) -> Path:
    return files[int(rng.integers(len(files)))]


if __name__ == "__main__":
    main()
