"""Find pupils whose own templates disagree, and years whose faces are close to each other.

The functions are pure and use no files and no clock. They name pupils for the office to look at;
they change nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np

from consent_gate.matching.gallery import (
    Gallery,
    fused_by_pupil,
    fused_scores,
    same_versions,
)
from consent_gate.matching.thresholds import Thresholds

MINIMUM_YEAR = 10
"""A year with fewer enrolled pupils is not reported by itself."""


@dataclass(frozen=True)
class YearFaces:
    """How close the faces of one year group are to each other."""

    year: str
    pupils: int
    """Enrolled pupils of the year."""
    highest: float
    """The highest score of a template with another pupil of the year who is no sibling."""
    confused: int
    """Pupils who would be matched to another pupil of the year if they were not enrolled."""


def disagreeing_rows(gallery: Gallery, thresholds: Thresholds) -> tuple[int, ...]:
    """Return the rows of templates that do not look like the pupil's other templates.

    The score with each other template of the pupil is below the one that one pair of strangers in
    five hundred reaches. One of the pictures may show another child. Of a pupil with two templates
    it is both. Empty for other models.
    """
    if not gallery.pupils or not same_versions(gallery.versions, thresholds):
        return ()
    found: list[int] = []
    ends = [*gallery.first_rows[1:], gallery.template_count]
    for start, end in zip(gallery.first_rows, ends, strict=True):
        if end - start < 2:
            continue
        own = {model: vectors[start:end] for model, vectors in gallery.vectors.items()}
        scores = fused_scores(own, own, thresholds)
        np.fill_diagonal(scores, -1.0)
        lonely = np.nonzero(scores.max(axis=1) < thresholds.fused_tail.start)[0]
        found += (int(start) + lonely).tolist()
    return tuple(found)


def disagreeing_pupils(gallery: Gallery, thresholds: Thresholds) -> tuple[str, ...]:
    """Return pupils with a template that does not look like the pupil's other templates."""
    rows = disagreeing_rows(gallery, thresholds)
    return tuple(dict.fromkeys(gallery.pupils[gallery.owners[row]] for row in rows))


def faces_by_year(
    gallery: Gallery,
    thresholds: Thresholds,
    years: Mapping[str, str],
    siblings: Collection[tuple[str, str]] = (),
) -> tuple[YearFaces, ...]:
    """Return how close the faces of each year group are to each other, by name of the year.

    Args:
        gallery: The templates of the school.
        thresholds: Those in force.
        years: Year group by admission number.
        siblings: Pairs of admission numbers, which are left out.
    """
    if not gallery.pupils or not same_versions(gallery.versions, thresholds):
        return ()
    size, counts = len(gallery.pupils), gallery.template_counts
    of_year = np.array([years.get(pupil, "") for pupil in gallery.pupils])
    place = {pupil: index for index, pupil in enumerate(gallery.pupils)}
    related = {frozenset((place[a], place[b])) for a, b in siblings if a in place and b in place}
    found = []
    for year in sorted(set(of_year) - {""}):
        members = np.nonzero(of_year == year)[0]
        if len(members) < MINIMUM_YEAR:
            continue
        rows = np.nonzero(np.isin(gallery.owners, members))[0]
        templates = {model: vectors[rows] for model, vectors in gallery.vectors.items()}
        scores = fused_by_pupil(templates, gallery, thresholds)[:, members]
        for at, owner in enumerate(gallery.owners[rows]):
            for column, other in enumerate(members):
                if owner == other or frozenset((int(owner), int(other))) in related:
                    scores[at, column] = -1.0
        accept = [thresholds.accept_fused(size, int(count)) for count in counts[members]]
        over = np.unique(gallery.owners[rows][(scores >= accept).any(axis=1)])
        found.append(YearFaces(str(year), len(members), float(scores.max()), len(over)))
    return tuple(found)
