"""Measure how much oftener strangers reach the line of pupils with several templates.

    OMP_NUM_THREADS=1 nice -n 5 python -m benchmarks.faces.template_counts

Uses only the fit half of the test photos in faces/. Each choice of k pictures of a member plays a
pupil with k templates; the pictures of all other people play strangers. The line is the one that a
stranger would reach at the promised rate if every pupil had one template. The table gives how many
times the promised rate strangers reach it (the tail, as in the calibration): with all people, and
the highest of nine in ten resamplings of the people. The rule of ``thresholds`` keeps the promise
with k templates where this is at most k. The last columns give the members found at the line of
one template and at that of k, for a roll of 30.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from benchmarks.faces.embeddings import AS_PORTRAIT, Measured, measured, samples, shared_data
from benchmarks.faces.fit_shipped_thresholds import VERSIONS
from benchmarks.machine import heading
from consent_gate.matching.calibration import ASSURANCE, RESAMPLINGS
from consent_gate.matching.gallery import (
    DLIB,
    SFACE,
    Template,
    fused_by_pupil,
    gallery_of,
    sface_by_pupil,
)
from consent_gate.matching.shipped_thresholds import shipped_thresholds
from consent_gate.matching.statistics import TAIL_SHARE
from consent_gate.matching.thresholds import Tail

THRESHOLDS = shipped_thresholds()
ROLL = 30
MOST = 5
LEAST_PICTURES = 4
"""Members with fewer pictures are left out."""
CHOICES = 20
"""Choices of k pictures of a member at most."""
KEPT = 0.03
"""Share of the highest scores that are kept; a resampling needs a fifteenth of it."""


@dataclass(frozen=True, eq=False)
class Comparisons:
    """The highest scores of strangers with pupils of k templates, descending."""

    scores: NDArray[np.float64]
    pupil: NDArray[np.intp]
    stranger: NDArray[np.intp]
    weight: NDArray[np.float64]
    """One over the number of choices of the member's pictures."""
    members: NDArray[np.float64]
    """1 for each person who is a pupil, shape (people,)."""
    pictures: NDArray[np.float64]
    """Number of pictures of each person, shape (people,)."""

    def tail(self, drawn: NDArray[np.float64], shape: float) -> Tail:
        """The tail where each person was drawn so often; of this shape."""
        weight = self.weight * drawn[self.pupil] * drawn[self.stranger]
        rows = drawn * self.pictures
        total = float(
            (self.members * drawn).sum() * rows.sum() - (self.members * drawn * rows).sum()
        )
        count = int(np.searchsorted(np.cumsum(weight), TAIL_SHARE * total))
        excess = self.scores[:count] - self.scores[count]
        mean = float(np.average(excess, weights=weight[:count]))
        return Tail(float(self.scores[count]), TAIL_SHARE, (1 - shape) * mean, shape)


def main() -> None:
    """Print the table."""
    print(heading("Pupils with several templates, on the fit half of the test photos in faces/"))
    fit_half = [sample for sample in samples(shared_data()) if sample.fit]
    seen = [face for face in measured(fit_half, AS_PORTRAIT) if face.vectors is not None]
    print(
        "pictures of a member at least   templates   members   times the promised rate, both models"
        "   SFace alone   members found at the line of 1, of k"
    )
    for least in range(LEAST_PICTURES, MOST + 1):
        one = [_comparisons(seen, 1, least, fused) for fused in (True, False)]
        for templates in range(2, least + 1):
            several = [_comparisons(seen, templates, least, fused) for fused in (True, False)]
            both, alone = (
                _times(a, b, f) for a, b, f in zip(one, several, (True, False), strict=True)
            )
            found = _members_found(seen, templates)
            print(
                f"{least:29d}   {templates:9d}   {int(one[0].members.sum()):7d}   {both:36s}"
                f"   {alone}   {found}"
            )


def _members(seen: Sequence[Measured], least: int) -> dict[str, list[int]]:
    """Places of the pictures of each member who has enough of them."""
    places: dict[str, list[int]] = defaultdict(list)
    for place, face in enumerate(seen):
        if face.sample.member:
            places[face.sample.person].append(place)
    return {person: own for person, own in places.items() if len(own) >= least}


def _scores(
    seen: Sequence[Measured], chosen: Sequence[tuple[str, Sequence[int]]], *, fused: bool
) -> NDArray[np.float64]:
    """Scores of every picture with a pupil for each choice, shape (pictures, choices)."""
    gallery = gallery_of(
        Template(f"{number:06d}", vectors, VERSIONS)
        for number, (_, places) in enumerate(chosen)
        for place in places
        if (vectors := seen[place].vectors)
    )
    probes = {m: np.stack([f.vectors[m] for f in seen if f.vectors]) for m in (SFACE, DLIB)}
    if fused:
        return fused_by_pupil(probes, gallery, THRESHOLDS).astype(np.float64)
    return sface_by_pupil(probes[SFACE], gallery, THRESHOLDS).astype(np.float64)


def _comparisons(
    seen: Sequence[Measured],
    templates: int,
    least: int,
    fused: bool,
) -> Comparisons:
    chosen = [
        (person, choice)
        for person, own in _members(seen, least).items()
        for choice in list(combinations(own, templates))[:CHOICES]
    ]
    people, who = np.unique([face.sample.person for face in seen], return_inverse=True)
    pupil = np.searchsorted(people, [person for person, _ in chosen])
    choices = np.bincount(pupil, minlength=len(people))
    scores = _scores(seen, chosen, fused=fused)
    apart = who[:, None] != pupil[None, :]
    floor = np.quantile(scores[apart], 1 - KEPT)
    row, column = np.nonzero(apart & (scores >= floor))
    order = np.argsort(-scores[row, column])
    row, column = row[order], column[order]
    return Comparisons(
        scores[row, column],
        pupil[column],
        who[row],
        1 / choices[pupil[column]],
        (choices > 0).astype(np.float64),
        np.bincount(who, minlength=len(people)).astype(np.float64),
    )


def _times(one: Comparisons, several: Comparisons, fused: bool) -> str:
    """How many times the promised rate is reached at the line of one template."""
    shape = (THRESHOLDS.fused_tail if fused else THRESHOLDS.sface_tail).shape
    rate = THRESHOLDS.false_accept_rate / ROLL
    people, random = len(one.members), np.random.default_rng(0)

    def times(drawn: NDArray[np.float64]) -> float:
        return several.tail(drawn, shape).rate_at(one.tail(drawn, shape).score_at(rate)) / rate

    drawings = (
        np.bincount(random.integers(people, size=people), minlength=people).astype(np.float64)
        for _ in range(RESAMPLINGS)
    )
    high = np.quantile([times(drawn) for drawn in drawings], ASSURANCE)
    return f"{times(np.ones(people)):.2f} (up to {high:.2f})"


def _members_found(seen: Sequence[Measured], templates: int) -> str:
    chosen = [
        (person, choice)
        for person, own in _members(seen, templates + 1).items()
        for choice in combinations(own, templates)
    ]
    scores = _scores(seen, chosen, fused=True)
    names = [face.sample.person for face in seen]
    again = np.array(
        [
            scores[place, column]
            for column, (person, choice) in enumerate(chosen)
            for place, name in enumerate(names)
            if name == person and place not in choice
        ]
    )
    lines = (THRESHOLDS.accept_fused(ROLL), THRESHOLDS.accept_fused(ROLL, templates))
    shares = ", ".join(f"{(again >= line).mean():.1%}" for line in lines)
    return f"{shares} of {len(again)}"


if __name__ == "__main__":
    main()
