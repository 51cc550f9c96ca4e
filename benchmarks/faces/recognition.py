"""Who is let through: strangers accepted and members cleared, on the half nothing was fitted on.

    OMP_NUM_THREADS=1 python -m benchmarks.faces.recognition [--out out/recognition]

Members are the 244 people of ../shared/data/school with their 4-6 pictures in faces/people; their
first one or two pictures are enrolled, the others are met again. Strangers are the half of
faces/strangers that the thresholds never saw, and each member as if not enrolled. The product and
plain ``face_recognition`` with its defaults see the same pictures in the same run.
"""

from __future__ import annotations

import argparse
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from benchmarks.faces.embeddings import (
    AS_IT_IS,
    BLURS,
    LIGHTS,
    SIZES,
    Measured,
    Sample,
    measured,
    samples,
    shared_data,
)
from benchmarks.faces.face_recognition_defaults import encodings, nearest
from benchmarks.faces.fit_shipped_thresholds import VERSIONS, as_templates
from consent_gate.gallery import (
    DLIB,
    SFACE,
    Gallery,
    Probes,
    first_opinion,
    fused_scores,
    gallery_of,
    match,
)
from consent_gate.model import Ambiguous, Identity, Match, NotJudged, Reason, Unknown
from consent_gate.shipped_thresholds import shipped_thresholds
from consent_gate.tails import share, trade_off
from ingest.faces.quality import why_too_poor

THRESHOLDS = shipped_thresholds()

NO_FACE = "no face found"
RIGHT, WRONG = "cleared", "WRONG pupil"
UNKNOWN, AMBIGUOUS, POOR = "unknown", "ambiguous", "too poor"


@dataclass(frozen=True)
class Halves:
    """The report half, parted."""

    enrolled: list[Sample]
    met_again: list[Sample]
    strangers: list[Sample]


def main() -> None:
    """Print the tables and write the plots."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--out", type=Path, default=Path("out/recognition"))
    folder = parser.parse_args().out
    folder.mkdir(parents=True, exist_ok=True)
    report_half = [sample for sample in samples(shared_data()) if not sample.fit]
    for templates in (1, 2):
        _whole_pictures(parted(report_half, templates))
    _by_condition(parted(report_half, 1))
    _by_quality(parted(report_half, 1))
    _plot(parted(report_half, 1), folder / "recognition.svg")
    print(f"\nPlots: {folder}")


def parted(chosen: Sequence[Sample], templates: int) -> Halves:
    """The first pictures of each member enrol, the rest are met again."""
    by_person: dict[str, list[Sample]] = defaultdict(list)
    for sample in chosen:
        if sample.member:
            by_person[sample.person].append(sample)
    return Halves(
        enrolled=[sample for pictures in by_person.values() for sample in pictures[:templates]],
        met_again=[sample for pictures in by_person.values() for sample in pictures[templates:]],
        strangers=[sample for sample in chosen if not sample.member],
    )


def judge(faces: Sequence[Measured], gallery: Gallery) -> tuple[list[str], int]:
    """What becomes of each face, by the product's own cascade; how often dlib was asked."""
    answers, asked = [], 0
    for face in faces:
        identity, second = _identity(face, gallery)
        asked += second
        answers.append(_outcome(identity, face.sample.person))
    return answers, asked


def _identity(face: Measured, gallery: Gallery) -> tuple[Identity | None, bool]:
    """Whose face it is; None where none was found. And whether dlib had to be asked."""
    if face.vectors is None or face.quality is None:
        return None, False
    if poor := why_too_poor(face.quality, THRESHOLDS.floors):
        return NotJudged(Reason.LOW_QUALITY_FACE, poor), False
    probes = Probes({model: face.vectors[model][None] for model in (SFACE, DLIB)}, VERSIONS)
    first = first_opinion(gallery, probes, THRESHOLDS)[0]
    if first is not None:
        return first, False
    return match(gallery, probes, THRESHOLDS)[0], True


def _outcome(identity: Identity | None, person: str) -> str:
    match identity:
        case None:
            return NO_FACE
        case Match(pupil=pupil):
            return RIGHT if pupil == person else WRONG
        case Ambiguous():
            return AMBIGUOUS
        case Unknown():
            return UNKNOWN
        case NotJudged():
            return POOR


