"""Detectors that are measured for comparison and are not in the product."""

from benchmarks.faces.detectors.hog import Hog
from benchmarks.faces.detectors.retinaface import RetinaFace

__all__ = ["Hog", "RetinaFace"]
