"""Compare texts as a reader sees them: letters that look alike are one letter.

The tables are those of Unicode Technical Standard 39 ("Unicode Security Mechanisms"), in the
package ``confusable_homoglyphs``, and the official names of the characters.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from confusable_homoglyphs.confusables import confusables_data

INVISIBLE = frozenset({"Mn", "Me", "Cf"})
"""Unicode categories of combining accents and of characters without width."""

FILLERS = frozenset("\u115f\u1160")
"""Letters of Hangul that show nothing."""

_NAMED = re.compile(
    r"(?:LATIN|NEGATIVE|REGIONAL INDICATOR) .*?(?:LETTER|SMALL CAPITAL) ([A-Z])(?: WITH .*)?"
)
"""The names of letters such as "ø", "ᴀ", "🅐" and "🇦", which no decomposition leads to ASCII."""

_STROKES = str.maketrans({"i": "l", "1": "l", "|": "l", "0": "o"})


def fold_case(text: str) -> str:
    """The text in the form that compares without case and width: NFKC and case folding."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())


def plain_letters(text: str) -> str:
    """The text in small letters without accents and invisible characters.

    A letter of another script that looks like a Latin letter becomes that letter.
    """
    if text.isascii():
        return text.casefold()
    split = unicodedata.normalize("NFKD", text)
    latin = "".join(_latin(character) for character in split)
    folded = unicodedata.normalize("NFKD", latin.casefold())
    return "".join(character for character in folded if not _is_invisible(character))


def skeleton(text: str) -> str:
    """``plain_letters`` with "i", "l", "1" and "|" as one letter, and "m" for "rn".

    Two texts with the same skeleton cannot be told apart at a glance.
    """
    strokes = plain_letters(text).translate(_STROKES)
    return strokes.replace("rn", "m").replace("vv", "w")


@lru_cache(maxsize=4096)
def _latin(character: str) -> str:
    """The Latin letters that a character looks like; the character itself where there are none."""
    if character.isascii() or _is_invisible(character):
        return character
    looks = [str(other["c"]) for other in confusables_data.get(character, ())]
    for text in (character, *looks):
        letters = "".join(_named_letter(part) for part in text)
        if letters.isascii() and letters.isalpha():
            return letters
    return character


def _named_letter(character: str) -> str:
    """The Latin letter that the name of a character gives; else the character."""
    named = _NAMED.fullmatch(unicodedata.name(character, ""))
    if not named or character.isascii():
        return character
    return named[1] if character.isupper() else named[1].lower()


def _is_invisible(character: str) -> bool:
    return unicodedata.category(character) in INVISIBLE or character in FILLERS
