"""Several frames in one file: a film, or one picture said more than once."""

from __future__ import annotations

import numpy as np
from PIL import Image


def stands_still(image: Image.Image, most_pixels: int) -> bool:
    """Whether every frame of an opened file shows exactly the same; then it is left at the first.

    ``most_pixels``: of all frames together that may be decoded to find out; with more the answer is
    no. Raises what Pillow raises for a damaged frame.
    """
    frames = getattr(image, "n_frames", 1)
    if frames * image.width * image.height > most_pixels:
        return False
    first = np.asarray(image.convert("RGBA"))
    for number in range(1, frames):
        image.seek(number)
        if not np.array_equal(np.asarray(image.convert("RGBA")), first):
            return False
    image.seek(0)
    return True
