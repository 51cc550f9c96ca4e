"""The calibration report: one dated page that a safeguarding lead can read and keep.

Self-contained HTML: plots are inlined as SVG, nothing is fetched. No names and no admission
numbers: only counts and curves.
"""

from __future__ import annotations

import base64
import io
from datetime import date
from html import escape

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from consent_gate.calibration import Calibration, FoundBySize
from consent_gate.tails import Interval, trade_off


def report(calibration: Calibration, made_on: date, found: FoundBySize | None) -> str:
    """The whole page as HTML. ``found``: None where the portraits weren't looked at again."""
    plots = [_likeness(calibration)]
    if len(calibration.genuine):
        plots.append(_errors(calibration))
    return _PAGE.format(
        day=f"{made_on:%d %B %Y}",
        verdict=escape(_verdict(calibration)),
        explanation=escape(calibration.explanation),
        rows=_rows(_facts(calibration)),
        plots="".join(plots),
        found=_found(found) if found and found.portraits else f"<p>{NOT_LOOKED_FOR}</p>",
    )


NOT_LOOKED_FOR = (
    "Not measured. Enrolment photos are not kept, so this needs them once more: calibrate with "
    "--photos and the folder they were enrolled from."
)

HOW_LOOKED_FOR = (
    "Each face was made smaller in a plain picture of a camera's size and looked for again. At an "
    "event faces are turned, hidden and blurred as well, and fewer are found; they also have a "
    "body and surroundings, which help. A face that may be one is enough to hold a picture; a "
    "missed one is not, and a picture may go out with a person nobody saw."
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
    faces = calibration.volume.unknown_faces_a_year
    facts.append(
        (
            "Faces of people who aren't enrolled, a year",
            f"{faces:.0f} ({calibration.volume.basis})",
        )
    )
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


def _rows(facts: list[tuple[str, str]]) -> str:
    return "".join(f"<tr><th>{escape(k)}</th><td>{escape(v)}</td></tr>" for k, v in facts)


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


def _found(found: FoundBySize) -> str:
    """What was looked for, a table by height, and bars with their intervals."""
    left_out = f" {found.unusable} were left out: no face was found in them at full size."
    rows = "".join(
        f"<tr><th>{height} px</th><td>{one.face}</td><td>{one.possible}</td><td>{one.missed}</td>"
        f"<td>{_share(one.found)}</td></tr>"
        for height, one in found.sizes.items()
        if one.shown
    )
    return (
        f"<p>{found.portraits} of the school's enrolment photos."
        f"{left_out if found.unusable else ''} {escape(HOW_LOOKED_FOR)}</p>"
        "<table><tr><th>Height of the face</th><th>Found</th><th>Possibly a face</th>"
        f"<th>Missed</th><th>Found or possible</th></tr>{rows}</table>{_bars(found)}"
    )


def _bars(found: FoundBySize) -> str:
    sizes = {f"{height} px": one for height, one in found.sizes.items() if one.shown}
    figure = Figure(figsize=(7, 2.8), layout="constrained")
    axes = figure.subplots()
    sure = np.array([100 * one.face / one.shown for one in sizes.values()])
    shares = [one.found for one in sizes.values()]
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
    return _inline(figure, "Faces found, by size, with the range that is 95 % sure")


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
<h2>Telling pupils apart</h2>
<table>{rows}</table>
{plots}
<h2>Finding small faces</h2>
{found}
</body>
</html>
"""
