"""Decides whether a message that a workbook shows at a cell may limit the answers. Pure.

Excel shows such messages when somebody chooses a cell or types a wrong value.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from sims_import.text.caution import title_may_mean_no
from sims_import.text.consent_words import FILM_WORDS
from sims_import.text.words import words

_BOTH = r"(yes|y|t|true|1|tick|a tick) (or |and )?(no|n|f|false|0|blank)( or blank)?( only)?"
_VERB = (
    r"(please |you (must|can|may) )?(only )?"
    r"(choose|select|pick|enter|type|use|put|click|answer|input)( only)?"
)
_THING = r"(a |an |one |the |your )?(valid |correct )?(value|option|answer|item|entry|response)s?"
_LIST = (
    r"( (from|in|on|of))?( (the|this))?( drop ?down)?( (list|menu|box|arrow|options?))?( below)?"
)
_TIME = re.compile(r"\b20\d\d\b|\b\d\d ?[/-] ?\d\d\b")
"""A year or a school year, which may have ended."""
_HARMLESS = re.compile(
    rf"{_VERB}( either)? {_BOTH}{_LIST}|{_VERB}( {_THING})?{_LIST}|(must be |only )?{_BOTH}|"
    r"the value you entered is not valid|"
    r"a user has restricted values that can be entered into this cell|"
    r"this value doesnt match the data validation restrictions defined for this cell|"
    r"(invalid|incorrect|wrong) (entry|value|answer|input|data)|data validation|error|input|"
    r"(this |the )?(value|entry|answer) is (not valid|invalid|not allowed)|(please )?try again"
)
"""Sentences that say how to fill in a cell, as ``words`` gives them. They match from the start."""


def message_may_mean_no(text: str, names: Collection[str] = ()) -> bool:
    """Whether a message at a cell may change what the answers in its column mean.

    Args:
        text: The message or its title.
        names: Words that are known in this file, such as those of its captions.
    """
    if _TIME.search(text):
        return True
    if title_may_mean_no(text, names):
        return any(_limits(sentence, names) for sentence in re.split(r"[.!;\n]", text))
    return False


def _limits(sentence: str, names: Collection[str]) -> bool:
    plain = " ".join(words(sentence))
    found = [match.end() for match in _HARMLESS.finditer(plain) if match.start() == 0]
    rest = plain[found[0] :].strip() if found else sentence
    return title_may_mean_no(rest, names) or bool(set(words(rest)) & FILM_WORDS)
