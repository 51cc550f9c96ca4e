"""Detectors that were measured beside the product's and are not in it."""

from benchmarks.faces.detectors.hog import Hog
from benchmarks.faces.detectors.retinaface import RetinaFace

__all__ = ["Hog", "RetinaFace"]
