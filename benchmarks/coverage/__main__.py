"""Measures which faces are found, by condition, height, angle and place.

    python -m benchmarks.coverage [--sample N] [--seed N] [--half fit|report] [--full]

Each trial pastes one stranger's face on a photo and checks whether the finder returns a face or a
possible face there. Rows: the condition of the face. Columns: its height in the largest rendition
that may be published. Every cell mixes angles, places, megapixels, backgrounds and ways of pasting;
the lines below the table group the same trials by each of these. ``--full`` runs every combination,
which takes about a day.

Settings were chosen with the people of the fit half, so quote the figures of the report half.
"""

from __future__ import annotations

import argparse
import math
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np

from benchmarks.coverage.faces import strangers
from benchmarks.coverage.trials import ANGLES, CONDITIONS, PLACES, Trial, composed, is_covered
from benchmarks.data import SHARED
from benchmarks.faces.crowd import is_for_report
from benchmarks.machine import heading
from ingest.faces.finder import default_finder

HEIGHTS = (20, 24, 28, 32, 40, 60, 100, 200)
MEGAPIXELS = (0.3, 1.0, 2.0, 6.0, 12.0, 24.0, 40.0, 80.0)
SAMPLED_MEGAPIXELS = (0.3, 0.5, 1.0, 2.0)
"""Sizes of most trials. Larger pictures are reduced to 3000 px and searched in the same tiles."""
LARGE_SHARE = 0.1
"""Share of a sample's trials in pictures of 12 to 80 megapixels."""


@dataclass(frozen=True)
class Outcome:
    """A trial, whether the face was found, and the processor seconds of the search."""

    trial: Trial
    covered: bool
    seconds: float


def main() -> None:
    """Run the trials and print the matrix."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sample", type=int, default=10, help="trials in each cell")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--half", choices=("fit", "report"), default="report")
    parser.add_argument("--full", action="store_true", help="every combination, once")
    chosen = parser.parse_args()
    report = chosen.half == "report"
    people = strangers(SHARED / "faces" / "strangers", report=report)
    backgrounds = photos(report=report)
    trials = (
        every_trial(people, backgrounds, chosen.seed)
        if chosen.full
        else sampled_trials(people, backgrounds, chosen.sample, chosen.seed)
    )
    print(heading(f"Coverage, {chosen.half} half"))
    outcomes = list(run(trials))
    print_matrix(outcomes)
    seconds = [outcome.seconds for outcome in outcomes]
    print(f"\n{len(outcomes)} trials, {np.mean(seconds):.2f} processor-seconds a picture")


def photos(*, report: bool) -> list[Path]:
    """Paths of one half's crowd pictures, and about half as many photos of the made-up school."""
    crowds = sorted((SHARED / "groups" / "images").iterdir())
    school = sorted((SHARED / "school" / "events").glob("*/*"))
    crowds, school = ([p for p in f if is_for_report(p.name) == report] for f in (crowds, school))
    return crowds + school[:: max(1, 2 * len(school) // max(1, len(crowds)))]


def sampled_trials(
    people: Sequence[Path], backgrounds: Sequence[Path], sample: int, seed: int
) -> Iterator[Trial]:
    """``sample`` trials for each condition and height; everything else is random."""
    rng = np.random.default_rng(seed)
    for condition, height, index in product(CONDITIONS, HEIGHTS, range(sample)):
        large = rng.random() < LARGE_SHARE
        sizes = MEGAPIXELS[4:] if large else SAMPLED_MEGAPIXELS
        yield Trial(
            people[int(rng.integers(len(people)))],
            backgrounds[int(rng.integers(len(backgrounds)))],
            float(rng.choice(ANGLES)),
            height,
            float(rng.choice(sizes)),
            str(rng.choice(list(PLACES))),
            condition,
            feathered=index % 2 == 0,
            seed=int(rng.integers(1_000_000)),
        )


def every_trial(people: Sequence[Path], backgrounds: Sequence[Path], seed: int) -> Iterator[Trial]:
    """Every combination of angle, height, size, place, condition and way of pasting, once."""
    rng = np.random.default_rng(seed)
    for condition, height, angle, megapixels, place, feathered in product(
        CONDITIONS, HEIGHTS, ANGLES, MEGAPIXELS, PLACES, (True, False)
    ):
        yield Trial(
            people[int(rng.integers(len(people)))],
            backgrounds[int(rng.integers(len(backgrounds)))],
            float(angle),
            height,
            megapixels,
            place,
            condition,
            feathered,
            int(rng.integers(1_000_000)),
        )


def run(trials: Iterator[Trial]) -> Iterator[Outcome]:
    """Compose the picture of each trial, search it and yield the outcome."""
    finder = default_finder()
    for trial in trials:
        picture, place = composed(trial)
        start = time.process_time()
        found = finder.find(picture)
        yield Outcome(trial, is_covered(found, *place), time.process_time() - start)


def print_matrix(outcomes: Sequence[Outcome]) -> None:
    """Print the percentage found by condition and height, then by each other quality."""
    cells: dict[tuple[str, int], list[bool]] = defaultdict(list)
    for outcome in outcomes:
        cells[outcome.trial.condition, outcome.trial.height].append(outcome.covered)
    heights = sorted({height for _, height in cells})
    print(f"{'height in px':16}" + "".join(f"{height:7}" for height in heights))
    for condition in CONDITIONS:
        row = [cells[condition, height] for height in heights]
        print(f"{condition:16}" + "".join(f"{_share(cell):7.1f}" for cell in row))
    for low, high, goals in ((32, math.inf, (99, 97)), (20, 32, (95, 90))):
        _print_goal(outcomes, low, high, goals)
    qualities: dict[str, Callable[[Trial], str]] = {
        "angle": lambda trial: f"{trial.angle % 90:.0f} beside a quarter turn",
        "megapixels": lambda trial: f"{trial.megapixels:g}",
        "place": lambda trial: trial.place,
        "paste": lambda trial: "feathered" if trial.feathered else "rectangle",
    }
    for name, quality in qualities.items():
        groups: dict[str, list[bool]] = defaultdict(list)
        for outcome in outcomes:
            groups[quality(outcome.trial)].append(outcome.covered)
        shares = ", ".join(f"{key}: {_share(found):.1f}" for key, found in sorted(groups.items()))
        print(f"by {name}: {shares}")


def _print_goal(
    outcomes: Sequence[Outcome], low: float, high: float, goals: tuple[int, int]
) -> None:
    """Print the percentage found for faces of ``low`` to ``high`` pixels, with its goal.

    ``goals`` are the percentages for faces in full view and for partly hidden faces.
    """
    easy = ("whole", "low contrast")
    hidden = tuple(condition for condition in CONDITIONS if condition not in easy)
    for conditions, goal in zip((easy, hidden), goals, strict=True):
        found = [
            outcome.covered
            for outcome in outcomes
            if outcome.trial.condition in conditions and low <= outcome.trial.height < high
        ]
        if found:
            print(
                f"{low:g}-{high:g} px, {', '.join(conditions)}: {_share(found):.1f} % of "
                f"{len(found)} (goal: {goal})"
            )


def _share(found: Sequence[bool]) -> float:
    """Percentage that is True; NaN without values."""
    return 100 * sum(found) / len(found) if found else math.nan


if __name__ == "__main__":
    main()
