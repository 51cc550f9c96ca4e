"""Photos of people for tests of the face models: the demonstration's, and the test photos."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from consent_gate.operations import demo
from ingest.faces.protocols import RGB
from tests.conftest import HAS_TEST_PHOTOS, SHARED
from tests.support.images import read_photo

DEMO_PHOTOS = Path(demo.__file__).parent / "demo_photos"


@dataclass(frozen=True)
class FacePhotos:
    """RGB photos, 250 x 250 pixels. The person meant is in the middle of each."""

    people: tuple[tuple[RGB, ...], ...]
    """By person: the first photo is fit to enrol, the others show the person again."""
    strangers: tuple[RGB, ...]
    """One photo of each further person."""


GIVEN = [pytest.param("given", marks=pytest.mark.slow)] if HAS_TEST_PHOTOS else []


@pytest.fixture(scope="module", params=["demo", *GIVEN])
def face_photos(request: pytest.FixtureRequest) -> FacePhotos:
    """The demonstration's adults, then four people of the test photos."""
    if request.param == "demo":
        again = tuple(demo_portrait(f"obama_white_house_{number}") for number in (1, 2, 3))
        others = tuple((demo_portrait(name),) for name in ("collins_nasa", "hopper_us_navy"))
        return FacePhotos((again, *others), (demo_portrait("biden_white_house"),))
    faces = SHARED / "data" / "faces"
    folders = sorted((faces / "people").iterdir())[1::80]
    return FacePhotos(
        tuple(tuple(read_photo(path) for path in sorted(f.iterdir())[:3]) for f in folders),
        tuple(read_photo(path) for path in sorted((faces / "strangers").iterdir())[::160]),
    )


def demo_portrait(name: str) -> RGB:
    """Return a photo of the demonstration, cut to 250 x 250 pixels like the others."""
    with Image.open(DEMO_PHOTOS / f"{name}.jpg") as image:
        return np.asarray(ImageOps.fit(image.convert("RGB"), (250, 250), centering=(0.5, 0.2)))
