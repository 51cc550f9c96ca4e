"""The face detectors, one file each. They know one image at one size; the finder does the rest."""

from ingest.faces.detectors.centerface import CenterFace
from ingest.faces.detectors.hog import Hog
from ingest.faces.detectors.retinaface import RetinaFace
from ingest.faces.detectors.yunet import YuNet

__all__ = ["CenterFace", "Hog", "RetinaFace", "YuNet"]
