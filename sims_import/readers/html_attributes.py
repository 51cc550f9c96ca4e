"""Reads what the tags of a web page say about its cells beside their text. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from consent_gate.model import Answer
from sims_import.readers.interface import MAX_COLUMNS
from sims_import.text.caution import sheet_may_mean_no, title_may_mean_no
from sims_import.text.values import read_answer
from sims_import.text.words import tidy, word_set, words

Attributes = Mapping[str, str | None]

_PLAIN_TAGS = word_set(
    """a abbr acronym address b bdi bdo big blockquote br caption center cite code col colgroup dd
    del dfn div dl dt em font h1 h2 h3 h4 h5 h6 hr i img ins kbd label li link meta nobr ol p pre q
    s samp script small span strike strong style sub sup table tbody td template tfoot th thead time
    title tr tt u ul var wbr"""
)
"""Tags whose text is shown as it is read. Office programs add tags with a colon."""
_SAYS_VALUE = frozenset({"x:str", "x:num", "sdval", "data-value", "aria-label", "abbr"})
"""Attributes that hold the value of a cell, which may differ from its text."""
_SAYS_TEXT = frozenset({"title", "summary", "class", "id", "alt"})
_BENIGN = re.compile(
    r"\b(no|not)[\W_]*(wrap|print|border|borders|padding|margin|sort|break|footer|header|gutters?|line|"
    r"underline|select|export|filter|search|data|\d+)\b",
    re.I,
)
"""Names of styles and of programs that have a word such as ``no`` in them."""

_PLACE = re.compile(r"^\W*(begin|start|end)\b( of)?", re.I)
"""The beginning of a comment that says where a part of the page begins or ends."""


def is_drawn(tag: str, attributes: Attributes) -> bool:
    """Whether a tag inside a cell shows something that is not in the page's text."""
    if tag == "img":
        return not attributes.get("alt")
    icon = tag == "i" and bool(attributes.get("class"))
    return icon or (tag not in _PLAIN_TAGS and ":" not in tag)


def may_change_cell(attributes: Attributes) -> bool:
    """Whether an attribute of a row, of a cell or of a tag in a cell may say no to its text."""
    return any(map(sheet_may_mean_no, _texts(attributes))) or title_may_mean_no(
        attributes.get("title") or ""
    )


def values_of(attributes: Attributes) -> Iterator[str]:
    """What the attributes of a cell say that its value is."""
    return (tidy(text) for name, text in attributes.items() if name in _SAYS_VALUE and text)


def contradicts(value: str, text: str) -> bool:
    """Whether a value in an attribute is no yes although the cell's text is one."""
    return read_answer(text) is Answer.GIVEN and read_answer(value) in {
        Answer.REFUSED,
        Answer.NOT_STATED,
    }


def comment_text(data: str) -> str:
    """A comment of the page if it may say no; empty for those of office programs."""
    text = tidy(_PLACE.sub("", data))
    return "" if text.startswith("[") or not sheet_may_mean_no(text) else text


def _texts(attributes: Attributes) -> Iterator[str]:
    for name, text in attributes.items():
        if text and (name in _SAYS_TEXT or name.startswith(("data-", "aria-"))):
            yield " ".join(words(_BENIGN.sub(" ", text)))
            if text in {"true", "1"}:
                yield name.replace("-", " ")


def span_of(text: str | None) -> int:
    """The number of a span attribute; an invalid one counts as 1."""
    found = re.fullmatch(r"\s*(\d{1,4})\s*", text or "")
    return min(max(int(found[1]), 1), MAX_COLUMNS + 1) if found else 1
