"""Render the calibration report as one dated page, for a safeguarding lead to read and keep.

The HTML is self-contained: it holds the plots and loads nothing.
"""

from __future__ import annotations

from datetime import date

from django.template.loader import render_to_string

from consent_gate.matching.calibration import Calibration, DetectionBySize
from consent_gate.matching.calibration_report import plots, size_plot, size_rows, table_rows


def report(calibration: Calibration, made_on: date, found: DetectionBySize | None) -> str:
    """The page as HTML.

    ``found`` is None when faces were not searched for in the portraits again.
    """
    context: dict[str, object] = {
        "day": f"{made_on:%d %B %Y}",
        "proposed": calibration.proposed is not None,
        "explanation": calibration.explanation,
        "facts": table_rows(calibration),
        "plots": plots(calibration),
    }
    if found and found.portraits:
        context |= {
            "portraits": found.portraits,
            "unusable": found.unusable,
            "sizes": size_rows(found),
            "size_plot": size_plot(found),
        }
    return render_to_string("reports/calibration.html", context)
