"""Embed faces with SFace, the main model (Zhong et al. 2021; Apache-2.0; OpenCV zoo int8)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ingest.faces.align import aligned_crop
from ingest.faces.detectors.onnx import session, with_dynamic_shape
from ingest.faces.protocols import RGB, FoundFace
from ingest.faces.weights import SFACE, locate


@dataclass(frozen=True, eq=False)
class MirrorEmbedding:
    """The SFace embedding of one face, averaged over the crop and its mirror image."""

    vector: NDArray[np.float32]
    """Unit length, shape (128,). NaN when the network gave nothing usable."""
    mirror_agreement: float
    """Cosine of the embeddings of the crop and of its mirror: low for poor pictures."""


class SFaceEmbedder:
    """Gives 128 numbers a face; a face and its mirror image take about 20 ms on one core.

    With two templates and one stranger in a thousand accepted, averaging with the mirror image
    raises the share of members cleared from 94.9 to 96.1 % (LFW, 2026-11-22, docs/adr/0004).
    """

    name = "sface"
    version = SFACE.sha256[:12]
    dimensions = 128

    def __init__(self) -> None:
        """Load the verified weights.

        Raises:
            ModelUnavailable: The weight file is missing or is not the one that was measured.
        """
        self._session = session(with_dynamic_shape(locate(SFACE).read_bytes(), "data"))

    def embed(self, rgb: RGB, faces: Sequence[FoundFace]) -> NDArray[np.float32]:
        """One unit-length row per face, shape (len(faces), 128); NaN where it failed."""
        rows = [self.embed_crop(aligned_crop(rgb, face.landmarks)).vector for face in faces]
        return np.array(rows, dtype=np.float32).reshape(len(faces), self.dimensions)

    def embed_crop(self, crop: RGB) -> MirrorEmbedding:
        """Embed one aligned crop, shape (112, 112, 3), dtype uint8, RGB, and its mirror image."""
        both = np.stack([crop, crop[:, ::-1]]).transpose(0, 3, 1, 2).astype(np.float32)
        straight, mirrored = (_unit(row) for row in self._session.run(None, {"data": both})[0])
        agreement = float(straight @ mirrored)
        return MirrorEmbedding(_unit(straight + mirrored), agreement)


def _unit(vector: NDArray[np.float32]) -> NDArray[np.float32]:
    """The vector scaled to length one; NaN for a zero vector, so that it never matches."""
    length = float(np.linalg.norm(vector))
    if not np.isfinite(length) or length < 1e-6:
        return np.full_like(vector, np.nan)
    return (vector / length).astype(np.float32)
