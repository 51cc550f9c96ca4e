"""The calibration report as a page: dated, for a safeguarding lead to read and keep.

Self-contained HTML: the plots are inside, nothing is fetched.
"""

from __future__ import annotations

from datetime import date

from django.template.loader import render_to_string

from consent_gate.matching.calibration import Calibration, DetectionBySize
from consent_gate.matching.calibration_report import plots, size_plot, size_rows, table_rows


def report(calibration: Calibration, made_on: date, found: DetectionBySize | None) -> str:
    """The whole page as HTML. ``found``: None where the portraits weren't looked at again."""
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
