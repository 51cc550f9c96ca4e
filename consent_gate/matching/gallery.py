"""The templates of enrolled pupils, and the scores of faces against them.

A face is compared with the average of each pupil's templates. More templates make the average more
reliable, and one poor or wrong template cannot cause a match alone. A score is 1 for the same
picture and about 0 for two strangers. ``identify`` says what a score means. Source: docs/adr/0004.

The functions use no files and no clock.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from consent_gate.errors import ModelUnavailable
from consent_gate.matching.thresholds import Thresholds

Vectors = NDArray[np.float32]
"""Shape (faces or templates, dimensions), unit-length rows."""

Scores = NDArray[np.float32]
"""Shape (faces, templates) or (faces, pupils); at most 1."""

SFACE = "sface"
DLIB = "dlib"
MODELS = (SFACE, DLIB)
"""The models of the package, of which every template has a vector."""

SCHOOL = "school"
"""A model that the school has the right to use; see ``school_model``. Its thresholds are figures of
this model alone."""

ROUNDING = 1e-5
"""Largest rounding error of a score: a float32 product of 128 terms."""


@dataclass(frozen=True, eq=False)
class Template:
    """The face vectors of one enrolment picture of one pupil, one for each model."""

    pupil: str
    """Admission number."""
    vectors: Mapping[str, Vectors]
    """By model name: one unit vector, float32, shape (dimensions,)."""
    versions: Mapping[str, str]
    """Version of the weights, by model name."""
    remembered: bool = False
    """Whether it is the face of a picture that staff named, and no portrait."""


@dataclass(frozen=True, eq=False)
class Probes:
    """The face vectors of one picture, in any order."""

    vectors: Mapping[str, Vectors]
    """By model name: unit vectors, float32, shape (faces, dimensions)."""
    versions: Mapping[str, str]
    """Version of the weights, by model name."""


@dataclass(frozen=True, eq=False)
class Gallery:
    """The templates of all enrolled pupils, stacked so that a picture needs one matrix product."""

    pupils: tuple[str, ...]
    """Admission numbers, sorted, each once."""
    owners: NDArray[np.intp]
    """Index into ``pupils`` of each template row, ascending, shape (templates,)."""
    vectors: Mapping[str, Vectors]
    """By model name: unit vectors, float32, shape (templates, dimensions)."""
    versions: Mapping[str, str]
    """Version of the weights, by model name; empty for an empty gallery."""
    remembered: NDArray[np.bool_] | None = None
    """Mask of the templates that are remembered faces of pupils who also have portraits, shape
    (templates,); None where there are none."""

    @cached_property
    def portraits(self) -> Gallery | None:
        """The gallery without remembered faces, of the same pupils; None where there are none."""
        if self.remembered is None:
            return None
        rows = ~self.remembered
        vectors = {model: found[rows] for model, found in self.vectors.items()}
        return Gallery(self.pupils, self.owners[rows], vectors, self.versions)

    @property
    def template_count(self) -> int:
        """Number of templates."""
        return len(self.owners)

    @cached_property
    def first_rows(self) -> NDArray[np.intp]:
        """Row of each pupil's first template, shape (pupils,)."""
        return np.searchsorted(self.owners, np.arange(len(self.pupils)))

    @cached_property
    def template_counts(self) -> NDArray[np.intp]:
        """Number of templates of each pupil, shape (pupils,)."""
        return np.bincount(self.owners, minlength=len(self.pupils))

    @cached_property
    def dlib_average(self) -> Vectors:
        """Mean of each pupil's dlib vectors, shape (pupils, dimensions); not unit vectors."""
        counts = self.template_counts.astype(np.float32)
        return np.asarray(np.add.reduceat(self.vectors[DLIB], self.first_rows) / counts[:, None])

    def main_average(self, thresholds: Thresholds) -> Vectors:
        """Average direction of each pupil's vectors of the main model, less the mean face.

        Unit vectors, shape (pupils, dimensions). Cached for each model and mean face.
        """
        cache, key = self._main_averages, (main_model(thresholds), thresholds.sface_centre)
        if key not in cache:
            templates = _centred(self.vectors[key[0]], thresholds)
            cache[key] = _unit(np.add.reduceat(templates, self.first_rows))
        return cache[key]

    @cached_property
    def _main_averages(self) -> dict[tuple[str, tuple[float, ...]], Vectors]:
        return {}


