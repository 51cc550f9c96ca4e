"""Find where a picture of a film has changed since it was searched."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from ingest.faces.mask_cover import Mask
from ingest.faces.rotated_tiles import FINE

MIN_CHANGE = 4
"""Grey levels by which 4 x 4 pixels of a view differ where the picture has changed."""

Grey = NDArray[np.uint8]
"""A view in grey, one value for 4 x 4 pixels."""


def changed(grey: Grey, searched: Grey, reach: int) -> Mask:
    """Where a view differs from what was searched, and ``reach`` pixels around."""
    return around(cv2.absdiff(grey, searched) >= MIN_CHANGE, reach)


def around(differs: NDArray[np.bool_], reach: int) -> Mask:
    """The places that differ, and ``reach`` pixels around."""
    side = 2 * (reach // FINE) + 1
    square = cv2.getStructuringElement(cv2.MORPH_RECT, (side, side))
    return np.asarray(cv2.dilate(differs.astype(np.uint8), square), np.uint8)
