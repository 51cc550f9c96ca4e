"""Measure the test photos in faces/ with the product's models, and assign each to a half.

The results are cached in a folder outside the repository. The cache key is a digest of the code
that finds, aligns and embeds faces, and of the weights' digests in it, so that a change of these
measures again.
"""

from __future__ import annotations

import csv
import hashlib
import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from rich.progress import track

from benchmarks.faces.crowd import is_for_report
from consent_gate.matching.gallery import DLIB, SFACE
from consent_gate.matching.shipped_thresholds import shipped_thresholds
from consent_gate.matching.thresholds import QualityThresholds, Thresholds
from consent_gate.model import FaceKind, Quality
from ingest.faces import align, analyser, enrolment_face, finder, landmark_refinement
from ingest.faces.embedders import dlib_resnet, sface
from ingest.faces.finder_settings import PORTRAIT
from ingest.faces.protocols import RGB, FoundFace
from ingest.faces.quality import measure

REPOSITORY = Path(__file__).resolve().parents[2]
FACE_HEIGHT = 135
"""Median height in pixels of the detected face in these 250x250 pictures; base for ``SIZES``."""

UNALTERED = "as it is"
SIZES = {f"{height} px": height for height in (24, 32, 48, 64, 96)}
BLURS = {"blur 2 %": 0.02, "blur 4 %": 0.04}
"""Sigma of the Gaussian blur as a share of the face's height."""
LIGHTS = {"light 1/10": 0.1, "light 1/25": 0.04}
AS_PORTRAIT = "as a portrait"
"""The unaltered picture, measured as an enrolment photo."""


@dataclass(frozen=True)
class Sample:
    """One picture of one person."""

    path: Path
    person: str
    member: bool
    """The person has several pictures, for enrolment and for a test; otherwise a stranger."""
    fit: bool
    """Belongs to the half on which thresholds are fitted."""


@dataclass(frozen=True, eq=False)
class Measured:
    """One picture's most central face, or the one face of a portrait."""

    sample: Sample
    condition: str
    vectors: dict[str, NDArray[np.float32]] | None
    """By model. None if no face was found, if the detectors disagree whether it is a face, or if
    the product refuses the portrait."""
    quality: Quality | None
    """None if ``vectors`` is None."""
    possible: bool = False
    """The detectors disagree whether it is a face; the product holds such a picture."""


def shared_data() -> Path:
    """The folder of the test photos. Raises SystemExit if it is missing."""
    root = Path(os.environ.get("CONSENT_GATE_SHARED", REPOSITORY.parent / "shared")) / "data"
    if not (root / "faces").is_dir():
        raise SystemExit(f"The test photos are not in {root}. Set CONSENT_GATE_SHARED.")
    return root


def samples(root: Path) -> list[Sample]:
    """All pictures, with the half that each belongs to.

    People who appear as pupils of the made-up school belong to the report half. All other members
    belong to the fit half. Strangers are assigned by the parity of the SHA-256 of their name.
    """
    with (root / "school" / "people.csv").open(encoding="utf-8-sig") as lines:
        pupils = {row["person"] for row in csv.DictReader(lines)}
    members = [
        Sample(path, path.parent.name, member=True, fit=path.parent.name not in pupils)
        for path in sorted((root / "faces" / "people").glob("*/*.jpg"))
    ]
    strangers = [
        Sample(path, name, member=False, fit=not is_for_report(name))
        for path in sorted((root / "faces" / "strangers").glob("*.jpg"))
        for name in [path.stem.rpartition("_")[0]]
    ]
    return members + strangers


def measured(chosen: Iterable[Sample], condition: str = UNALTERED) -> list[Measured]:
    """Measure every sample after altering the picture as ``condition`` says; uses the cache."""
    todo = list(chosen)
    folder = Path(tempfile.gettempdir()) / "consent-gate-benchmark" / _code_version()
    folder.mkdir(parents=True, exist_ok=True)
    models = None
    results = []
    for sample in track(todo, description=condition):
        kept = folder / f"{sample.path.stem}.{condition.replace('/', '_').replace(' ', '_')}.npz"
        if not kept.exists():
            models = models or _Models()
            _write(kept, models.measure(sample.path, condition))
        results.append(_read(kept, sample, condition))
    return results


