"""The calibration report: one dated page that a safeguarding lead can read and keep.

Self-contained HTML: plots are inlined as SVG, nothing is fetched. No names and no admission
numbers: only counts and curves.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping
from datetime import date
from html import escape

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from consent_gate.calibration import Calibration
from consent_gate.tails import Interval, trade_off


def report(
    calibration: Calibration, made_on: date, found_by_size: Mapping[str, Interval] | None = None
) -> str:
    """The whole page as HTML.

    ``found_by_size`` is the share of faces found, by a label such as "20-40 px", where somebody
    has measured it.
    """
    plots = [_likeness(calibration)]
    if len(calibration.genuine):
        plots.append(_errors(calibration))
    if found_by_size:
        plots.append(_found(found_by_size))
    rows = "".join(
        f"<tr><th>{escape(k)}</th><td>{escape(v)}</td></tr>" for k, v in _facts(calibration)
    )
    return _PAGE.format(
        day=f"{made_on:%d %B %Y}",
        verdict=escape(_verdict(calibration)),
        explanation=escape(calibration.explanation),
        rows=rows,
        plots="".join(plots),
    )


def _verdict(calibration: Calibration) -> str:
    if calibration.proposed is None:
        return "No new values are proposed. What is in force stays."
    return "New values are proposed. They count once a member of staff has accepted them."


def _facts(calibration: Calibration) -> list[tuple[str, str]]:
    """The table: what was measured, in words and figures."""
    facts = [
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
        facts.append(("Second pictures of a pupil not recognised", _share(calibration.missed)))
    if calibration.wrong_a_year is not None:
        facts.append(
            (
                "Unknown people a year taken for a pupil who may be published (at most)",
                _count(calibration.wrong_a_year),
            )
        )
    if calibration.proposed is not None:
        promise = calibration.proposed.false_accept_rate
        facts.append(
            ("Promised", f"at most 1 in {1 / promise:.0f} unknown faces taken for a pupil")
        )
    return facts


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


def _likeness(calibration: Calibration) -> str:
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
    return _inline(figure, "How alike pairs of pictures are")


def _errors(calibration: Calibration) -> str:
    """DET curve: what strictness costs."""
    accepted, missed = trade_off(calibration.impostor, calibration.genuine)
    figure = Figure(figsize=(7, 3.2), layout="constrained")
    axes = figure.subplots()
    axes.plot(accepted * 100, missed * 100)
    axes.set_xscale("log")
    axes.set_xlabel("% of pairs of different pupils taken for one")
    axes.set_ylabel("% of second pictures missed")
    return _inline(figure, "What strictness costs (DET curve)")


def _found(found_by_size: Mapping[str, Interval]) -> str:
    """Bars of the share of faces found, with their intervals."""
    figure = Figure(figsize=(7, 2.6), layout="constrained")
    axes = figure.subplots()
    values = np.array([interval.value for interval in found_by_size.values()]) * 100
    low = values - np.array([interval.low for interval in found_by_size.values()]) * 100
    high = np.array([interval.high for interval in found_by_size.values()]) * 100 - values
    axes.bar(list(found_by_size), values, yerr=np.clip([low, high], 0, None), capsize=4)
    axes.set_ylim(0, 100)
    axes.set_xlabel("height of the face")
    axes.set_ylabel("% found")
    return _inline(figure, "Faces found, by size")


def _inline(figure: Figure, caption: str) -> str:
    """The figure as an SVG inside the page; the same figures give the same bytes."""
    stream = io.BytesIO()
    with mpl.rc_context({"svg.hashsalt": "consent-gate", "svg.fonttype": "none"}):
        figure.savefig(stream, format="svg", metadata={"Date": None, "Creator": None})
    data = base64.b64encode(stream.getvalue()).decode("ascii")
    alt = escape(caption)
    return (
        f'<figure><img alt="{alt}" src="data:image/svg+xml;base64,{data}">'
        f"<figcaption>{alt}</figcaption></figure>"
    )


_PAGE = """<!doctype html>
<html lang="en-GB">
<head>
<meta charset="utf-8">
<title>Calibration report, {day}</title>
<style>
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 46rem; margin: 2rem auto }}
table {{ border-collapse: collapse; margin: 1rem 0 }}
th, td {{ text-align: left; padding: .3rem .8rem .3rem 0; border-bottom: 1px solid #ccc;
          vertical-align: top; font-weight: normal }}
td {{ font-weight: 600 }}
figure {{ margin: 1.5rem 0 }}
img {{ max-width: 100% }}
</style>
</head>
<body>
<h1>Calibration report</h1>
<p>{day}</p>
<p><strong>{verdict}</strong></p>
<p>{explanation}</p>
<table>{rows}</table>
{plots}
</body>
</html>
"""
