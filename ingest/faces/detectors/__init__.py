"""The face detectors. Each searches one image at one size; the finder does the rest."""

from ingest.faces.detectors.centerface import CenterFace
from ingest.faces.detectors.yunet import YuNet

__all__ = ["CenterFace", "YuNet"]
