"""The table and the plots of the calibration report, as texts and SVG.

They have counts and curves only, no names and no admission numbers.
"""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from consent_gate.matching.calibration import Calibration, DetectionBySize
from consent_gate.matching.statistics import Interval, det_curve


@dataclass(frozen=True)
class Plot:
    """One plot of the report."""

    caption: str
    svg_base64: str
    """The SVG in base64, for a ``data:`` URL, so that the page needs no other file."""


@dataclass(frozen=True)
class SizeRow:
    """How many of the portraits were found at one height of the face."""

    height: int
    """Height of the face in pixels."""
    face: int
    possible: int
    missed: int
    found: str
    """Share found as a face or a possible face, with its interval, as text."""


def table_rows(calibration: Calibration) -> list[tuple[str, str]]:
    """Return the rows of the table: description and figure."""
    rows = [
        ("Pupils enrolled", f"{calibration.pupils}"),
        ("Enrolment pictures", f"{calibration.templates}"),
        ("Pairs of different pupils compared", f"{len(calibration.impostor)}"),
        ("Likeness needed for a match (1 is the same picture)", f"{calibration.accept:.3f}"),
        (
            "Pupils who would be mistaken for another pupil if they were not enrolled",
            _share(calibration.confused),
        ),
    ]
    if calibration.missed is not None:
        rows.append(("Second pictures of a pupil not recognised", _share(calibration.missed)))
    faces = calibration.volume.unknown_faces_a_year
    rows.append(
        (
            "Faces of people who are not enrolled, a year",
            f"{faces:.0f} ({calibration.volume.basis})",
        )
    )
    if calibration.false_accepts_a_year is not None:
        rows.append(
            (
                "Unknown people a year mistaken for a pupil who may be published (at most)",
                _count(calibration.false_accepts_a_year),
            )
        )
    if calibration.proposed is not None:
        promise = calibration.proposed.false_accept_rate
        rows.append(
            ("Promised", f"at most 1 in {1 / promise:.0f} unknown faces is mistaken for a pupil")
        )
    return rows


def plots(calibration: Calibration) -> list[Plot]:
    """Return a histogram of the scores and, if there are genuine pairs, the DET curve."""
    result = [_score_histogram(calibration)]
    if len(calibration.genuine):
        result.append(_det_plot(calibration))
    return result


def size_rows(detection: DetectionBySize) -> list[SizeRow]:
    """Return the table of detection by height, without heights that no portrait had."""
    return [
        SizeRow(height, counts.face, counts.possible, counts.missed, _share(counts.found))
        for height, counts in detection.sizes.items()
        if counts.shown
    ]


def size_plot(detection: DetectionBySize) -> Plot:
    """Return a bar chart of the shares found by height, with their intervals."""
    sizes = {f"{height} px": counts for height, counts in detection.sizes.items() if counts.shown}
    figure = Figure(figsize=(7, 2.8), layout="constrained")
    axes = figure.subplots()
    sure = np.array([100 * value.face / value.shown for value in sizes.values()])
    shares = [value.found for value in sizes.values()]
    either = np.array([100 * interval.value for interval in shares])
    low = either - [100 * interval.low for interval in shares]
    high = [100 * interval.high for interval in shares] - either
    axes.bar(list(sizes), sure, label="found")
    axes.bar(list(sizes), either - sure, bottom=sure, label="possibly a face")
    reach = np.clip([low, high], 0, None)
    axes.errorbar(list(sizes), either, yerr=reach, fmt="none", ecolor="black", capsize=4)
    axes.set_ylim(0, 102)
    axes.set_xlabel("height of the face")
    axes.set_ylabel("% of faces")
    axes.legend(loc="upper left")
    return _render(figure, "Faces found, by size, with 95 % confidence intervals")


def _share(interval: Interval) -> str:
    return (
        f"{interval.value:.2%} (95 % confidence interval: {interval.low:.2%} to "
        f"{interval.high:.2%})"
    )


def _count(interval: Interval) -> str:
    return (
        f"{interval.value:.2f} (95 % confidence interval: {interval.low:.2f} to "
        f"{interval.high:.2f})"
    )


def _score_histogram(calibration: Calibration) -> Plot:
    """Histogram of the impostor and the genuine scores."""
    figure = Figure(figsize=(7, 3.2), layout="constrained")
    axes = figure.subplots()
    bins = [step / 50 for step in range(-25, 51)]
    groups = [(calibration.impostor, "different pupils"), (calibration.genuine, "the same pupil")]
    for scores, label in groups:
        if len(scores):
            axes.hist(
                scores,
                bins,
                histtype="step",
                label=label,
                weights=np.full(len(scores), 100 / len(scores)),
            )
    axes.axvline(calibration.accept, color="black", linestyle="--", label="needed for a match")
    axes.set_yscale("log")
    axes.set_xlabel("likeness")
    axes.set_ylabel("% of pairs")
    axes.legend()
    return _render(figure, "How alike pairs of pictures are")


def _det_plot(calibration: Calibration) -> Plot:
    accepted, missed = det_curve(calibration.impostor, calibration.genuine)
    figure = Figure(figsize=(7, 3.2), layout="constrained")
    axes = figure.subplots()
    axes.plot(accepted * 100, missed * 100)
    axes.set_xscale("log")
    axes.set_xlabel("% of pairs of different pupils accepted")
    axes.set_ylabel("% of second pictures missed")
    return _render(figure, "Pictures missed and pupils confused, by strictness (DET curve)")


def _render(figure: Figure, caption: str) -> Plot:
    """Render as SVG, with the same bytes for the same figures."""
    stream = io.BytesIO()
    with mpl.rc_context({"svg.hashsalt": "consent-gate", "svg.fonttype": "none"}):
        figure.savefig(stream, format="svg", metadata={"Date": None, "Creator": None})
    return Plot(caption, base64.b64encode(stream.getvalue()).decode("ascii"))
