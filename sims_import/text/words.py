"""Normalises captions and cells so that they can be compared. Pure text functions."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

_INVISIBLE = dict.fromkeys(map(ord, "\u200b\u200c\u200d\u2060\ufeff\u00ad\ufe0e\ufe0f"))
"""Zero-width characters, and the variation selectors that turn a tick into an emoji."""
_PLAIN_SIGNS = frozenset(
    " \t\n-\u2013\u2014\u2010\u2011:/.,;()&'\u2018\u2019\u201c\u201d\"_?*#|%@\u00a3$\u00b7\u2022"
)
"""Signs that do not change the meaning of a caption. Any other sign may."""


def tidy(text: str) -> str:
    """``text`` in NFC, without invisible characters, with each run of white space as one space."""
    if text.isascii():
        return " ".join(text.split())
    return " ".join(unicodedata.normalize("NFC", text).translate(_INVISIBLE).split())


def tidy_cell(text: str) -> str:
    """``tidy`` for each line, without empty lines. A cell may list one consent type a line."""
    if "\n" not in text and "\r" not in text:
        return tidy(text)
    return "\n".join(line for part in text.splitlines() if (line := tidy(part)))


def words(text: str) -> tuple[str, ...]:
    """Lower-case words without accents or punctuation; ``ChosenName`` is two words."""
    split = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", text)
    plain = "".join(c for c in unicodedata.normalize("NFKD", split) if not unicodedata.combining(c))
    return tuple(re.findall(r"[^\W_]+", re.sub(r"['\u2019\u02bc`]", "", plain.casefold())))


def odd_signs(text: str) -> str:
    """The signs in ``text`` that may have a meaning of their own, for example a cross.

    One question mark ends a question and is ignored. Two or more may express a doubt.
    """
    if "??" in text:
        return "??"
    return "".join(c for c in text if not c.isalnum() and c not in _PLAIN_SIGNS and not _mark(c))


def _mark(sign: str) -> bool:
    """An accent that stands alone, or a letter-like apostrophe."""
    # Combining class 1 is an overlay, such as a line through the letter.
    return unicodedata.combining(sign) > 1 or sign in "\u02bc`\u00a0"


@lru_cache(maxsize=4096)
def key(text: str) -> str:
    """The form in which captions and types are compared and saved. It keeps odd signs."""
    return " ".join((*words(text), *odd_signs(text)))


def word_set(text: str, separator: str | None = None) -> frozenset[str]:
    """The entries of a list separated by spaces or by ``separator``."""
    return frozenset(" ".join(word.split()) for word in text.split(separator))
