"""Draw the plots of ``benchmarks.faces.recognition``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from benchmarks.faces.embeddings import measured
from benchmarks.faces.face_recognition_defaults import TOLERANCE, Defaults
from benchmarks.faces.meetings import THRESHOLDS, School, scores_with
from consent_gate.matching.statistics import Interval, det_curve


def plot_scores(both: Mapping[int, School], out: Path) -> None:
    """Write ``scores.svg`` (distributions of the scores) and ``det.svg`` (both error rates)."""
    figure = Figure(figsize=(10, 4), layout="constrained")
    det = Figure(figsize=(6, 5), layout="constrained")
    curve = det.subplots()
    for axes, (templates, school) in zip(figure.subplots(1, 2), both.items(), strict=True):
        faces = [face for face in measured(school.met_again) if face.vectors is not None]
        own, others = scores_with(faces, school.gallery)
        line = THRESHOLDS.accept_fused(len(school.gallery.pupils))
        bins = [step / 50 for step in range(-10, 51)]
        axes.hist(own, bins, histtype="step", label="own templates")
        axes.hist(others, bins, histtype="step", label="nearest of the others")
        axes.axvline(line, color="black", linestyle="--", label="line")
        axes.set_title(f"{templates} template{'s' if templates > 1 else ''} a member")
        axes.set_xlabel("fused score")
        axes.set_ylabel("faces")
        axes.legend()
        taken, missed = det_curve(others, own, points=1000)
        label = f"product, {templates} a member"
        (drawn,) = curve.plot(taken, missed, label=label)
        point = float((others >= line).mean()), float((own < line).mean())
        curve.plot(max(point[0], 1 / len(others)), point[1], "o", color=drawn.get_color())
        _rival(curve, templates, school)
    curve.set_xscale("log")
    curve.set_yscale("log")
    curve.xaxis.set_major_formatter(PercentFormatter(1))
    curve.yaxis.set_major_formatter(PercentFormatter(1))
    curve.set_xlabel("members taken for another if they weren't enrolled")
    curve.set_ylabel("members missed")
    curve.set_title("DET; dots: in force (none taken: drawn at one)")
    curve.legend()
    figure.savefig(out / "scores.svg")
    det.savefig(out / "det.svg")


def _rival(curve: Axes, templates: int, school: School) -> None:
    """Add the curve of ``face_recognition``; its distances are negated to make them scores."""
    own, others = Defaults(school.enrolled).distances(school.met_again)
    taken, missed = det_curve(-others, -own, points=1000)
    (drawn,) = curve.plot(taken, missed, ":", label=f"face_recognition, {templates} a member")
    point = float((others <= TOLERANCE).mean()), float((own > TOLERANCE).mean())
    curve.plot(*point, "s", color=drawn.get_color())


def plot_conditions(
    conditions: Sequence[str], cleared: Mapping[int, Sequence[Interval]], out: Path
) -> None:
    """Write ``conditions.svg``: members cleared by condition, with their intervals."""
    figure = Figure(figsize=(8, 4), layout="constrained")
    axes = figure.subplots()
    for templates, intervals in cleared.items():
        places = [index + 0.1 * templates for index in range(len(conditions))]
        values = [interval.value for interval in intervals]
        reach = [
            [interval.value - interval.low for interval in intervals],
            [interval.high - interval.value for interval in intervals],
        ]
        axes.errorbar(places, values, yerr=reach, fmt="o", label=f"{templates} a member")
    axes.set_xticks(range(len(conditions)), conditions, rotation=30)
    axes.yaxis.set_major_formatter(PercentFormatter(1))
    axes.set_ylabel("members cleared")
    axes.legend()
    figure.savefig(out / "conditions.svg")