def without(gallery: Gallery, person: str) -> Gallery:
    """The gallery as if the person weren't enrolled."""
    keep = np.array([gallery.pupils[owner] != person for owner in gallery.owners])
    pupils = tuple(pupil for pupil in gallery.pupils if pupil != person)
    index = {pupil: position for position, pupil in enumerate(pupils)}
    owners = np.array([index[gallery.pupils[owner]] for owner in gallery.owners[keep]], np.intp)
    vectors = {model: rows[keep] for model, rows in gallery.vectors.items()}
    return Gallery(pupils, owners, vectors, gallery.versions)


def _whole_pictures(halves: Halves) -> None:
    """Table 1: the pictures as they are."""
    gallery = gallery_of(as_templates(measured(halves.enrolled)))
    members, asked = judge(measured(halves.met_again), gallery)
    strangers, _ = judge(measured(halves.strangers), gallery)
    removed = [
        judge([face], without(gallery, face.sample.person))[0][0]
        for face in measured(halves.met_again)
    ]
    print(
        f"\n{gallery.templates} templates of {len(gallery.pupils)} members, line "
        f"{THRESHOLDS.accept_fused(gallery.templates):.3f}"
    )
    _row("product: members met again", members, RIGHT)
    _row("product: strangers", strangers, WRONG)
    _row("product: members as strangers", removed, WRONG)
    print(f"  dlib was asked for {asked} of {len(members)} members' faces")
    defaults = _Defaults(halves.enrolled)
    _row("face_recognition: members met again", defaults.judge(halves.met_again), RIGHT)
    _row("face_recognition: strangers", defaults.judge(halves.strangers), WRONG)


class _Defaults:
    """face_recognition with the same people enrolled."""

    def __init__(self, enrolled: Sequence[Sample]) -> None:
        found = zip(enrolled, encodings(enrolled, AS_IT_IS), strict=True)
        kept = [(sample.person, vector) for sample, vector in found if vector is not None]
        self._owners = [person for person, _ in kept]
        self._gallery = np.stack([vector for _, vector in kept])

    def judge(self, chosen: Sequence[Sample], condition: str = AS_IT_IS) -> list[str]:
        """What becomes of each picture's central face."""
        answers = []
        for sample, vector in zip(chosen, encodings(chosen, condition), strict=True):
            name = nearest(self._gallery, self._owners, vector)
            if vector is None:
                answers.append(NO_FACE)
            elif name is None:
                answers.append(UNKNOWN)
            else:
                answers.append(RIGHT if name == sample.person else WRONG)
        return answers


def _row(label: str, answers: Sequence[str], counted: str) -> None:
    """One line: the share counted with its 95 % interval, and everything that happened."""
    interval = share(answers.count(counted), len(answers))
    rest = ", ".join(f"{count} {name}" for name, count in Counter(answers).most_common())
    print(
        f"  {label:36s} {counted} {interval.value:6.2%} "
        f"({interval.low:.2%}-{interval.high:.2%})   {rest}"
    )


def once_each(chosen: Sequence[Sample]) -> list[Sample]:
    """One picture of each person: enough where every picture is altered many times."""
    return list({sample.person: sample for sample in reversed(chosen)}.values())[::-1]


def _by_condition(halves: Halves) -> None:
    """Table 2: the same people smaller, blurred, darker; enrolled as they are."""
    gallery = gallery_of(as_templates(measured(halves.enrolled)))
    defaults = _Defaults(halves.enrolled)
    again = once_each(halves.met_again)
    print(
        f"\n{'condition':14s} product: cleared wrong poor unknown no face | strangers taken"
        " || face_recognition: cleared wrong no face | strangers taken"
    )
    for condition in (AS_IT_IS, *SIZES, *BLURS, *LIGHTS):
        strangers = halves.strangers if condition in (AS_IT_IS, *SIZES) else []
        mine = Counter(judge(measured(again, condition), gallery)[0])
        taken = judge(measured(strangers, condition), gallery)[0].count(WRONG)
        theirs = Counter(defaults.judge(again, condition))
        theirs_taken = defaults.judge(strangers, condition).count(WRONG)
        print(
            f"{condition:14s} "
            f"{mine[RIGHT] / len(again):16.1%} {mine[WRONG]:5d} {mine[POOR]:4d} "
            f"{mine[UNKNOWN] + mine[AMBIGUOUS]:7d} {mine[NO_FACE]:7d} | "
            f"{taken:4d} of {len(strangers):3d}    || "
            f"{theirs[RIGHT] / len(again):24.1%} {theirs[WRONG]:5d} {theirs[NO_FACE]:7d} | "
            f"{theirs_taken:4d} of {len(strangers)}"
        )


