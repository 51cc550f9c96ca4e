"""Decides whether free text, a title or a note may mean no. Pure text functions.

They are used for texts that are not understood as answers. They decide whether a person has to be
asked. They never decide whether a consent was given.
"""

from __future__ import annotations

import re
from functools import lru_cache

from consent_gate.model import Answer
from sims_import.text.caption_meaning import OPT_OUT
from sims_import.text.consent_words import (
    BENIGN_NEGATIONS,
    CAUTION_WORDS,
    HISTORIC_WORDS,
    NEGATIONS,
    OTHER_CONSENTS,
    SENTENCE_WORDS,
    SPEAKS_OF_CONSENT,
    STAFF_WORDS,
    TITLE_WORDS,
)
from sims_import.text.consent_words import PHOTO_WORDS as _PHOTO_WORDS
from sims_import.text.values import read_answer, read_date
from sims_import.text.words import odd_signs, words

_BENIGN = re.compile("|".join(BENIGN_NEGATIONS), re.I)
_KEY = re.compile(r"(\S+)\s*=\s*([^,;|=]+?)(?=\s*(?:[,;|]|$))")
_STALE = re.compile(r"\b(out of date|last years?|up to)\b")
"""Words of titles that say together that a list is old or ends early."""
_SHORTEST_PLURAL = 5
"""A longer word may be the plural of a word that says no."""
_SHORT = 2
"""Longest text, in characters, that may be a code, such as ``W`` for withdrawn."""


@lru_cache(maxsize=4096)
def negates(text: str) -> bool:
    """Whether a title, a sheet name or a heading says no, or says that the list is old.

    ``Adm No``, ``do not edit`` and the like are no refusals. A key that gives the answers their
    usual meaning (``Y = yes, N = no``) is no refusal either.
    """
    pairs = _KEY.findall(text)
    if pairs and all(_same_answer(sign, meaning) for sign, meaning in pairs):
        return says_no(_BENIGN.sub(" ", _KEY.sub(" ", text)))
    plain = _BENIGN.sub(" ", text)
    return says_no(plain) or bool(set(words(plain)) & HISTORIC_WORDS)


def title_may_mean_no(text: str) -> bool:
    """Whether a line above, between or below the pupils may change what the table says.

    Such a line is harmless where it is a title or a footer: ``Photo consent 2026``, ``Class 3B``,
    ``Page 1 of 3``. A word of caution or a sentence may restrict every consent of the table:
    ``All website consents are void from 1 September``.
    """
    found = set(words(_BENIGN.sub(" ", text)))
    restricting = CAUTION_WORDS - TITLE_WORDS | SENTENCE_WORDS | STAFF_WORDS | OTHER_CONSENTS
    return negates(text) or bool(found & restricting or _STALE.search(" ".join(words(text))))


def _same_answer(sign: str, meaning: str) -> bool:
    answer = read_answer(sign)
    return answer is not None and answer is read_answer(meaning)


def says_no(text: str) -> bool:
    """Whether the text contains a negative word."""
    plain = " ".join(words(text))
    found = {word for one in plain.split() for word in (one, _without_plural(one))}
    return bool(OPT_OUT.search(plain) or found & NEGATIONS)


def _without_plural(word: str) -> str:
    """``withdrawals`` without its s; short words such as ``nos`` and ``ends`` as they are."""
    return word[:-1] if len(word) > _SHORTEST_PLURAL and word[-1] == "s" else word


@lru_cache(maxsize=16384)
def may_mean_no(text: str) -> bool:
    """Whether the text of a cell in an unexplained column may be a refusal or a restriction.

    An answer, a date, a code of one or two letters, a sign, a negative word, and any word about
    consent, pictures or safeguarding may be one.
    """
    if not text or read_answer(text) is Answer.NOT_STATED:
        return _is_cautious(text)
    if read_answer(text) is not None or read_date(text) is not None or len(text) <= _SHORT:
        return True
    return _is_cautious(text)


@lru_cache(maxsize=16384)
def note_may_mean_no(text: str) -> bool:
    """``may_mean_no`` for notes and names, where a yes, a date or a short code is normal."""
    return bool(text) and (read_answer(text) is Answer.REFUSED or _is_cautious(text))


def _is_cautious(text: str) -> bool:
    found = {word[:-1] if len(word) > 3 and word[-1] == "s" else word for word in words(text)}
    found |= set(words(text))
    sensitive = NEGATIONS | CAUTION_WORDS | SPEAKS_OF_CONSENT | _PHOTO_WORDS
    return bool(found & sensitive) or (bool(odd_signs(text)) and not words(text))
