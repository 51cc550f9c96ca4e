"""``face_recognition`` as its own documentation has it used: HOG, one upsampling, tolerance 0.6.

Imported here only: the import makes Pillow accept truncated files for the whole process.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.progress import track

from benchmarks.faces.embeddings import Sample, altered, picture

TOLERANCE = 0.6
"""The default of ``face_recognition.compare_faces``."""


def encodings(chosen: Iterable[Sample], condition: str) -> list[NDArray[np.float64] | None]:
    """The most central face of each picture, shape (128,); None where HOG finds none."""
    folder = Path(tempfile.gettempdir()) / "consent-gate-benchmark" / "face_recognition"
    folder.mkdir(parents=True, exist_ok=True)
    results = []
    for sample in track(list(chosen), description=f"face_recognition, {condition}"):
        kept = folder / f"{sample.path.stem}.{condition.replace('/', '_').replace(' ', '_')}.npy"
        if not kept.exists():
            partial = kept.with_suffix(".part")
            with partial.open("wb") as out:
                np.save(out, _encode(sample.path, condition))
            partial.replace(kept)
        vector = np.load(kept)
        results.append(vector if vector.size else None)
    return results


def nearest(
    gallery: NDArray[np.float64], owners: list[str], probe: NDArray[np.float64] | None
) -> str | None:
    """Whose face it is by the defaults: the nearest within the tolerance, if any."""
    if probe is None or not len(gallery):
        return None
    distances = np.linalg.norm(gallery - probe, axis=1)
    best = int(distances.argmin())
    return owners[best] if distances[best] <= TOLERANCE else None


def _encode(path: Path, condition: str) -> NDArray[np.float64]:
    import face_recognition

    rgb = altered(picture(path), condition)
    boxes = face_recognition.face_locations(rgb)
    if not boxes:
        return np.zeros(0)
    middle = np.array(rgb.shape[:2]) / 2
    box = min(boxes, key=lambda b: np.hypot(*(np.array([b[0] + b[2], b[1] + b[3]]) / 2 - middle)))
    return np.asarray(face_recognition.face_encodings(rgb, [box])[0])