QUALITIES: dict[str, tuple[Callable[[Measured], float], tuple[float, ...]]] = {
    "height, px": (
        lambda face: face.quality.height_px if face.quality else 0.0,
        (20, 28, 40, 56, 80, 112),
    ),
    "sharpness": (
        lambda face: face.quality.sharpness if face.quality else 0.0,
        (10, 30, 60, 120, 250, 500),
    ),
    "yaw": (lambda face: face.quality.yaw if face.quality else 0.0, (0.1, 0.2, 0.3, 0.4, 0.5)),
    "brightness": (
        lambda face: face.quality.brightness if face.quality else 0.0,
        (6, 12, 24, 48, 96),
    ),
    "contrast": (lambda face: face.quality.contrast if face.quality else 0.0, (3, 6, 12, 24, 48)),
    "mirror agreement": (
        lambda face: face.quality.mirror_agreement if face.quality else 0.0,
        (0.7, 0.8, 0.85, 0.9, 0.95),
    ),
}


def _by_quality(halves: Halves) -> None:
    """Table 3: both errors by each measure of quality, floors left out."""
    gallery = gallery_of(as_templates(measured(halves.enrolled)))
    again = once_each(halves.met_again)
    faces = [
        face
        for condition in (AS_IT_IS, *SIZES, *BLURS, *LIGHTS)
        for face in measured(again, condition)
        if face.vectors is not None
    ]
    own, others = scores_with(faces, gallery)
    line = THRESHOLDS.accept_fused(gallery.templates)
    print("\nmeasure            from    faces   own pupil over the line   nearest other over it")
    for name, (value, edges) in QUALITIES.items():
        values = np.array([value(face) for face in faces])
        for low, high in zip((-np.inf, *edges), (*edges, np.inf), strict=True):
            chosen = (values >= low) & (values < high)
            if chosen.any():
                print(
                    f"{name:16s} {low:7.2f} {chosen.sum():8d} {(own[chosen] >= line).mean():12.1%}"
                    f" {(others[chosen] >= line).mean():24.2%}"
                )


def scores_with(
    faces: Sequence[Measured], gallery: Gallery
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Fused score of each face with its own person, and the highest with anybody else."""
    probes = {
        model: np.stack([face.vectors[model] for face in faces if face.vectors])
        for model in (SFACE, DLIB)
    }
    scores = fused_scores(probes, gallery.vectors, THRESHOLDS).astype(np.float64)
    people = np.array([gallery.pupils.index(face.sample.person) for face in faces])
    same = people[:, None] == gallery.owners[None, :]
    return np.where(same, scores, -1).max(axis=1), np.where(same, -1, scores).max(axis=1)


def _plot(halves: Halves, path: Path) -> None:
    """Scores with one's own template and with the nearest other, and the trade-off."""
    gallery = gallery_of(as_templates(measured(halves.enrolled)))
    faces = [face for face in measured(halves.met_again) if face.vectors is not None]
    own, others = scores_with(faces, gallery)
    figure = Figure(figsize=(10, 4), layout="constrained")
    left, right = figure.subplots(1, 2)
    bins = [step / 50 for step in range(-10, 51)]
    left.hist(own, bins, histtype="step", label="own template")
    left.hist(others, bins, histtype="step", label="nearest of the others")
    left.axvline(THRESHOLDS.accept_fused(gallery.templates), color="black", linestyle="--")
    left.set_xlabel("fused score")
    left.set_ylabel("faces")
    left.legend()
    taken, missed = trade_off(others, own, points=1000)
    right.plot(taken * 100, missed * 100)
    right.set_xscale("log")
    right.set_xlabel(f"% of unknown faces taken for one of {len(gallery.pupils)}")
    right.set_ylabel("% of members missed")
    right.set_ylim(0, 30)
    figure.savefig(path)


if __name__ == "__main__":
    main()
