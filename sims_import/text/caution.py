"""Decides whether free text, a title or a note may mean no. Pure text functions.

These are used where a text is not understood as an answer: they decide whether a person has to
be asked, never what was consented to.
"""

from __future__ import annotations

import re
from functools import lru_cache

from consent_gate.model import Answer
from sims_import.text.aliases import (
    BENIGN_NEGATIONS,
    CAUTION_WORDS,
    HISTORIC_WORDS,
    NEGATIONS,
    SPEAKS_OF_CONSENT,
)
from sims_import.text.aliases import PHOTO_WORDS as _PHOTO_WORDS
from sims_import.text.values import read_answer, read_date
from sims_import.text.vocabulary import OPT_OUT
from sims_import.text.words import odd_signs, words

_BENIGN = re.compile("|".join(BENIGN_NEGATIONS), re.I)
_KEY = re.compile(r"(\S+)\s*=\s*([^,;|=]+?)(?=\s*(?:[,;|]|$))")
_SHORT = 2
"""Letters of a text that may be a code: ``W`` for withdrawn."""


@lru_cache(maxsize=4096)
def negates(text: str) -> bool:
    """Whether a title, a sheet name or a heading says no, or that the list is not today's.

    ``Adm No``, ``do not edit`` and the like are no refusals, nor is a key that says what the
    answers mean anyway (``Y = yes, N = no``).
    """
    pairs = _KEY.findall(text)
    if pairs and all(_same_answer(sign, meaning) for sign, meaning in pairs):
        return says_no(_BENIGN.sub(" ", _KEY.sub(" ", text)))
    plain = _BENIGN.sub(" ", text)
    return says_no(plain) or bool(set(words(plain)) & HISTORIC_WORDS)


def _same_answer(sign: str, meaning: str) -> bool:
    answer = read_answer(sign)
    return answer is not None and answer is read_answer(meaning)


def says_no(text: str) -> bool:
    """Whether a negative word stands anywhere in the text."""
    plain = " ".join(words(text))
    return bool(OPT_OUT.search(plain)) or any(word in NEGATIONS for word in plain.split())


@lru_cache(maxsize=16384)
def may_mean_no(text: str) -> bool:
    """Whether the text of a cell nobody has explained could be a refusal or a restriction.

    An answer, a date, a code of one or two letters, a sign, a negative word, or a word of
    consent, pictures or safeguarding: all of these could.
    """
    if not text or read_answer(text) is Answer.NOT_STATED:
        return _is_cautious(text)
    if read_answer(text) is not None or read_date(text) is not None or len(text) <= _SHORT:
        return True
    return _is_cautious(text)


@lru_cache(maxsize=16384)
def note_may_mean_no(text: str) -> bool:
    """``may_mean_no`` for a column of notes or names, where an answer or a date is no surprise."""
    return bool(text) and (read_answer(text) is Answer.REFUSED or _is_cautious(text))


def _is_cautious(text: str) -> bool:
    said = {word[:-1] if len(word) > 3 and word[-1] == "s" else word for word in words(text)}
    said |= set(words(text))
    sensitive = NEGATIONS | CAUTION_WORDS | SPEAKS_OF_CONSENT | _PHOTO_WORDS
    return bool(said & sensitive) or (bool(odd_signs(text)) and not words(text))
