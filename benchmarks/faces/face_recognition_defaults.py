"""Run ``face_recognition`` with its defaults: HOG detector, one upsampling, tolerance 0.6."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.progress import track

from benchmarks.faces.embeddings import UNALTERED, Sample, altered, picture
from benchmarks.faces.meetings import NO_FACE, RIGHT, UNKNOWN, WRONG
from ingest.faces.embedders.face_recognition_import import import_face_recognition

TOLERANCE = 0.6
"""The default of ``face_recognition.compare_faces``."""


class Defaults:
    """``face_recognition`` with these enrolled pictures."""

    def __init__(self, enrolled: Sequence[Sample]) -> None:
        """Enrol the most central face of each picture; skip pictures in which HOG finds none."""
        found = zip(enrolled, encodings(enrolled, UNALTERED), strict=True)
        kept = [(sample.person, vector) for sample, vector in found if vector is not None]
        self._owners = np.array([person for person, _ in kept])
        self._gallery = np.stack([vector for _, vector in kept])

    def judge(self, chosen: Sequence[Sample], condition: str = UNALTERED) -> list[str]:
        """The outcome for each picture's central face: the nearest person within the tolerance."""
        answers = []
        for sample, vector in zip(chosen, encodings(chosen, condition), strict=True):
            if vector is None:
                answers.append(NO_FACE)
                continue
            distances = np.linalg.norm(self._gallery - vector, axis=1)
            best = int(distances.argmin())
            if distances[best] > TOLERANCE:
                answers.append(UNKNOWN)
            else:
                answers.append(RIGHT if self._owners[best] == sample.person else WRONG)
        return answers

    def distances(
        self, chosen: Sequence[Sample]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Distances to the own and to the nearest other person, of pictures with a face found."""
        found = zip(chosen, encodings(chosen, UNALTERED), strict=True)
        seen = [(sample.person, vector) for sample, vector in found if vector is not None]
        vectors = np.stack([vector for _, vector in seen])
        apart = np.linalg.norm(vectors[:, None] - self._gallery[None], axis=2)
        same = np.array([person for person, _ in seen])[:, None] == self._owners[None]
        return np.where(same, apart, np.inf).min(axis=1), np.where(same, np.inf, apart).min(axis=1)


def encodings(chosen: Iterable[Sample], condition: str) -> list[NDArray[np.float64] | None]:
    """Encoding of the most central face of each picture, shape (128,); None if HOG finds none."""
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


def _encode(path: Path, condition: str) -> NDArray[np.float64]:
    face_recognition = import_face_recognition()
    rgb = altered(picture(path), condition)
    boxes = face_recognition.face_locations(rgb)
    if not boxes:
        return np.zeros(0)
    middle = np.array(rgb.shape[:2]) / 2
    box = min(boxes, key=lambda b: np.hypot(*(np.array([b[0] + b[2], b[1] + b[3]]) / 2 - middle)))
    return np.asarray(face_recognition.face_encodings(rgb, [box])[0])
