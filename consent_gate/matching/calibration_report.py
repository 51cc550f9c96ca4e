"""The figures of the calibration report: its table in words, and its plots.

Pure: a calibration in, text and SVG out. ``calibration_page`` makes the page of them. No names and
no admission numbers: only counts and curves.
"""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from consent_gate.matching.calibration import Calibration, DetectionBySize
from consent_gate.matching.statistics import Interval, trade_off


@dataclass(frozen=True)
class Plot:
    """One drawing of the report."""

    caption: str
    svg_base64: str
    """The drawing as SVG, in base64 for a ``data:`` address: a page with it fetches nothing."""


@dataclass(frozen=True)
class SizeRow:
    """How many of the portraits were found at one size."""

    height: int
    """Of the face, in pixels."""
    face: int
    possible: int
    missed: int
    found: str
    """Share found, sure or not, with its interval, in words."""


def facts(calibration: Calibration) -> list[tuple[str, str]]:
    """The table: what was measured, in words and figures."""
    rows = [
        ("Pupils enrolled", f"{calibration.pupils}"),
        ("Enrolment pictures", f"{calibration.templates}"),
        ("Pairs of different pupils compared", f"{len(calibration.impostor)}"),
        ("Likeness a match needs (1 is the same picture)", f"{calibration.accept:.3f}"),
        (
            "Pupils who would be taken for another if they weren't enrolled",
            _share(calibration.taken),
        ),
    ]
    if calibration.missed is not None:
        rows.append(("Second pictures of a pupil not recognised", _share(calibration.missed)))
    faces = calibration.volume.unknown_faces_a_year
    rows.append(
        (
            "Faces of people who aren't enrolled, a year",
            f"{faces:.0f} ({calibration.volume.basis})",
        )
    )
    if calibration.wrong_a_year is not None:
        rows.append(
            (
                "Unknown people a year taken for a pupil who may be published (at most)",
                _count(calibration.wrong_a_year),
            )
        )
    if calibration.proposed is not None:
        promise = calibration.proposed.false_accept_rate
        rows.append(("Promised", f"at most 1 in {1 / promise:.0f} unknown faces taken for a pupil"))
    return rows


def plots(calibration: Calibration) -> list[Plot]:
    """How alike pairs are and, where pupils have second pictures, what strictness costs."""
    drawn = [_likeness(calibration)]
    if len(calibration.genuine):
        drawn.append(_errors(calibration))
    return drawn


def size_rows(found: DetectionBySize) -> list[SizeRow]:
    """The table by height, without heights that no portrait was large enough for."""
    return [
        SizeRow(height, one.face, one.possible, one.missed, _share(one.found))
        for height, one in found.sizes.items()
        if one.shown
    ]


def size_plot(found: DetectionBySize) -> Plot:
    """Bars of the shares found by height, with their intervals."""
    sizes = {f"{height} px": one for height, one in found.sizes.items() if one.shown}
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
    return _drawn(figure, "Faces found, by size, with the range that is 95 % sure")


def _share(interval: Interval) -> str:
    return (
        f"{interval.value:.2%} (95 % sure that it lies between {interval.low:.2%} and "
        f"{interval.high:.2%})"
    )


def _count(interval: Interval) -> str:
    return (
        f"{interval.value:.2f} (95 % sure that it lies between {interval.low:.2f} and "
        f"{interval.high:.2f})"
    )


def _likeness(calibration: Calibration) -> Plot:
    """Histogram of the likeness of different pupils and of one pupil's pictures."""
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
    return _drawn(figure, "How alike pairs of pictures are")


def _errors(calibration: Calibration) -> Plot:
    """DET curve: what strictness costs."""
    accepted, missed = trade_off(calibration.impostor, calibration.genuine)
    figure = Figure(figsize=(7, 3.2), layout="constrained")
    axes = figure.subplots()
    axes.plot(accepted * 100, missed * 100)
    axes.set_xscale("log")
    axes.set_xlabel("% of pairs of different pupils taken for one")
    axes.set_ylabel("% of second pictures missed")
    return _drawn(figure, "What strictness costs (DET curve)")


def _drawn(figure: Figure, caption: str) -> Plot:
    """The same figures give the same bytes."""
    stream = io.BytesIO()
    with mpl.rc_context({"svg.hashsalt": "consent-gate", "svg.fonttype": "none"}):
        figure.savefig(stream, format="svg", metadata={"Date": None, "Creator": None})
    return Plot(caption, base64.b64encode(stream.getvalue()).decode("ascii"))
