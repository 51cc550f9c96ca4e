"""Make text from outside safe to print and to log.

Names of files, folders and people may hold characters that command a terminal or turn a line
around. Exceptions carry such names too.
"""

from __future__ import annotations

import re
import sys
import traceback
from types import TracebackType

UNPRINTABLE = re.compile(
    "[\\x00-\\x08\\x0b-\\x1f\\x7f-\\x9f\\u061c\\u200e\\u200f\\u2028-\\u202e\\u2066-\\u2069"
    "\\ufff9-\\ufffb\\ud800-\\udfff\\U000e0000-\\U000e007f]"
)
"""Control characters except tab and new line, those that override the direction of text, line ends
of Unicode, invisible tags, and bytes that are not UTF-8."""


def printable(text: str) -> str:
    """The text without ``UNPRINTABLE`` characters. New lines stay."""
    return UNPRINTABLE.sub("", text)


def printable_line(text: str) -> str:
    """The text as one line, so that a name with a new line cannot look like a line of its own."""
    return " ".join(printable(text.replace("\r", "\n")).split("\n"))


def print_uncaught(
    kind: type[BaseException], error: BaseException, where: TracebackType | None
) -> None:
    """Print an error that nothing handled. A hook for ``sys.excepthook``."""
    sys.stderr.write(printable("".join(traceback.format_exception(kind, error, where))))
