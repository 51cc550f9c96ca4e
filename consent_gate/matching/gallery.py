"""Whose face is it? Comparing faces in a picture with the templates of enrolled pupils.

The rules, in order:

1. Vectors of another model version are never compared: the face is not judged.
2. A vector that isn't finite is not judged. It never matches and is never "unknown".
3. A face is matched only when its score reaches the threshold for a gallery of this size
   (see ``thresholds``), and no other pupil's score comes within the margin.
4. Over the threshold, but with another pupil within the margin: ambiguous, naming them.
5. Anything else is unknown. Nobody is the nearest by default.

A pupil is compared as one: as the average of the pupil's templates, the more of which there are the
surer, and one poor or wrong one among them never speaks alone. A face so has one chance a pupil to
be mistaken, however many pictures were enrolled. A score is 1 for the same picture and about 0 for
two strangers; the distance reported is 1 - score. The margin cannot see a sibling who isn't
enrolled: that is the policy's work (``sibling_guard``). Source: docs/adr/0004.

No files, no clock, no pictures: arrays in, identities out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from consent_gate.errors import ModelUnavailable
from consent_gate.matching.thresholds import Thresholds
from consent_gate.model import Ambiguous, Identity, Match, NotMatched, Reason, Unknown

Vectors = NDArray[np.float32]
"""Shape (faces or templates, dimensions), unit-length rows."""

Scores = NDArray[np.float32]
"""Shape (faces, templates) or (faces, pupils); at most 1."""

SFACE = "sface"
DLIB = "dlib"
MODELS = (SFACE, DLIB)

ROUNDING = 1e-5
"""Scores are 32-bit; this much may be lost in a product of 128 terms."""

BLOCK = 256
"""Templates compared with the rest at a time when lookalikes are sought: memory grows with the
gallery, not with its square (measured by benchmarks/gallery_growth.py)."""

LOOKALIKE_RATE = 0.01
"""Two pupils are called lookalikes from the score at which one unknown face in a hundred would
be taken for somebody: ten times looser than the promise, so that the list comes before the
mistake."""


@dataclass(frozen=True, eq=False)
class Template:
    """One enrolment picture of one pupil, as every model sees it."""

    pupil: str
    """Admission number."""
    vectors: Mapping[str, Vectors]
    """By model name: one unit vector, shape (dimensions,)."""
    versions: Mapping[str, str]
    """By model name."""


@dataclass(frozen=True, eq=False)
class Probes:
    """The faces of one picture, in any order."""

    vectors: Mapping[str, Vectors]
    """By model name, shape (faces, dimensions)."""
    versions: Mapping[str, str]


@dataclass(frozen=True, eq=False)
class Gallery:
    """All templates of the enrolled pupils, stacked for one matrix product a picture."""

    pupils: tuple[str, ...]
    """Sorted, each once."""
    owners: NDArray[np.intp]
    """For each template row the index of its pupil; ascending."""
    vectors: Mapping[str, Vectors]
    """By model name, shape (templates, dimensions)."""
    versions: Mapping[str, str]
    """By model name; empty for an empty gallery."""

    @property
    def templates(self) -> int:
        """How many templates there are."""
        return len(self.owners)

    @cached_property
    def starts(self) -> NDArray[np.intp]:
        """Row of each pupil's first template."""
        return np.searchsorted(self.owners, np.arange(len(self.pupils)))

    @cached_property
    def dlib_average(self) -> Vectors:
        """Mean of each pupil's dlib vectors, shape (pupils, dimensions): not of length one."""
        counts = np.bincount(self.owners).astype(np.float32)
        return np.asarray(np.add.reduceat(self.vectors[DLIB], self.starts) / counts[:, None])

    def sface_average(self, thresholds: Thresholds) -> Vectors:
        """Average direction of each pupil's SFace vectors without the mean face, shape (pupils,
        dimensions). Worked out once for each mean face, and kept no longer than the gallery."""
        kept, centre = self._sface_averages, thresholds.sface_centre
        if centre not in kept:
            templates = _centred(self.vectors[SFACE], thresholds)
            kept[centre] = _unit(np.add.reduceat(templates, self.starts))
        return kept[centre]

    @cached_property
    def _sface_averages(self) -> dict[tuple[float, ...], Vectors]:
        return {}


