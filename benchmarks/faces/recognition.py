"""Measure how many strangers are accepted and members recognised, on the report half.

    OMP_NUM_THREADS=1 nice -n 5 python -m benchmarks.faces.recognition [--people N] [--out FOLDER]

The product and ``face_recognition`` with its defaults process the same pictures.
``benchmarks.faces.meetings`` defines members and strangers. ``--people N`` uses only N members and
N strangers, evenly spread, for a quick run. Measurements are cached in a folder outside the
repository, so that an interrupted run can be continued.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarks.faces.embeddings import (
    BLURS,
    LIGHTS,
    SIZES,
    UNALTERED,
    Measured,
    Sample,
    measured,
    samples,
    shared_data,
)
from benchmarks.faces.face_recognition_defaults import Defaults
from benchmarks.faces.meetings import (
    NO_FACE,
    POOR,
    POSSIBLE,
    RIGHT,
    THRESHOLDS,
    WRONG,
    School,
    judge,
    judge_as_strangers,
    schools,
    scores_with,
)
from benchmarks.faces.quality_bins import MEASURES, bins
from benchmarks.faces.recognition_plots import plot_conditions, plot_scores
from benchmarks.machine import heading
from consent_gate.matching.statistics import Interval, exact_share

CONDITIONS = (UNALTERED, *SIZES, *BLURS, *LIGHTS)
EVERY = 4
"""Altered pictures are measured for every fourth member and stranger only, to save time."""


def main() -> None:
    """Print the tables and write the plots."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--out", type=Path, default=Path("out/recognition"))
    parser.add_argument(
        "--people", type=int, help="number of members and of strangers, for a quick run"
    )
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    print(heading("Recognition, on the report half of the test photos in faces/"))
    half = [sample for sample in samples(shared_data()) if not sample.fit]
    both = schools(_sample_people(half, options.people) if options.people else half)
    for school in both.values():
        _print_unaltered(school)
    _print_by_condition(both, options.out)
    _print_by_quality(both[1])
    plot_scores(both, options.out)
    print(f"\nPlots: {options.out}. {time.process_time():.0f} s of processor time")


def _sample_people(half: Sequence[Sample], people: int) -> list[Sample]:
    """The pictures of ``people`` members and ``people`` strangers, evenly spread."""
    chosen: set[str] = set()
    for member in (True, False):
        names = sorted({sample.person for sample in half if sample.member is member})
        spread = np.linspace(0, len(names) - 1, min(people, len(names))).astype(int)
        chosen |= {names[index] for index in spread}
    return [sample for sample in half if sample.person in chosen]


def _print_unaltered(school: School) -> None:
    """Table 1: closed and open set, unaltered pictures."""
    gallery, again, line = school.gallery, measured(school.met_again), _line(school)
    print(
        f"\n{gallery.template_count} templates of {len(gallery.pupils)} members, line {line:.3f}, "
        f"margin {THRESHOLDS.margin}"
    )
    members, asked = judge(again, gallery)
    own, others = scores_with(_with_face(again), gallery)
    print(
        "  product, closed set: the nearest is the right one "
        f"{_format_interval(exact_share(int((own > others).sum()), len(again)))}"
    )
    _row("product: members met again", members, RIGHT)
    _row("product: strangers", judge(measured(school.strangers), gallery)[0], WRONG)
    _row("product: members as strangers", judge_as_strangers(again, gallery), WRONG)
    print(f"  dlib was asked for {asked} of {len(members)} members' faces")
    defaults = Defaults(school.enrolled)
    _row("face_recognition: members met again", defaults.judge(school.met_again), RIGHT)
    _row("face_recognition: strangers", defaults.judge(school.strangers), WRONG)


def _print_by_condition(both: dict[int, School], out: Path) -> None:
    """Table 2: smaller, blurred and darker pictures, one a person; enrolment is unaltered."""
    again = _first_of_each_person(both[2].met_again)[::EVERY]
    strangers = both[1].strangers[::EVERY]
    defaults = {templates: Defaults(school.enrolled) for templates, school in both.items()}
    print(
        f"\n{len(again)} members met again, {len(strangers)} strangers\n"
        "condition     templates  product: cleared              no face  possible  poor  "
        "strangers, members as strangers taken || face_recognition: cleared  strangers taken"
    )
    cleared: dict[int, list[Interval]] = {1: [], 2: []}
    for condition in CONDITIONS:
        altered = condition not in (UNALTERED, *SIZES)
        unknown = [] if altered else strangers
        met, passing = measured(again, condition), measured(unknown, condition)
        for templates, school in both.items():
            mine = Counter(judge(met, school.gallery)[0])
            taken = judge(passing, school.gallery)[0].count(WRONG)
            as_stranger = judge_as_strangers(met, school.gallery).count(WRONG)
            theirs = defaults[templates].judge(again, condition).count(RIGHT)
            theirs_taken = defaults[templates].judge(unknown, condition).count(WRONG)
            cleared[templates].append(exact_share(mine[RIGHT], len(again)))
            print(
                f"{condition:12s} {templates:9d}   {_format_interval(cleared[templates][-1]):26s} "
                f"{mine[NO_FACE]:7d}   {mine[POSSIBLE]:7d}  {mine[POOR]:4d}  "
                f"{taken:3d} of {len(unknown):3d}, {as_stranger:2d} of {len(met)} || "
                f"{theirs / len(again):6.1%}  {theirs_taken:3d} of {len(unknown)}"
            )
    plot_conditions(CONDITIONS, cleared, out)


def _print_by_quality(school: School) -> None:
    """Table 3: both errors by each measure of quality, without floors; one template a member."""
    again = _first_of_each_person(school.met_again)[::EVERY]
    faces = [face for condition in CONDITIONS for face in _with_face(measured(again, condition))]
    own, others = scores_with(faces, school.gallery)
    line = _line(school)
    print(
        f"\n{'measure':16s}    from   faces   own pupil over the line     nearest other over it"
        "      floor"
    )
    for measure in MEASURES:
        for low, chosen in bins(measure, measure.of(faces)):
            count = int(chosen.sum())
            right = exact_share(int((own[chosen] >= line).sum()), count)
            wrong = exact_share(int((others[chosen] >= line).sum()), count)
            print(
                f"{measure.label:16s} {low:7.2f} {count:7d}   {_format_interval(right):26s} "
                f"{_format_interval(wrong):24s} {getattr(THRESHOLDS.floors, measure.field):6}"
            )


def _with_face(faces: Sequence[Measured]) -> list[Measured]:
    return [face for face in faces if face.vectors is not None]


def _first_of_each_person(chosen: Sequence[Sample]) -> list[Sample]:
    """The first picture of each person."""
    return list({sample.person: sample for sample in reversed(chosen)}.values())[::-1]


def _line(school: School) -> float:
    return THRESHOLDS.accept_fused(len(school.gallery.pupils))


def _format_interval(interval: Interval) -> str:
    """Share and 95 % interval."""
    return f"{interval.value:.2%} ({interval.low:.2%}-{interval.high:.2%})"


def _row(label: str, answers: Sequence[str], counted: str) -> None:
    """Print the share of ``counted`` with its 95 % interval, and the number of each outcome."""
    rest = ", ".join(f"{count} {name}" for name, count in Counter(answers).most_common())
    interval = exact_share(answers.count(counted), len(answers))
    print(f"  {label:36s} {counted} {_format_interval(interval)}   {rest}")


if __name__ == "__main__":
    main()
