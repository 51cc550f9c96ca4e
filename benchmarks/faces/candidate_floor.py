"""Choose the score under which no pupil is offered for a face that was not recognised.

    OMP_NUM_THREADS=1 nice python -m benchmarks.faces.candidate_floor [--people N]

Enrols one portrait a member, and compares further pictures of the members, and the pictures of
strangers, as the review page does. ``consent_gate.matching.nearest`` has the floor. The fit half
gives the highest step at which the right pupil stays first for ``MUST_STAY`` of the members' faces,
and of those that the gate would not recognise. The product uses one step less, because few faces
are of the latter kind, and all are of adults. The report half says what the floor does. Rolls are
drawn at random from the members.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from benchmarks.faces.embeddings import (
    AS_PORTRAIT,
    Measured,
    Sample,
    measured,
    samples,
    shared_data,
)
from benchmarks.faces.fit_shipped_thresholds import as_templates
from benchmarks.machine import heading
from consent_gate.matching.gallery import DLIB, SFACE, fused_by_pupil, gallery_of
from consent_gate.matching.nearest import LEAST_LIKENESS
from consent_gate.matching.shipped_thresholds import shipped_thresholds
from consent_gate.matching.statistics import Interval, exact_share

T = TypeVar("T")

MUST_STAY = 0.985
"""Share of enrolled faces for which the right pupil must stay the first offer."""

FLOORS = tuple(step / 100 for step in range(18, 43, 2))
ROLLS = (30, 240)
DRAWS = 20
"""Rolls that are drawn for each size."""

AGAIN = 2
"""Further pictures of each member."""

THRESHOLDS = shipped_thresholds()


@dataclass(frozen=True, eq=False)
class Half:
    """Scores of one half: rows are faces, columns are members."""

    members: NDArray[np.float64]
    own: NDArray[np.intp]
    """Column of each member's face."""
    strangers: NDArray[np.float64]


def main() -> None:
    """Print both halves, and the floor that the fit half gives."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--people", type=int, default=0, help="members and strangers a half")
    options = parser.parse_args()
    print(heading("Floor of the offers for faces that were not recognised; faces are of adults"))
    everybody = samples(shared_data())
    for name, fit in (("fit", True), ("report", False)):
        half = _half([sample for sample in everybody if sample.fit is fit], options.people)
        _print_half(name, half)
        if fit:
            print(f"floor by the fit half: {_floor(half)}; in the product: {LEAST_LIKENESS}")


def _half(chosen: Sequence[Sample], people: int) -> Half:
    by_person: dict[str, list[Sample]] = defaultdict(list)
    for sample in chosen:
        if sample.member:
            by_person[sample.person].append(sample)
    persons = _spread(sorted(by_person), people)
    strangers = _spread([sample for sample in chosen if not sample.member], people)
    faces = measured([s for person in persons for s in by_person[person][: 1 + AGAIN]], AS_PORTRAIT)
    seen: dict[str, list[Measured]] = defaultdict(list)
    for face in faces:
        if face.vectors is not None:
            seen[face.sample.person].append(face)
    enrolled = [found[0] for found in seen.values() if len(found) > 1]
    gallery = gallery_of(as_templates(enrolled))
    column = {person: index for index, person in enumerate(gallery.pupils)}
    again = [face for person in gallery.pupils for face in seen[person][1:]]
    unknown = [face for face in measured(strangers, AS_PORTRAIT) if face.vectors is not None]
    print(f"{len(gallery.pupils)} members, {len(again)} faces of them, {len(unknown)} strangers")

    def scores(faces: Sequence[Measured]) -> NDArray[np.float64]:
        vectors = {
            model: np.stack([face.vectors[model] for face in faces if face.vectors])
            for model in (SFACE, DLIB)
        }
        return fused_by_pupil(vectors, gallery, THRESHOLDS).astype(np.float64)

    own = np.array([column[face.sample.person] for face in again], np.intp)
    return Half(scores(again), own, scores(unknown))


def _spread(found: Sequence[T], most: int) -> list[T]:
    if not most or most >= len(found):
        return list(found)
    return [found[int(index)] for index in np.linspace(0, len(found) - 1, most)]


def _floor(half: Half) -> float:
    """The highest floor that keeps ``MUST_STAY``, with everybody on the roll."""
    roll = [np.arange(half.members.shape[1])]
    shares = {floor: _shares(half, roll, floor)[:2] for floor in FLOORS}
    kept = [f for f, both in shares.items() if min(share.value for share in both) >= MUST_STAY]
    return max(kept, default=0.0)


def _print_half(name: str, half: Half) -> None:
    print(f"\n{name} half. Share of faces; strangers get an offer where anybody reaches the floor")
    print("floor   roll   right is first          unrecognised: right is first   strangers offered")
    random = np.random.default_rng(11)
    count = half.members.shape[1]
    for size in (*(size for size in ROLLS if size < count), count):
        rolls = [random.choice(count, size, replace=False) for _ in range(DRAWS)]
        rolls = rolls if size < count else rolls[:1]
        for floor in FLOORS:
            right, unsure, offered = _shares(half, rolls, floor)
            print(f"{floor:5.2f}  {size:5d}   {_text(right)}   {_text(unsure)}   {_text(offered)}")


def _shares(
    half: Half, rolls: Sequence[NDArray[np.intp]], floor: float
) -> tuple[Interval, Interval, Interval]:
    """Members with the right first offer: of all, of those under the line; strangers offered."""
    right = total = unsure_right = unsure = offered = strangers = 0
    for roll in rolls:
        there = np.isin(half.own, roll)
        own = half.members[there, half.own[there]]
        best = half.members[there][:, roll].max(axis=1)
        good = (own >= best) & (own >= floor)
        low = best < THRESHOLDS.accept_fused(len(roll))
        right, total = right + int(good.sum()), total + len(good)
        unsure_right, unsure = unsure_right + int(good[low].sum()), unsure + int(low.sum())
        offered += int((half.strangers[:, roll].max(axis=1) >= floor).sum())
        strangers += len(half.strangers)
    return (
        exact_share(right, total),
        exact_share(unsure_right, unsure),
        exact_share(offered, strangers),
    )


def _text(share: Interval) -> str:
    return f"{share.value:6.1%} ({share.low:.1%}-{share.high:.1%})"


if __name__ == "__main__":
    main()