def gallery_of(templates: Iterable[Template]) -> Gallery:
    """Stack templates, in any order, to a gallery.

    Raises:
        ModelUnavailable: The templates come from different model versions, lack a model, or are
            not unit vectors. Until the pupils are enrolled again, no face is compared.
    """
    ordered = sorted(templates, key=lambda template: template.pupil)
    pupils = tuple(sorted({template.pupil for template in ordered}))
    if not ordered:
        return Gallery((), np.zeros(0, np.intp), {}, {})
    versions = dict(ordered[0].versions)
    forms = {model: vector.shape for model, vector in ordered[0].vectors.items()}
    if not set(MODELS) <= set(forms) or any(
        dict(t.versions) != versions or {m: v.shape for m, v in t.vectors.items()} != forms
        for t in ordered
    ):
        raise ModelUnavailable("Stored templates were made by different models.")
    index = {pupil: position for position, pupil in enumerate(pupils)}
    owners = np.array([index[template.pupil] for template in ordered], dtype=np.intp)
    vectors = {model: np.stack([t.vectors[model] for t in ordered]) for model in forms}
    for rows in vectors.values():
        if not np.allclose(np.linalg.norm(rows, axis=1), 1.0, atol=1e-3):
            raise ModelUnavailable("A stored template is damaged.")
    return Gallery(pupils, owners, vectors, versions, _remembered(ordered))


def _remembered(templates: Sequence[Template]) -> NDArray[np.bool_] | None:
    """Mask of the remembered faces of pupils who have a portrait; None where there are none."""
    with_portrait = {template.pupil for template in templates if not template.remembered}
    mask = np.array([t.remembered and t.pupil in with_portrait for t in templates], dtype=np.bool_)
    return mask if mask.any() else None


def main_model(thresholds: Thresholds) -> str:
    """The model that these thresholds are for: SFace, which dlib assists, or the school's own."""
    return SCHOOL if SCHOOL in thresholds.versions else SFACE


def models_of(thresholds: Thresholds) -> tuple[str, ...]:
    """The models whose vectors the fused score of these thresholds needs."""
    return (SCHOOL,) if SCHOOL in thresholds.versions else MODELS


def same_versions(found: Mapping[str, str], thresholds: Thresholds) -> bool:
    """Whether vectors of these versions may be compared by these thresholds."""
    return all(found.get(model) == version for model, version in thresholds.versions.items())


def sface_scores(faces: Vectors, templates: Vectors, thresholds: Thresholds) -> Scores:
    """Cosines of vectors of the main model, less the mean face, shape (faces, templates)."""
    return _centred(faces, thresholds) @ _centred(templates, thresholds).T


def fused_scores(
    faces: Mapping[str, Vectors], templates: Mapping[str, Vectors], thresholds: Thresholds
) -> Scores:
    """Weighted mean of both models' scores, shape (faces, templates); 1 for the same picture.

    With thresholds for the school's own model: the score of this model.
    """
    main = main_model(thresholds)
    sface = sface_scores(faces[main], templates[main], thresholds)
    return sface if main == SCHOOL else _fused(sface, faces[DLIB] @ templates[DLIB].T, thresholds)


def sface_by_pupil(faces: Vectors, gallery: Gallery, thresholds: Thresholds) -> Scores:
    """Cosine with the average direction of each pupil's templates, shape (faces, pupils)."""
    return _centred(faces, thresholds) @ gallery.main_average(thresholds).T


def fused_by_pupil(
    faces: Mapping[str, Vectors], gallery: Gallery, thresholds: Thresholds
) -> Scores:
    """Weighted mean of both models' scores, shape (faces, pupils).

    The dlib score is the mean of the scores with each template of the pupil. The cosine with their
    average direction would be too high for everybody, because averaging strengthens what all dlib
    vectors have in common. With thresholds for the school's own model: the score of this model.
    """
    main = main_model(thresholds)
    sface = sface_by_pupil(faces[main], gallery, thresholds)
    return (
        sface if main == SCHOOL else _fused(sface, faces[DLIB] @ gallery.dlib_average.T, thresholds)
    )


def _fused(sface: Scores, dlib: Scores, thresholds: Thresholds) -> Scores:
    """``dlib`` has cosines; they are scaled so that the mean of two strangers becomes 0."""
    offset, weight = thresholds.dlib_offset, thresholds.dlib_weight
    return np.asarray((1 - weight) * sface + weight * (dlib - offset) / (1 - offset), np.float32)


def _centred(vectors: Vectors, thresholds: Thresholds) -> Vectors:
    """Vectors of the main model after the mean face is subtracted, as unit vectors."""
    if not thresholds.sface_centre:
        return _unit(vectors)
    return _unit(vectors - np.array(thresholds.sface_centre, dtype=np.float32))


def _unit(vectors: Vectors) -> Vectors:
    """The rows as unit vectors; NaN for a row of zeros."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.float32)