def gallery_of(templates: Iterable[Template]) -> Gallery:
    """Stack templates. Their order makes no difference.

    Raises ModelUnavailable when templates come from different model versions, lack a model, or
    aren't unit vectors: pupils must be enrolled again, and until then nothing is compared.
    """
    ordered = sorted(templates, key=lambda template: template.pupil)
    pupils = tuple(sorted({template.pupil for template in ordered}))
    if not ordered:
        return Gallery((), np.zeros(0, np.intp), {}, {})
    versions = dict(ordered[0].versions)
    if any(dict(t.versions) != versions or set(t.vectors) != set(MODELS) for t in ordered):
        raise ModelUnavailable("Stored templates were made by different models.")
    index = {pupil: position for position, pupil in enumerate(pupils)}
    owners = np.array([index[template.pupil] for template in ordered], dtype=np.intp)
    vectors = {model: np.stack([t.vectors[model] for t in ordered]) for model in MODELS}
    for rows in vectors.values():
        if not np.allclose(np.linalg.norm(rows, axis=1), 1.0, atol=1e-3):
            raise ModelUnavailable("A stored template is damaged.")
    return Gallery(pupils, owners, vectors, versions)


def first_opinion(
    gallery: Gallery, probes: Probes, thresholds: Thresholds
) -> list[Identity | None]:
    """What SFace alone settles, face by face; None where dlib's opinion could change it.

    A face so far from every pupil that even a perfect second opinion couldn't lift it is unknown
    at once. A face well above, with nobody near, is matched at once: for this
    ``Thresholds.accept_sface`` spends its own part of the promised rate.
    """
    faces = probes.vectors[SFACE]
    refusal = _refusal(gallery, probes, thresholds, (SFACE,))
    if refusal or not gallery.pupils:
        return [refusal or Unknown()] * len(faces)
    accept = thresholds.accept_sface(len(gallery.pupils))
    hopeless = thresholds.hopeless_sface(len(gallery.pupils)) - ROUNDING
    by_pupil = sface_by_pupil(faces, gallery, thresholds)
    answers: list[Identity | None] = []
    for row in by_pupil:
        if not np.isfinite(row).all():
            answers.append(_NOT_FINITE)
        elif row.max() < hopeless:
            answers.append(Unknown())
        else:
            settled = _identify(gallery, row, accept, thresholds.margin)
            answers.append(settled if isinstance(settled, Match) else None)
    return answers


def match(gallery: Gallery, probes: Probes, thresholds: Thresholds) -> list[Identity]:
    """Who each face is, by the fused score of both models; one identity per row of probes."""
    count = len(probes.vectors[SFACE])
    refusal = _refusal(gallery, probes, thresholds, MODELS)
    if refusal or not gallery.pupils:
        return [refusal or Unknown()] * count
    accept = thresholds.accept_fused(len(gallery.pupils))
    return [
        _identify(gallery, row, accept, thresholds.margin)
        if np.isfinite(row).all()
        else _NOT_FINITE
        for row in fused_by_pupil(probes.vectors, gallery, thresholds)
    ]


def lookalikes(gallery: Gallery, thresholds: Thresholds) -> list[tuple[str, str]]:
    """Pairs of enrolled pupils whom the models confuse, each pair once, in order.

    Any template of the one and any of the other: what two pupils look like now and then counts.
    Empty when the thresholds are for other models than the templates: nothing matches then.
    """
    if not gallery.pupils or gallery.versions != thresholds.versions:
        return []
    alike = thresholds.fused_tail.score_at(LOOKALIKE_RATE / len(gallery.pupils))
    pairs: set[tuple[int, int]] = set()
    for start in range(0, gallery.templates, BLOCK):
        pairs |= _alike(gallery, thresholds, slice(start, start + BLOCK), alike)
    return [(gallery.pupils[a], gallery.pupils[b]) for a, b in sorted(pairs)]


