"""Develop camera raw files from the whole sensor picture, not from the embedded thumbnail.

LibRaw (through rawpy) uses fixed settings, so that the same bytes give the same pixels. Before a
picture is published, its pixels are compared with the digest of the judged pixels.
"""

from __future__ import annotations

import io

import numpy as np
import rawpy
from numpy.typing import NDArray


class RawDecodeError(Exception):
    """LibRaw does not support this camera, or the file is damaged."""


def raw_size(data: bytes) -> tuple[int, int]:
    """Width and height of the developed picture in pixels, read without developing it.

    Raises:
        RawDecodeError: LibRaw cannot read the file.
    """
    try:
        with rawpy.imread(io.BytesIO(data)) as raw:
            return raw.sizes.iwidth, raw.sizes.iheight
    except rawpy.LibRawError as error:
        raise RawDecodeError from error


def develop(data: bytes) -> NDArray[np.uint8]:
    """Develop the picture, upright and with the camera's white balance.

    Returns:
        Shape (height, width, 3), dtype uint8, colour order RGB, sRGB.

    Raises:
        RawDecodeError: LibRaw cannot develop the file.
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
