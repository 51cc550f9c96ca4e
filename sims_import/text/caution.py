"""Decides whether free text, a title or a note may mean no. Pure text functions.

They are used for texts that are not understood as answers. They decide whether a person has to be
asked. They never decide whether a consent was given.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from functools import lru_cache

from consent_gate.model import Answer
from sims_import.text.caption_meaning import OPT_OUT
from sims_import.text.consent_words import (
    BENIGN_NEGATIONS,
    CAUTION_WORDS,
    FOREIGN_NEGATIONS,
    HISTORIC_WORDS,
    NEGATIONS,
    OTHER_CONSENTS,
    SENTENCE_WORDS,
    SPEAKS_OF_CONSENT,
    STAFF_WORDS,
    TITLE_WORDS,
)
from sims_import.text.consent_words import PHOTO_WORDS as _PHOTO_WORDS
from sims_import.text.title_words import is_usual_title, names_unknown
from sims_import.text.values import is_uncertain, read_answer, read_date
from sims_import.text.words import odd_signs, word_set, words

_BENIGN = re.compile("|".join(BENIGN_NEGATIONS), re.I)
_KEY = re.compile(
    r"(?<![^\s,;|(])([^\s,;|(=:]+)\s*(=|:|(?<=\s)[-\u2013](?=\s))\s*([^,;|()=]+?)"
    r"(?=\s*(?:[,;|()]|$|\s[^\s,;|(=:]{1,5}\s*(?:=|:|\s[-\u2013]\s)))"
)
"""A sign, what stands after it, and its meaning: ``Y = yes``."""
_KEY_LINE = re.compile(r"(\w{1,5}|\W)\s+(\w+)\b(.*)", re.S)
"""A sign and its meaning in cells of their own, and the rest of the line."""
_KEY_WORDS = word_set("key legend and or blank empty answers columns")
"""Words that may stand between the entries of a key."""
_PAGE = re.compile(r"page \d+( of \d+)?")
_YES_MEANING = frozenset(
    {"consent", "permission", "consents", "has consent", "consent has been given"}
)
_NO_MEANING = frozenset({"no permission", "does not consent", "no reply yet", "not yet returned"})
_TAKES_BACK = re.compile(
    r"\b((leave|keep|stay|wants?|want|left) (her |him |them )?out|tak(e|en) (down|off)|"
    r"see (the )?(e ?mail|letter|office|file|note|s)|(rang|phoned|called|emailed|e mailed|spoke))\b"
)
"""Words of notes that say together that somebody may have taken a consent back."""
_NO_PARENT = re.compile(
    r"(the )?(child|pupil|student|learner|self|himself|herself|young person|friend|"
    r"((class|form|head) ?)?teacher|school|default|system|import(ed)?|auto(matic(ally)?)?|"
    r"migrat\w+|nobody|no one|unknown|sibling|brother|sister)\b"
    r"(?!s? (parent|mother|father|mum|dad|carer))"
)
_BY_CHILDREN = re.compile(
    r"\b(given|signed|completed|answered|entered|submitted|filled in|returned|consented|agreed|"
    r"made|answers|responses|forms) by (the )?(child|children|pupils?|students?|learners?)\b|"
    r"\bconsents? (by|from|of) (the )?child(ren)?\b"
)
"""Words of titles that say together that the children answered."""
_BOTH_ANSWERS = re.compile(r"\b(y|yes)\W+(n|no)\b|\b(n|no)\W+(y|yes)\b", re.I)
_BESIDE_NAME = re.compile(r"[(\[]([^)\]]*)[)\]]?|\s[-\u2013\u2014:]\s*(.+)$")
"""What stands in brackets or after a dash."""
_LOST_LETTER = re.compile("(?<=\\w)\\?|\\?(?=\\w)|\ufffd")
"""What stands for a letter that the export could not write."""
_LIGHTS = word_set("red amber grey off")
"""Names of sheets for those who are left out."""
_NOBODY = word_set(
    "test testing example dummy demo training pupil child student forename surname firstname "
    "lastname name first last placeholder template user"
)
"""Words of names of people who do not exist."""
_NOT_AT_SCHOOL = word_set("lvr lvrs alumni alumnus applicant applicants preadmission")
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
    plain = _without_key(text)
    return plain is None or says_no(plain) or bool(set(words(plain)) & HISTORIC_WORDS)


def title_may_mean_no(text: str, names: Collection[str] = ()) -> bool:
    """Whether a line above, between or below the pupils may change what the table says.

    Such a line is harmless where it is a title or a footer: ``Photo consent 2026``, ``Class 3B``,
    ``Page 1 of 3``. A word of caution or a sentence may restrict every consent of the table:
    ``All website consents are void from 1 September``. So may a word that is not usual in titles.

    Args:
        text: The line.
        names: Words that are known in this file, such as classes, as ``words`` gives them.
    """
    return _restricts(text) or not is_usual_title(_without_key(text) or "", names)


def sheet_may_mean_no(name: str) -> bool:
    """Whether the name of a sheet may change what it says. Unknown words may name classes."""
    return _restricts(name)


def sheet_matters(name: str, names: Collection[str]) -> bool:
    """``sheet_may_mean_no``, also for a refusal, a traffic light and a name nobody knows.

    Args:
        name: The name of the sheet.
        names: Words that are known in this file, such as classes, as ``words`` gives them.
    """
    found = set(words(name)) - set(names)
    light = bool(found) and found <= _LIGHTS
    said = read_answer(name) is Answer.REFUSED or light
    return said or sheet_may_mean_no(name) or names_unknown(name, names)


def _restricts(text: str) -> bool:
    plain = _without_key(text)
    found = _with_singulars(words(plain or ""))
    restricting = CAUTION_WORDS - TITLE_WORDS | SENTENCE_WORDS | STAFF_WORDS | OTHER_CONSENTS
    spoken = " ".join(words(text))
    stale = _STALE.search(spoken) or _BY_CHILDREN.search(spoken)
    return plain is None or negates(text) or bool(found & restricting or stale)


def _without_key(text: str) -> str | None:
    """``text`` without harmless phrases and without a key of usual meanings.

    None if the key gives an answer another meaning than the usual one (``Y = no``), or if more is
    said after it, which may limit the meaning (``Y = yes (2024 form)``).
    """
    plain = _BENIGN.sub(" ", text)
    line = _KEY_LINE.match(plain)
    if line and read_answer(line[2]) is not None:
        plain = f"{line[1]} = {line[2]}{line[3]}"
    keys = [match for match in _KEY.finditer(plain) if _signed_answer(match) is not None]
    if not keys:
        return plain
    rest = plain[keys[0].start() :]
    for match in keys:
        if not _same_answer(_signed_answer(match) or Answer.NOT_STATED, match[3]):
            return None
        rest = rest.replace(match[0], " ")
    if not all(map(_is_harmless_after_key, re.split(r"[,;|()\[\].]", rest))):
        return None
    return plain[: keys[0].start()]


def _signed_answer(match: re.Match[str]) -> Answer | None:
    """The usual answer of the sign of a key; None for an entry that explains no answer."""
    sign, joint, _ = match.groups()
    if joint != "=" and (sign.isdigit() or len(sign) > _SHORT):
        return None
    return Answer.NOT_STATED if sign.casefold() == "blank" else read_answer(sign)


def _is_harmless_after_key(text: str) -> bool:
    plain = " ".join(words(text))
    return not set(plain.split()) - _KEY_WORDS or _PAGE.fullmatch(plain) is not None


def _same_answer(answer: Answer, meaning: str) -> bool:
    """Whether a key gives a sign with this usual answer no meaning that is less strict."""
    plain = " ".join(words(meaning))
    given = plain in _YES_MEANING or read_answer(meaning) is Answer.GIVEN
    refused = plain in _NO_MEANING or read_answer(meaning) is Answer.REFUSED
    if answer is Answer.GIVEN:
        return given
    return refused or (not given and read_answer(meaning) is answer)


def says_no(text: str) -> bool:
    """Whether the text contains a negative word."""
    plain = " ".join(words(text))
    found = {word for one in plain.split() for word in (one, _without_plural(one))}
    return bool(OPT_OUT.search(plain) or found & (NEGATIONS | FOREIGN_NEGATIONS))


def _with_singulars(found: Collection[str]) -> set[str]:
    """The words, and those with a plural s without it: ``queries`` and ``query``."""
    singular = (re.sub("ies$", "y", word) for word in found if len(word) > _SHORTEST_PLURAL)
    return {*found, *map(_without_plural, found), *singular}


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
    if not text or text.casefold().strip(" .") in {"none", "nil"}:
        return False
    return read_answer(text) is Answer.REFUSED or _is_cautious(text)


def no_date(text: str) -> bool:
    """Whether a text in a column of dates is neither a date nor a plain yes, and may say no.

    A date that the gate cannot read has figures in it, and no word of caution.
    """
    if read_date(text) is not None or read_answer(text) is Answer.GIVEN:
        return False
    if read_answer(text) is Answer.NOT_STATED:
        return is_uncertain(text)
    return note_may_mean_no(text) or not any(sign.isdigit() for sign in text)


def is_no_parent(text: str) -> bool:
    """Whether a text about who answered names the child, or somebody who is no parent."""
    return _NO_PARENT.match(" ".join(words(text))) is not None


@lru_cache(maxsize=16384)
def name_may_mean_no(text: str) -> bool:
    """Whether there is more in a cell of names than names: ``Clarke (left)``, ``* Clarke``.

    A single word is a name, whatever it says in English.
    """
    if odd_signs(_LOST_LETTER.sub("", text)) or re.search(r"[*#|%@!_]|^(zz|xx)", text, re.I):
        return True
    found = words(text)
    if len(found) > 1 and set(found) & NEGATIONS:
        return True
    beside = (part for pair in _BESIDE_NAME.findall(text) for part in pair if part)
    return any(note_may_mean_no(p) or set(words(p)) & HISTORIC_WORDS for p in beside)


def is_placeholder(names: Collection[str]) -> bool:
    """Whether the names of a row are those of nobody: ``Test Pupil``, ``Forename Surname``."""
    return bool(names) and {word for name in names for word in words(name)} <= _NOBODY


@lru_cache(maxsize=4096)
def class_may_mean_no(text: str) -> bool:
    """Whether a class or year says that its pupils left or are not yet there, or says more."""
    found = {*words(text), "".join(words(text))}
    return bool(found & (HISTORIC_WORDS | _NOT_AT_SCHOOL)) or name_may_mean_no(text)


def _is_cautious(text: str) -> bool:
    found = {word[:-1] if len(word) > 3 and word[-1] == "s" else word for word in words(text)}
    found |= set(words(text))
    sensitive = NEGATIONS | FOREIGN_NEGATIONS | CAUTION_WORDS | SPEAKS_OF_CONSENT | _PHOTO_WORDS
    if found & sensitive or text.casefold() == "x" or _BOTH_ANSWERS.search(text):
        return True
    return bool(_TAKES_BACK.search(" ".join(words(text)))) or (odd_signs(text) != "" and not found)
