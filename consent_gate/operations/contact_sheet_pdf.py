"""The contact sheet of the enrolment portraits as a PDF."""

from __future__ import annotations

import io
from collections.abc import Sequence

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_pdf import PdfPages
from matplotlib.figure import Figure
from PIL import Image

from consent_gate.home.home import Home
from consent_gate.operations.contact_sheet import (
    COLUMNS,
    ROWS,
    SheetEntry,
    class_codes,
    portrait_jpeg,
    sheet_pages,
)

_A4_INCHES = (8.27, 11.69)


def sheet_pdf(home: Home, entries: Sequence[SheetEntry]) -> bytes:
    """The sheet as a PDF of A4 pages."""
    out, codes = io.BytesIO(), class_codes(home, entries)
    about = {"Title": "Enrolment portraits", "CreationDate": home.now()}
    fonts = mpl.rc_context({"font.family": "DejaVu Sans", "pdf.fonttype": 42})
    with fonts, PdfPages(out, metadata=about) as pdf:
        for name, page in sheet_pages(entries):
            figure = Figure(figsize=_A4_INCHES)
            title = f"{home.settings.school.name} · {name or 'No class'} · {_today(home)}"
            title += f" · code {codes[name]}"
            figure.suptitle(title, fontsize=11, parse_math=False)
            for place, entry in enumerate(page, start=1):
                _draw(figure.add_subplot(ROWS, COLUMNS, place), home, entry)
            pdf.savefig(figure)
        if not entries:
            pdf.savefig(Figure(figsize=_A4_INCHES))
    return out.getvalue()


def _draw(axes: Axes, home: Home, entry: SheetEntry) -> None:
    jpeg = portrait_jpeg(home, entry)
    axes.set_axis_off()
    if jpeg is not None:
        with Image.open(io.BytesIO(jpeg)) as picture:
            axes.imshow(picture.convert("RGB"))
    label = f"{entry.name}\n{entry.class_name}" + (f"\n{entry.state}" if entry.state else "")
    axes.set_title(label, fontsize=6.5, y=-0.42, parse_math=False)


def _today(home: Home) -> str:
    return f"{home.now().date():%-d %B %Y}"