def _alike(
    gallery: Gallery, thresholds: Thresholds, rows: slice, alike: float
) -> set[tuple[int, int]]:
    """Pairs of pupils of whom one owns these rows, the other these or later ones.

    dlib is compared only with templates to which SFace leaves a chance: exact, and half the work.
    """
    block = {model: vectors[rows] for model, vectors in gallery.vectors.items()}
    later = gallery.vectors[SFACE][rows.start :]
    chance = thresholds.least_sface(alike) - ROUNDING
    near = (sface_scores(block[SFACE], later, thresholds) >= chance).any(axis=0)
    columns = rows.start + np.nonzero(near)[0]
    others = {model: vectors[columns] for model, vectors in gallery.vectors.items()}
    found = np.argwhere(fused_scores(block, others, thresholds) >= alike)
    owners = np.stack(
        [gallery.owners[rows.start + found[:, 0]], gallery.owners[columns[found[:, 1]]]]
    )
    return {(int(a), int(b)) for a, b in np.sort(owners, axis=0).T if a != b}


def sface_scores(faces: Vectors, templates: Vectors, thresholds: Thresholds) -> Scores:
    """Cosines of SFace vectors without the mean face, shape (faces, templates)."""
    return _centred(faces, thresholds) @ _centred(templates, thresholds).T


def fused_scores(
    faces: Mapping[str, Vectors], templates: Mapping[str, Vectors], thresholds: Thresholds
) -> Scores:
    """Weighted mean of both models' scores, shape (faces, templates); 1 is the same picture."""
    sface = sface_scores(faces[SFACE], templates[SFACE], thresholds)
    return _fused(sface, faces[DLIB] @ templates[DLIB].T, thresholds)


def sface_by_pupil(faces: Vectors, gallery: Gallery, thresholds: Thresholds) -> Scores:
    """Cosine with the average direction of each pupil's templates, shape (faces, pupils)."""
    return _centred(faces, thresholds) @ gallery.sface_average(thresholds).T


def fused_by_pupil(
    faces: Mapping[str, Vectors], gallery: Gallery, thresholds: Thresholds
) -> Scores:
    """Weighted mean of both models' scores, shape (faces, pupils).

    dlib's is the mean of its scores with the pupil's templates. The cosine with their average
    direction would be higher for everybody: what all of its vectors share grows by averaging.
    """
    sface = sface_by_pupil(faces[SFACE], gallery, thresholds)
    return _fused(sface, faces[DLIB] @ gallery.dlib_average.T, thresholds)


_NOT_FINITE = NotMatched(Reason.NOT_EXAMINED, "The face could not be measured.")


def _refusal(
    gallery: Gallery, probes: Probes, thresholds: Thresholds, models: tuple[str, ...]
) -> NotMatched | None:
    """Rule 1: everything compared must come from the same models."""
    for model in models:
        versions = {probes.versions.get(model), thresholds.versions.get(model)}
        if gallery.pupils:
            versions.add(gallery.versions.get(model))
        if len(versions) != 1 or None in versions:
            return NotMatched(
                Reason.NOT_EXAMINED, "The enrolled pictures were measured by another model."
            )
    return None


def _identify(gallery: Gallery, row: NDArray[np.float32], accept: float, margin: float) -> Identity:
    """Rules 3 to 5 for one face, given its score with each pupil."""
    best = int(row.argmax())
    score = float(row[best])
    if score < accept:
        return Unknown()
    others = np.delete(row, best)
    gap = score - float(others.max()) if others.size else score + 1.0
    if gap < margin:
        near = np.nonzero(row > score - margin)[0]
        return Ambiguous(tuple(gallery.pupils[index] for index in near))
    return Match(gallery.pupils[best], distance=1.0 - score, margin=gap)


def _fused(sface: Scores, dlib: Scores, thresholds: Thresholds) -> Scores:
    """``dlib``: cosines; two strangers' mean is their zero."""
    offset, weight = thresholds.dlib_offset, thresholds.dlib_weight
    return np.asarray((1 - weight) * sface + weight * (dlib - offset) / (1 - offset), np.float32)


def _centred(vectors: Vectors, thresholds: Thresholds) -> Vectors:
    """SFace vectors without the mean face, rows of length one."""
    return _unit(vectors - np.array(thresholds.sface_centre, dtype=np.float32))


def _unit(vectors: Vectors) -> Vectors:
    """Rows of length one; NaN where that can't be."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.float32)
