"""The sizes at which the upright search looks at a picture."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class FinderSettings:
    """Sizes in pixels. Measured by benchmarks/faces/detection.py; see docs/adr/0003."""

    wide: int = 1280
    """Long side of the whole picture as the second sees it."""
    small: int = 832
    """Long side of the smaller view, which is mirrored and turned."""
    close: int = 1664
    """Long side of the whole picture as the scout sees it where there are no tiles; pictures
    longer than that are searched in tiles."""
    enlarge_at_most: float = 4.0
    """A picture of 416 px is looked at in 832, 1280 and 1664 px."""
    large_face: float = 200.0
    """Height in the small view from which the scout looks there too. From near it doesn't know
    faces that fill the picture: on six portraits its score fell from 0.95 at 300 px of height to
    0.74 at 800 px, and of four school photos with such faces two were only half believed."""
    tiles: bool = True
    tile: int = 1100
    """Longest side of a tile. Larger ones overlap less, but cost a fifth more a pixel at 1600: the
    processor's cache no longer holds them."""
    small_face: float = 28.0
    """Height in the wide view below which a face may have been missed there."""
    window: int = 384
    """Side of what the second sees around such a face; twice the face's if that is more."""
    hint: float = 0.3
    """Score of the scout, in a tile, that calls in the second."""
    smallest_face: float = 8.0
    """Height in the picture below which a box is nobody's face."""
    mirror: bool = True
    turn: bool = True
    turn_always: bool = True
    """Whether to search at all angles although a sure face was found upright."""


PORTRAIT = FinderSettings(
    wide=640,
    small=416,
    close=640,
    enlarge_at_most=1.5,
    mirror=False,
    tiles=False,
    turn_always=False,
)
"""For enrolment photos: one large face, and bystanders matter only when nearly as large. On 27
portraits of the made-up school turned views found nothing beside an upright face."""
