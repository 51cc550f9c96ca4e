"""Render the calibration report as one dated page, for a safeguarding lead to read and keep.

The HTML is self-contained: it holds the plots and loads nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from django.template.loader import render_to_string

from consent_gate.matching.calibration import Calibration, DetectionBySize
from consent_gate.matching.calibration_report import plots, size_plot, size_rows, table_rows
from consent_gate.matching.own_templates import MINIMUM_YEAR, YearFaces


def report(
    calibration: Calibration,
    made_on: date,
    found: DetectionBySize | None,
    years: Sequence[YearFaces] = (),
    model: str = "",
) -> str:
    """The page as HTML.

    Args:
        calibration: What was measured.
        made_on: Day of the report.
        found: None when faces were not searched for in the portraits again.
        years: How close the faces of each year group are to each other.
        model: Which model of the school was measured; empty for those of the package.
    """
    context: dict[str, object] = {
        "day": f"{made_on:%d %B %Y}",
        "proposed": calibration.proposed is not None,
        "explanation": calibration.explanation,
        "facts": table_rows(calibration),
        "plots": plots(calibration),
        "years": years,
        "model": model,
        "accept": calibration.accept,
        "smallest_year": MINIMUM_YEAR,
        "close_years": [year for year in years if year.confused],
    }
    if found and found.portraits:
        context |= {
            "portraits": found.portraits,
            "unusable": found.unusable,
            "sizes": size_rows(found),
            "size_plot": size_plot(found),
        }
    return render_to_string("reports/calibration.html", context)
