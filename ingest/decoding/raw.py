"""Develop camera raw files: what is judged is the sensor's whole picture, not the thumbnail in it.

LibRaw (through rawpy) develops with fixed settings, so the same bytes give the same pixels: what
is published is checked against what was judged.
"""

from __future__ import annotations

import io

import numpy as np
import rawpy
from numpy.typing import NDArray


class RawDecodeError(Exception):
    """LibRaw does not know this camera, or the file is damaged."""


def raw_size(data: bytes) -> tuple[int, int]:
    """Width and height of the developed picture, before anything is decoded.

    Raises RawDecodeError.
    """
    try:
        with rawpy.imread(io.BytesIO(data)) as raw:
            return raw.sizes.iwidth, raw.sizes.iheight
    except rawpy.LibRawError as error:
        raise RawDecodeError from error


def develop(data: bytes) -> NDArray[np.uint8]:
    """The picture as the camera's white balance shows it, upright.

    Shape (height, width, 3), dtype uint8, colour order RGB, sRGB. Raises RawDecodeError.
    """
    try:
        with rawpy.imread(io.BytesIO(data)) as raw:
            pixels = raw.postprocess(
                demosaic_algorithm=rawpy.DemosaicAlgorithm.AHD,
                use_camera_wb=True,
                output_color=rawpy.ColorSpace.sRGB,
                output_bps=8,
            )
    except rawpy.LibRawError as error:
        raise RawDecodeError from error
    return np.ascontiguousarray(pixels, dtype=np.uint8)
