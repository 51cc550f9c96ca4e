"""Where in a picture a face may be, whichever way it is rotated.

CenterFace knows upright faces, but its inner layers also respond to the parts of a face that lies
or hangs upside down. A small network on two of these layers gives the log-odds, for each cell of
8 x 8 pixels, that the centre of a face lies there. Where these are low, the picture need not be
searched at other angles. The weights were fitted on half of the test photos by
``python -m benchmarks.coverage.fit_face_map``; see docs/adr/0003.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import cv2
import numpy as np
import onnx
from numpy.typing import NDArray
from onnx.helper import make_node, make_tensor_value_info
from onnx.numpy_helper import from_array

from ingest.faces.mask_cover import Mask
from ingest.faces.protocols import RGB, Detection
from ingest.faces.rotated_tiles import FINE
from ingest.faces.weights import own_arrays

CELL = 8
"""Pixels a side to one cell of a map."""
REACH = 56
"""Pixels around a marked cell that are searched: half of a face of 96 px, which is the overlap of
two tiles, and 8 px beside it."""
LAYER, COARSE_LAYER = "413_DequantizeLinear_Output", "474_DequantizeLinear_Output"
"""Layers of the 8-bit CenterFace: 32 channels on a grid of 8 px, 96 channels on one of 16 px."""
OUTPUT = "face_map"
"""Name of the network's output."""
WEIGHTS = Path(__file__).parent / "models" / "face_map.npz"
SHA256 = "5137c60267e326b7b739157dea90ecea09cdbcbc5ac2b235ab71686d01c00ab0"

LogOdds = NDArray[np.float32]
"""Shape (rows, columns), one value for each cell of 8 x 8 pixels."""


class MappingDetector(Protocol):
    """A detector that also says where faces at other angles may be."""

    def detect_and_map(self, rgb: RGB) -> tuple[list[Detection], LogOdds]:
        """The boxes in ``rgb`` (height, width, 3; uint8; RGB), and its map."""
        ...


@dataclass(frozen=True, eq=False)
class MappedTile:
    """The map of one tile of a picture."""

    left: int
    top: int
    """Corner of the tile in pixels of the picture; multiples of ``CELL``."""
    log_odds: LogOdds


def marked_places(size: tuple[int, int], tiles: Iterable[MappedTile], min_log_odds: float) -> Mask:
    """Where faces may be at any angle: one value for each 4 x 4 pixels, as in ``corner_mask``.

    Args:
        size: Height and width of the picture in pixels.
        tiles: The maps of its tiles. What no tile shows is not marked.
        min_log_odds: The value from which a cell is marked, with ``REACH`` around it.
    """
    rows, columns = (-(-side // CELL) for side in size)
    marked = np.zeros((rows, columns), np.uint8)
    for tile in tiles:
        top, left = tile.top // CELL, tile.left // CELL
        place = marked[top : top + tile.log_odds.shape[0], left : left + tile.log_odds.shape[1]]
        # A value that is no number marks its cell.
        place |= ~(tile.log_odds[: place.shape[0], : place.shape[1]] < min_log_odds)
    side = 2 * (REACH // CELL) + 1
    around = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    wide = np.asarray(cv2.dilate(marked, around), np.uint8)
    fine = wide.repeat(CELL // FINE, axis=0).repeat(CELL // FINE, axis=1)
    return fine[: -(-size[0] // FINE), : -(-size[1] // FINE)]


def with_face_map(model: bytes) -> bytes:
    """The 8-bit CenterFace with the map as a further output, shape (any, 1, rows, columns).

    Raises:
        ModelUnavailable: The weights of the map are missing or not those that were measured.
    """
    weights = own_arrays(WEIGHTS, SHA256)
    network = onnx.load_model_from_string(model)
    graph = network.graph
    graph.initializer.extend(
        from_array(np.asarray(array, np.float32), f"{OUTPUT}_{name}")
        for name, array in weights.items()
    )
    graph.initializer.append(from_array(np.array([1, 1, 2, 2], np.float32), f"{OUTPUT}_scales"))
    names = ("fine", "coarse", "bias", "output", "output_bias", "scales")
    fine, coarse, bias, output, output_bias, scales = (f"{OUTPUT}_{name}" for name in names)
    near, far, wide, units, rectified = (f"{OUTPUT}_{step}" for step in ("1", "2", "3", "4", "5"))
    around: dict[str, Any] = {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1]}
    to_cells: dict[str, Any] = {
        "mode": "nearest",
        "coordinate_transformation_mode": "asymmetric",
        "nearest_mode": "floor",
    }
    graph.node.extend(
        [
            make_node("Conv", [LAYER, fine, bias], [near], **around),
            make_node("Conv", [COARSE_LAYER, coarse], [far], **around),
            make_node("Resize", [far, "", scales], [wide], **to_cells),
            make_node("Add", [near, wide], [units]),
            make_node("Relu", [units], [rectified]),
            make_node("Conv", [rectified, output, output_bias], [OUTPUT], kernel_shape=[1, 1]),
        ]
    )
    graph.output.append(make_tensor_value_info(OUTPUT, onnx.TensorProto.FLOAT, None))
    return bytes(network.SerializeToString())