def picture(path: Path) -> RGB:
    """The file as upright RGB."""
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"))


def altered(rgb: RGB, condition: str) -> RGB:
    """The picture made smaller, blurred or darker."""
    if condition in SIZES:
        factor = SIZES[condition] / FACE_HEIGHT
        return _array(cv2.resize(rgb, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA))
    if condition in BLURS:
        return _array(cv2.GaussianBlur(rgb, (0, 0), BLURS[condition] * FACE_HEIGHT))
    if condition in LIGHTS:
        return _array(np.rint(rgb * LIGHTS[condition]))
    return rgb


@dataclass(frozen=True, eq=False)
class _CachedMeasurement:
    vectors: Mapping[str, NDArray[np.float32]] | None = None
    quality: Quality | None = None
    possible: bool = False


class _Models:
    """The product's face finder and embedders, loaded once."""

    def __init__(self) -> None:
        self._finder = finder.default_finder()
        self._sface = sface.SFaceEmbedder()
        self._dlib = dlib_resnet.DlibEmbedder()
        self._refiner = landmark_refinement.LandmarkRefiner()
        self._analyser = analyser.FaceAnalyser(
            self._finder,
            self._sface,
            self._dlib,
            no_floors(),
            portraits=self._finder.with_settings(PORTRAIT),
        )

    def measure(self, path: Path, condition: str) -> _CachedMeasurement:
        rgb = altered(picture(path), condition)
        if condition == AS_PORTRAIT:
            answer = self._analyser.enrol(rgb)
            if isinstance(answer, enrolment_face.NotEnrollable):
                return _CachedMeasurement()
            return _CachedMeasurement(answer.vectors, answer.quality)
        faces = self._finder.find(rgb)
        if not faces:
            return _CachedMeasurement()
        face = min(faces, key=lambda face: _off_centre(rgb, face))
        if face.kind is FaceKind.POSSIBLE:
            return _CachedMeasurement(possible=True)
        face = self._refiner.refine(rgb, face)
        crop = align.aligned_crop(rgb, face.landmarks)
        first = self._sface.embed_crop(crop)
        vectors = {SFACE: first.vector, DLIB: self._dlib.embed(rgb, [face])[0]}
        return _CachedMeasurement(vectors, measure(face, crop, first.mirror_agreement))


def no_floors() -> Thresholds:
    """Thresholds that refuse no portrait, so that a fit does not depend on an earlier fit."""
    nothing = QualityThresholds(0, 0.0, float("inf"), 0.0, 0.0, 0.0)
    return replace(shipped_thresholds(), floors=nothing)


def _off_centre(rgb: RGB, face: FoundFace) -> float:
    box = face.box
    middle = np.array([box.x + box.width / 2, box.y + box.height / 2])
    return float(np.linalg.norm(middle - np.array(rgb.shape[1::-1]) / 2))


def _array(image: NDArray[np.generic]) -> RGB:
    return np.ascontiguousarray(image.astype(np.uint8))


def _write(path: Path, seen: _CachedMeasurement) -> None:
    """Write the file atomically, so that an interrupted run leaves no partial file."""
    partial = path.with_suffix(".part")
    with partial.open("wb") as out:
        if seen.vectors is None or seen.quality is None:
            np.savez(out, possible=seen.possible)
        else:
            figures = np.array(list(vars(seen.quality).values()))
            np.savez(out, quality=figures, sface=seen.vectors[SFACE], dlib=seen.vectors[DLIB])
    partial.replace(path)


def _read(path: Path, sample: Sample, condition: str) -> Measured:
    with np.load(path) as kept:
        if "quality" not in kept:
            return Measured(sample, condition, None, None, bool(kept["possible"]))
        height, *rest = kept["quality"].tolist()
        quality = Quality(int(height), *rest)
        return Measured(sample, condition, {SFACE: kept[SFACE], DLIB: kept[DLIB]}, quality)


def _code_version() -> str:
    """Digest of all code between the pixels and the vectors."""
    digest = hashlib.sha256()
    for path in _sources():
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def _sources() -> Iterator[Path]:
    for path in sorted(Path(align.__file__).parent.rglob("*.py")):
        if path.name not in ("protocols.py", "detectability.py"):
            yield path
