"""What makes a workbook show something else than its cells hold. Pure text functions."""

from __future__ import annotations

import re

from sims_import.text.words import tidy

SYMBOL_FONT = re.compile(r"(wing|web|zapf ?)dings|symbol|marlett", re.I)
"""Names of fonts that show letters as signs."""
WORD_FORMAT = re.compile(
    r'"[^"]*(?:[^\W\d_]|[\u2713-\u2718\u2610-\u2612\u00d7])[^"]*"|\\[^\W\d_]|[\u2713-\u2718]'
)
"""A number format that shows a letter, a tick or a cross."""
_TEXT_FORMAT = re.compile(r"@|([^;]*;){3}")
SMALLEST_FONT = 3.0
"""Letters in points that are smaller cannot be read."""
TODAY = re.compile(r"\b(TODAY|NOW)\(", re.I)
"""A formula that depends on the day."""
SMALLEST_HEIGHT, SMALLEST_WIDTH = 2.0, 0.5
"""Rows in points and columns in characters that are smaller cannot be seen."""
_PAGE_CODE = re.compile(r"&(\[\w+\]|\"[^\"]*\"|\d+|K[\dA-F]{6}|[A-Z+])", re.I)
"""``&P`` for the page number and the like, in the header of a printed page."""


def changes_text(number_format: str) -> bool:
    """Whether a number format shows a text otherwise than it is: ``@" withdrawn"``."""
    found = _TEXT_FORMAT.search(number_format) is not None
    return found and WORD_FORMAT.search(number_format) is not None


def page_text(text: str) -> str:
    """The text of a printed page's header or footer without its codes."""
    return tidy(_PAGE_CODE.sub(" ", text))
