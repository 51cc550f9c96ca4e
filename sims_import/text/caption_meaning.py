"""Decides what captions and consent types mean, or that their meaning is uncertain.

The author of a report may type any caption, so this module never searches for substrings. It splits
a text into words and leaves out filler words ("photographs", "of", "on the"). The rest must be
*exactly* one or more of the school's purposes. "No Photograph" contains "Photograph" and means its
opposite. "Photograph" alone names no use, so it is unclear and a person is asked (docs/domain.md).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import get_close_matches
from functools import lru_cache

from consent_gate.model import BIOMETRIC
from sims_import.text.consent_words import (
    ANSWER_HINTS,
    DATE_WORDS,
    EXPIRY_WORDS,
    FILLERS,
    FILM_WORDS,
    NEGATIONS,
    NEVER_PUBLISH,
    NOTE_WORDS,
    OBJECTIONS,
    OTHER_CONSENTS,
    PHOTO_WORDS,
    PUBLISH_WORDS,
    PURPOSE_PHRASES,
    REFUSALS,
    SPEAKS_OF_CONSENT,
)
from sims_import.text.identity_captions import IDENTITY, IDENTITY_FILLERS, LONG_ANSWERS, LONG_TYPES
from sims_import.text.odd_captions import USE, is_odd, without_numbered_parents
from sims_import.text.own_school import own_caption_words
from sims_import.text.vocabulary import Meaning, Role, Vocabulary
from sims_import.text.words import odd_signs, words

_MAY_BE_YEAR = re.compile(r" [2-9]\d [2-9]\d | [2-9]\d $")
_GRID_ROW = re.compile(r"([^\[\]]*)\[([^\[\]]*[^\W\d_]{2}[^\[\]]*)\]\s*")
"""Google Forms writes the row of a grid in brackets after the question."""
_QUESTION_NUMBER = re.compile(
    r"^\s*((q(uestion)?|item|part|section)[. ]*(\d{1,2}[a-z]?|[a-h])|\d{1,2}[a-h])\b"
    r"[\s.:)\u2013-]*",
    re.I,
)
"""The number of a question in a form, before its text."""
_DONE_BY = re.compile(
    r"\b(given|gave|signed|completed|entered|recorded|answered|submitted|updated|created|input|"
    r"collected|checked|returned|printed|consent|consented|agreed|approved|confirmed|authorised|"
    r"received|processed|added|changed|filled) by$"
)
"""The end of a caption of a column that names who did something."""
OPT_OUT = re.compile(r"\bopt(s|ed|ing)? ?outs?\b")


def _stems(text: str) -> tuple[str, ...]:
    """Words without a plural s and without the numbers of questions, which have two digits.

    ``24/25`` and a number from 20 on at the end may be a year, so they are kept.
    """
    plain = f" {' '.join(words(text))} "
    if _MAY_BE_YEAR.search(plain):
        return tuple(plain.split())
    for hint in ANSWER_HINTS:
        plain = plain.replace(f" {hint} ", " ")
    kept = (w for w in plain.split() if not (w.isdigit() and len(w) <= 2))
    return tuple(w[:-1] if len(w) > 3 and w[-1] == "s" and w[-2] != "s" else w for w in kept)


@lru_cache(maxsize=16384)  # a CSV is read with each delimiter, and each asks for all cells
def meaning_of_caption(caption: str, vocabulary: Vocabulary) -> Meaning:
    """What a column is for, from its caption alone."""
    if match := _GRID_ROW.fullmatch(caption):
        caption = f"{match[1]} {match[2]}"
    if odd_signs(caption):
        return Meaning(Role.UNCLEAR if words(caption) else Role.UNKNOWN)
    identity = meaning_of_identity(caption)
    if identity is not None:
        return identity
    squashed = "".join(words(caption))
    if squashed in LONG_TYPES:
        return Meaning(Role.CONSENT_TYPE)
    if squashed in LONG_ANSWERS:
        return Meaning(Role.CONSENT_ANSWER)
    return meaning_of_type(caption, vocabulary)


def meaning_of_identity(caption: str) -> Meaning | None:
    """The meaning of a caption in ``IDENTITY``; None for any other caption."""
    own = [w for w in words(caption) if w not in IDENTITY_FILLERS]
    role = IDENTITY.get("".join(own)) or IDENTITY.get("".join(words(caption)))
    return Meaning(Role(role)) if role else None


@lru_cache(maxsize=4096)
def meaning_of_type(text: str, vocabulary: Vocabulary) -> Meaning:
    """What a consent type, or the caption of a consent column, means as a whole.

    A sign that may have a meaning ("Website \u2717") makes it unclear. It is unknown if no word is
    about consent or pictures.
    """
    if odd_signs(text):
        return Meaning(Role.UNCLEAR)
    text = without_numbered_parents(_QUESTION_NUMBER.sub("", text) or text)
    stems = _stems(text)
    if _means_never_publish(words(text), stems):
        return Meaning(Role.NEVER_PUBLISH)
    dated = _dated(stems, vocabulary)
    if dated is not None:
        return dated
    negated, rest = _without_negation(stems)
    purposes, left = _take_purposes(rest, vocabulary)
    meaningful = [w for w in left if w not in FILLERS and w not in PHOTO_WORDS]
    film_only = bool(set(left) & FILM_WORDS) and not set(left) & PHOTO_WORDS
    own = _stems(" ".join(sorted(own_caption_words(vocabulary, words(text)))))
    meaningful = [w for w in meaningful if w not in FILM_WORDS and w not in own]
    if not negated and (_DONE_BY.search(" ".join(stems)) or set(stems) & NOTE_WORDS):
        return Meaning(Role.NOTE)
    if negated:
        return _negative(stems, purposes, meaningful, vocabulary)
    if meaningful or film_only or _is_odd(text, stems, purposes, vocabulary):
        return _unknown(stems, purposes, meaningful)
    if purposes:
        return Meaning(Role.CONSENT, purposes)
    return Meaning(Role.GENERAL if _speaks_of_consent(stems) else Role.UNKNOWN)


def _is_odd(
    text: str, stems: tuple[str, ...], purposes: tuple[str, ...], vocabulary: Vocabulary
) -> bool:
    marked = f" {' '.join(stems)} "
    for phrase, _ in _phrases(vocabulary):
        marked = marked.replace(f" {phrase} ", f" {USE} ")
    return bool(purposes) and is_odd(text, marked, of_pictures=set(purposes) != {BIOMETRIC})


def uses_named_in(caption: str, vocabulary: Vocabulary) -> tuple[str, ...]:
    """The purposes that a caption names, whatever else it says."""
    return _take_purposes(_stems(caption), vocabulary)[0]


def _means_never_publish(plain: tuple[str, ...], stems: tuple[str, ...]) -> bool:
    """Whether a text is a never-publish caption, with or without a typing error."""
    squashed = "".join(plain)
    if squashed in NEVER_PUBLISH or "".join(stems) in NEVER_PUBLISH:
        return True
    denies = any(word in NEGATIONS or get_close_matches(word, _NEVER, 1, 0.75) for word in plain)
    return denies and bool(get_close_matches(squashed, NEVER_PUBLISH, 1, 0.9))


_NEVER = ("never", "dont")
"""Words of never-publish captions in which a typing error is recognised."""


def _dated(stems: tuple[str, ...], vocabulary: Vocabulary) -> Meaning | None:
    """The meaning of the caption of a date column ("Website consent date"); None for any other."""
    found = set(stems) & (DATE_WORDS | EXPIRY_WORDS)
    if stems[-1:] in {("on",), ("at",)}:
        found |= {stems[-1]}
    if not found or set(stems) & (NEGATIONS - EXPIRY_WORDS):
        return None
    purposes, left = _take_purposes(tuple(w for w in stems if w not in found), vocabulary)
    if [w for w in left if w not in FILLERS and w not in PHOTO_WORDS]:
        return None
    if not purposes and not _speaks_of_consent(stems):
        return None
    ends = found & EXPIRY_WORDS and "from" not in stems
    role = Role.EXPIRES_ON if ends else Role.GIVEN_ON
    return Meaning(role, purposes)


def _without_negation(stems: tuple[str, ...]) -> tuple[bool, tuple[str, ...]]:
    stems = tuple(OPT_OUT.sub("optout", " ".join(stems)).split())
    rest = tuple(w for w in stems if w not in NEGATIONS)
    return len(rest) < len(stems), rest


def _negative(
    stems: tuple[str, ...], purposes: tuple[str, ...], left: list[str], vocabulary: Vocabulary
) -> Meaning:
    """The meaning of a text with a negation.

    A no can only hold pictures, so it needs less certainty than a yes: a restriction on pictures
    in unknown words counts as a refusal.
    """
    present = set(stems)
    objects = bool(present & OBJECTIONS) and not present & PHOTO_WORDS
    left = [word for word in left if word not in DATE_WORDS]
    if BIOMETRIC in purposes:
        return Meaning(Role.OBJECTION)
    if objects and not purposes and not left:
        return Meaning(Role.REFUSAL)
    pictures = present & (PHOTO_WORDS | FILM_WORDS | PUBLISH_WORDS)
    if purposes or pictures:
        return Meaning(Role.REFUSAL, purposes or vocabulary.names)
    refused = present & REFUSALS or OPT_OUT.search(" ".join(stems))
    if left and not (refused and not _is_other_consent(stems, purposes, left)):
        return _unknown(stems, purposes, left)
    return Meaning(Role.REFUSAL if refused or _speaks_of_consent(stems) else Role.UNKNOWN)


def _unknown(stems: tuple[str, ...], purposes: tuple[str, ...], left: list[str]) -> Meaning:
    if _is_other_consent(stems, purposes, left):
        return Meaning(Role.IGNORE)
    ask = bool(purposes) or _speaks_of_consent(stems)
    return Meaning(Role.UNCLEAR if ask else Role.UNKNOWN)


def _is_other_consent(stems: tuple[str, ...], purposes: tuple[str, ...], left: list[str]) -> bool:
    other = " ".join(left) in OTHER_CONSENTS
    return other and not purposes and not set(stems) & PHOTO_WORDS


def _speaks_of_consent(stems: Iterable[str]) -> bool:
    return bool(set(stems) & (SPEAKS_OF_CONSENT | PHOTO_WORDS | FILM_WORDS))


def _take_purposes(
    stems: tuple[str, ...], vocabulary: Vocabulary
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The purposes named in ``stems``, and the words that name no purpose."""
    text, found = f" {' '.join(stems)} ", []
    for phrase, purpose in _phrases(vocabulary):
        if f" {phrase} " in text:
            text = text.replace(f" {phrase} ", " ")
            found.append(purpose)
    order = [*vocabulary.names, BIOMETRIC]
    return tuple(name for name in order if name in found), tuple(text.split())


@lru_cache(maxsize=16)
def _phrases(vocabulary: Vocabulary) -> tuple[tuple[str, str], ...]:
    """Pairs of phrase and purpose, longest first: "school magazine" comes before "magazine"."""
    own = [
        (phrase, purpose.name)
        for purpose in vocabulary.purposes
        for phrase in (purpose.name, *purpose.aliases, *PURPOSE_PHRASES.get(purpose.name, ()))
    ]
    own += [(phrase, BIOMETRIC) for phrase in PURPOSE_PHRASES[BIOMETRIC]]
    stemmed = {" ".join(_stems(phrase)): name for phrase, name in own}
    stemmed.pop("", None)
    return tuple(sorted(stemmed.items(), key=lambda pair: (-len(pair[0]), pair[0])))
