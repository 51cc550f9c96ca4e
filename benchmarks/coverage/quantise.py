"""Makes the int8 CenterFace for turned views: ``python -m benchmarks.coverage.quantise``.

Weights are rounded to 7 bits for each channel, and activations to 8 bits. Their ranges come from
the fit half of the crowd pictures. Weights have 7 bits because processors without VNNI add two
products in 16 bits, which would overflow with 8. The four heads stay in float. The product contains
the file, and this program prints its SHA-256.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import cv2
import numpy as np
import onnx
from numpy.typing import NDArray
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process
from PIL import Image

from benchmarks.data import SHARED
from benchmarks.faces.crowd import is_for_report
from ingest.faces.detectors.onnx import with_dynamic_shape
from ingest.faces.weights import CENTERFACE, locate

TARGET = Path(__file__).parents[2] / "ingest" / "faces" / "models" / "centerface_int8.onnx"
INPUT = "input.1"
SIDE = 256


class CrowdPictures(CalibrationDataReader):  # type: ignore[misc]  # onnxruntime has no types
    """Crops of the fit half's crowd pictures, upright and upside down, as input of the network."""

    def __init__(self) -> None:
        self._blobs = _blobs()

    def get_next(self) -> dict[str, NDArray[np.float32]] | None:
        """The next picture, by the name of the input; None after the last."""
        blob = next(self._blobs, None)
        return None if blob is None else {INPUT: blob}


def _blobs() -> Iterator[NDArray[np.float32]]:
    for path in sorted((SHARED / "groups" / "images").iterdir()):
        if is_for_report(path.name):
            continue
        with Image.open(path) as picture:
            rgb = np.asarray(picture.convert("RGB"))[:SIDE, :SIDE]
        below, right = SIDE - rgb.shape[0], SIDE - rgb.shape[1]
        rgb = cv2.copyMakeBorder(rgb, 0, below, 0, right, cv2.BORDER_REFLECT)
        for quarters in range(0, 4, 2):
            turned = np.ascontiguousarray(np.rot90(rgb, quarters))
            yield np.asarray(cv2.dnn.blobFromImage(turned), np.float32)


def main() -> None:
    """Write the model and print its path, size and SHA-256."""
    with TemporaryDirectory() as folder:
        plain, prepared = Path(folder) / "plain.onnx", Path(folder) / "prepared.onnx"
        plain.write_bytes(with_dynamic_shape(locate(CENTERFACE).read_bytes(), INPUT))
        quant_pre_process(str(plain), str(prepared), skip_symbolic_shape=True)
        model = onnx.load(str(prepared))
        # Per-channel scales need opset 13, which left the five operators in use as they were.
        model.opset_import[0].version, model.ir_version = 13, 8
        for index, node in enumerate(model.graph.node):
            node.name = f"{node.op_type}_{index}"
        outputs = {output.name for output in model.graph.output}
        heads = [node.name for node in model.graph.node if set(node.output) & outputs]
        onnx.save(model, str(prepared))
        TARGET.parent.mkdir(exist_ok=True)
        quantize_static(
            str(prepared),
            str(TARGET),
            CrowdPictures(),
            quant_format=QuantFormat.QDQ,
            per_channel=True,
            reduce_range=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            nodes_to_exclude=heads,
        )
    print(TARGET, TARGET.stat().st_size, hashlib.sha256(TARGET.read_bytes()).hexdigest())


if __name__ == "__main__":
    main()
