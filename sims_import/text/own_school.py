"""Tells the school's own name from the name of another school. Pure text functions.

The own name comes from the settings. Where the settings have none, the words before the titles of
the channels count: ``Millfields Mag`` says that the school is called Millfields.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from functools import lru_cache

from sims_import.text.consent_words import (
    CAUTION_WORDS,
    FILM_WORDS,
    FOREIGN_NEGATIONS,
    HISTORIC_WORDS,
    NEGATIONS,
    NOTE_WORDS,
    PARENT_WORDS,
    PURPOSE_PHRASES,
    SENTENCE_WORDS,
    SPEAKS_OF_CONSENT,
    STAFF_WORDS,
)
from sims_import.text.title_words import is_known_word
from sims_import.text.vocabulary import Vocabulary
from sims_import.text.words import word_set, words

_PHASES = word_set(
    """infant infants junior juniors primary nursery secondary high grammar sixth middle prep
    preparatory upper lower special academy college
    catholic rc"""
)
"""Words for kinds of school. An infant and a junior school may share a name."""
_ENDS = word_set(
    "school academy college primary infant infants junior juniors nursery secondary high grammar "
    "cofe"
)
"""Words that end the name of a school."""
_BEGINS = word_set("ysgol coleg bunscoil gaelscoil")
"""Words that begin the name of a school in Welsh, Irish or Gaelic."""
_INSIDE = word_set(
    """the of and community ce cofe cof c e church england catholic rc roman voluntary aided
    controlled va vc foundation cp st gynradd uwchradd comprehensive"""
)
"""Words inside the names of many schools."""
_LABEL = re.compile(
    r"\b(?:school|academy|college|establishment|federation|trust)(?: name)?\s*[:=]\s*([^,;|()]+)",
    re.I,
)
_CODE = re.compile(r"[\W\d_]*")
_PART = re.compile(r"[,;|()\[\]\n:]|\s[-\u2013\u2014/]\s")
_MEANINGFUL = (
    NEGATIONS
    | FOREIGN_NEGATIONS
    | CAUTION_WORDS
    | FILM_WORDS
    | HISTORIC_WORDS
    | NOTE_WORDS
    | PARENT_WORDS
    | SENTENCE_WORDS
    | SPEAKS_OF_CONSENT
    | STAFF_WORDS
)
"""Words that may change what a heading means, even if they are part of the school's name."""
_SHORTEST_INITIALS = 3


@lru_cache(maxsize=64)
def own_words(vocabulary: Vocabulary) -> frozenset[str]:
    """The words that only this school's name has, and its initials; empty if it is not known."""
    name = re.sub(r"\(.*?\)", " ", vocabulary.school)
    found = _distinctive(words(name))
    if found:
        initials = "".join(word[0] for word in words(name) if word not in {"the", "of", "and"})
        return found | ({initials} if len(initials) >= _SHORTEST_INITIALS else set())
    return frozenset(
        word
        for purpose in vocabulary.purposes
        for phrase in PURPOSE_PHRASES.get(purpose.name, ())
        for alias in (purpose.title, *purpose.aliases)
        for word in _distinctive(_before(words(alias), words(phrase)))
    )


def own_caption_words(vocabulary: Vocabulary, caption: Collection[str]) -> frozenset[str]:
    """Words of the own school's name that say nothing in a heading: ``Millfields Website``.

    ``Community website`` may be the website of somebody else, so words that other schools have as
    well count only beside one that only this school has. ``caption`` are the heading's words.
    """
    found = own_words(vocabulary) - _MEANINGFUL
    if not found & set(caption):
        return frozenset()
    return found | (frozenset(words(vocabulary.school)) & (_PHASES | _INSIDE))


def other_school(text: str, vocabulary: Vocabulary, names: Collection[str] = ()) -> str:
    """The part of a line that names another school than the own one; empty if none does.

    Args:
        text: A title, a footer, a section heading or the name of a sheet.
        vocabulary: The own school's name and uses.
        names: Words that are known in this file, such as classes, as ``words`` gives them.
    """
    own = own_words(vocabulary)
    if not own:
        return ""
    for label in _LABEL.findall(text):
        if is_other_name(label, vocabulary):
            return str(label).strip()
    for part in _PART.split(text):
        name = _school_in(re.findall(r"[^\W_][\w'\u2019.&]*", part), names)
        if name and is_other_name(name, vocabulary):
            return name
    return ""


def other_school_in_file_name(name: str, vocabulary: Vocabulary) -> str:
    """The name of another school in the name of a file; empty if there is none."""
    stem = name.rpartition("/")[2].rpartition(".")[0]
    found = _school_in([word.capitalize() for word in words(stem.replace("_", " "))], ())
    return found if own_words(vocabulary) and is_other_name(found, vocabulary) else ""


def is_other_name(name: str, vocabulary: Vocabulary) -> bool:
    """Whether ``name``, which names a school, is neither the own name nor a part of it."""
    own, found = own_words(vocabulary), words(name)
    if not own or not _distinctive(found):
        return False
    if not _distinctive(found) <= own:
        return True
    known = _distinctive(words(re.sub(r"\(.*?\)", " ", vocabulary.school)))
    return bool(known and _phases(found) - _phases(words(vocabulary.school)))


def without_own_name(text: str, vocabulary: Vocabulary) -> str:
    """``text`` with "school" in place of the whole name of the own school."""
    if not _distinctive(words(vocabulary.school)):
        return text
    name = re.sub(r"\(.*?\)", " ", vocabulary.school)
    pattern = r"\W+".join(re.escape(word) for word in name.split())
    return re.sub(rf"\b{pattern}(?!\w)", "school", text, flags=re.I)


def _distinctive(found: Collection[str]) -> frozenset[str]:
    """The words of a name that not every school has."""
    shared = _PHASES | _ENDS | _BEGINS | _INSIDE
    return frozenset(w for w in found if w not in shared and not is_known_word(w))


def _phases(found: Collection[str]) -> frozenset[str]:
    return frozenset("catholic" if w == "rc" else w.rstrip("s") for w in found if w in _PHASES)


def _before(found: tuple[str, ...], phrase: tuple[str, ...]) -> tuple[str, ...]:
    return found[: -len(phrase)] if found[-len(phrase) :] == phrase else ()


def _school_in(tokens: list[str], names: Collection[str]) -> str:
    """The words that name a school: capitals before ``School`` or after ``Ysgol``."""
    for at, token in enumerate(tokens):
        word = "".join(words(token))
        run: list[str] = []
        if word in _ENDS:
            run = list(_run(reversed(tokens[:at]), names))[::-1]
            run += _of_place(tokens[at + 1 :], names)
        elif word in _BEGINS:
            run = list(_run(tokens[at + 1 :], names))
        if _distinctive([w for part in run for w in words(part)]):
            return " ".join([*run, token] if word in _ENDS else [token, *run])
    return ""


def _of_place(tokens: list[str], names: Collection[str]) -> list[str]:
    """``of Oakdale`` after ``Academy``."""
    return list(_run(tokens, names)) if tokens[:1] and tokens[0].casefold() == "of" else []


def _run(tokens: Iterable[str], names: Collection[str]) -> list[str]:
    """The tokens up to the first that cannot be a part of a school's name."""
    run: list[str] = []
    for token in tokens:
        parts = words(token)
        inside = all(w in _INSIDE | _PHASES | _ENDS for w in parts)
        name = token[0].isupper() and not all(is_known_word(w, names) for w in parts)
        if not (inside or name) or _CODE.fullmatch(token):
            break
        run.append(token)
    return run
