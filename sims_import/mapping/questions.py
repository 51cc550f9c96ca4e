"""Words the questions about an export that only the school can answer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from consent_gate.model import BIOMETRIC
from sims_import.mapping.columns import values
from sims_import.mapping.unknown_columns import unknown_column_matters
from sims_import.readers.interface import Table
from sims_import.text.caution import is_no_parent, note_may_mean_no
from sims_import.text.consent_words import ANSWERED_BY, FREE_NOTES
from sims_import.text.note_words import is_usual_note
from sims_import.text.vocabulary import Meaning, Role, Vocabulary
from sims_import.text.words import key, words

_ASKED = frozenset({Role.UNCLEAR, Role.GENERAL, Role.UNKNOWN, Role.NOTE})
_SAMPLES = 5
MAX_ANSWERS = 12
"""How many unknown answers are asked about one by one. A message counts the others."""
ANSWER_OPTIONS = ("given", "refused", "not_stated")
_SEEN = frozenset({"see", "view"})
"""``Who can see`` is about who sees the pictures and not about who answered."""
_MAX_SAMPLES = 3
"""How many values a question shows of each column, if it is about several columns."""
_KEYS = frozenset({Role.ADMISSION_NUMBER, Role.UPN})
_STATES = frozenset(
    {Role.CONSENT, Role.CONSENT_LIST, Role.CONSENT_TYPE, Role.CONSENT_ANSWER},
)
_LOOSENING = _KEYS | _STATES | {Role.EXPIRES_ON}
"""Roles through which a wrong reading could release something."""


@dataclass
class UnknownAnswer:
    """How often a text that is no known answer occurs, and in which columns."""

    count: int = 0
    captions: dict[str, None] = field(default_factory=dict)
    """Captions of its columns, in order."""


class QuestionTopic(StrEnum):
    """What a question is about."""

    COLUMN = "column"
    TYPE = "type"
    CHANGED = "changed"
    """A caption that replaced one of last term. It is read by its words, but grants wait."""
    CHANGED_TYPE = "changed_type"
    """A consent type that replaced one of last term."""
    MISSING = "missing"
    """No column holds admission numbers or UPNs."""
    ANSWER = "answer"
    """A text in a consent column that is no known answer."""


@dataclass(frozen=True)
class Question:
    """A question for the school. Without an answer, the consent counts as not stated."""

    about: QuestionTopic
    caption: str
    """The caption or type as exported; empty for ``missing``."""
    text: str
    """The question for staff."""
    samples: tuple[str, ...] = ()
    """Some values of the column. They may hold names, so they are shown and never logged."""
    options: tuple[str, ...] = ()
    """Answers that ``apply_answers`` takes, as in the mapping file."""
    was: tuple[str, ...] = ()
    """Captions of last term with the same meaning that are missing now, as ``words.key``."""

    @property
    def code(self) -> str:
        """Stable identifier, for example ``column:Photograph``."""
        return f"{self.about}:{self.caption}"


def options(vocabulary: Vocabulary) -> tuple[str, ...]:
    """Meanings that a person may choose for a consent column or type."""
    names = (*vocabulary.names, BIOMETRIC)
    every = f"{Role.CONSENT}:{'+'.join(vocabulary.names)}"
    return (
        *(f"{Role.CONSENT}:{name}" for name in names),
        *([every] if len(vocabulary.names) > 1 else []),
        str(Role.REFUSAL),
        *(f"{Role.REFUSAL}:{name}" for name in vocabulary.names),
        str(Role.OBJECTION),
        str(Role.NEVER_PUBLISH),
        str(Role.IGNORE),
    )


def column_options(vocabulary: Vocabulary) -> tuple[str, ...]:
    """Meanings that a person may choose for a column with an unknown caption."""
    *consents, ignore = options(vocabulary)
    more = (Role.CONSENT_LIST, Role.EXPIRES_ON, Role.GIVEN_ON, Role.LEAVER)
    return (*consents, *map(str, more), ignore)


def missing_question(table: Table, columns: tuple[Meaning, ...]) -> list[Question]:
    """The question for a table without a column of admission numbers or UPNs."""
    if any(meaning.role in _KEYS for meaning in columns):
        return []
    text = "No column holds the pupils' admission numbers or UPNs. Which one does?"
    choices = tuple(caption for caption in table.captions if caption)
    samples = tuple(
        f"{caption}: {', '.join(list(values(table, at))[:_MAX_SAMPLES])}"
        for at, caption in enumerate(table.captions)
        if caption
    )
    return [Question(QuestionTopic.MISSING, "", text, samples, choices)]


def notes_in_doubt(caption: str, texts: Iterable[str]) -> list[str]:
    """The texts of a column of notes that may take back a consent, or that say who gave it.

    A child, a friend or nobody gives no consent of a parent. Where no person is named, every word
    has to be known.
    """
    found = set(words(caption))
    about_people = bool(found & ANSWERED_BY) and not found & _SEEN
    if about_people or not found & FREE_NOTES:
        return [t for t in texts if note_may_mean_no(t) or (about_people and is_no_parent(t))]
    return [t for t in texts if note_may_mean_no(t) or not is_usual_note(t)]


def answer_questions(unknown: Mapping[str, UnknownAnswer]) -> list[Question]:
    """One question for each text that is no known answer, up to ``MAX_ANSWERS``."""
    return [
        Question(
            QuestionTopic.ANSWER,
            text,
            f"'{text}' stands {_times(found.count)} under {_captions(found.captions)}. Does it "
            "mean yes, no or neither?",
            (),
            ANSWER_OPTIONS,
        )
        for text, found in list(unknown.items())[:MAX_ANSWERS]
    ]


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _captions(captions: Iterable[str]) -> str:
    return ", ".join(f"'{caption}'" for caption in list(captions)[:_MAX_SAMPLES])


def column_questions(
    table: Table, columns: tuple[Meaning, ...], vocabulary: Vocabulary
) -> list[Question]:
    """Questions about unexplained columns: about consent for an unknown use, or wholly unknown."""
    found = []
    has_pupils = any(meaning.role in _KEYS for meaning in columns)
    for at, (caption, meaning) in enumerate(zip(table.captions, columns, strict=True)):
        if meaning.role not in _ASKED or not key(caption):
            continue
        samples = tuple(text for text, _ in values(table, at).most_common(_SAMPLES))
        if meaning.role is Role.NOTE:
            samples = tuple(notes_in_doubt(caption, values(table, at)))[:_SAMPLES]
        if not samples:
            continue
        if meaning.role is Role.UNKNOWN:
            if not has_pupils and not unknown_column_matters(table, at):
                continue
            text = f"Nobody has said what the column '{caption}' is. What does it hold?"
        elif meaning.role is Role.NOTE:
            text = f"Some texts under '{caption}' may take back a consent. What is the column?"
        else:
            text = f"The column '{caption}' speaks of consent. What is it consent for?"
        found.append(
            Question(QuestionTopic.COLUMN, caption, text, samples, column_options(vocabulary))
        )
    return found


def unanswered_questions(table: Table, columns: tuple[Meaning, ...]) -> list[Question]:
    """Questions about columns of consent types, if no column holds the answers."""
    if any(meaning.role is Role.CONSENT_ANSWER for meaning in columns):
        return []
    choices = (str(Role.CONSENT_LIST), str(Role.IGNORE))
    return [
        Question(
            QuestionTopic.COLUMN,
            caption,
            f"'{caption}' names consents, but nothing says whether they were given. Does a row "
            "there always mean yes?",
            tuple(text for text, _ in values(table, at).most_common(_SAMPLES)),
            choices,
        )
        for at, (caption, meaning) in enumerate(zip(table.captions, columns, strict=True))
        if meaning.role is Role.CONSENT_TYPE
    ]


def type_questions(
    pieces: Iterable[str], types: dict[str, Meaning], vocabulary: Vocabulary
) -> list[Question]:
    """Questions about consent types in cells that name no known use."""
    return [
        Question(
            QuestionTopic.TYPE,
            piece,
            f"The consent '{piece}' names no use of pictures that we know. What is it for?",
            (),
            options(vocabulary),
        )
        for piece in pieces
        if types[key(piece)].role in {Role.UNCLEAR, Role.GENERAL}
    ]


def changed_column_questions(
    table: Table,
    columns: tuple[Meaning, ...],
    known: dict[str, Meaning],
    vocabulary: Vocabulary,
) -> list[Question]:
    """Questions about captions that replaced captions of last term's mapping.

    ``known`` holds last term's meanings by ``words.key``. A new caption with a new meaning replaces
    nothing, so it is not asked about here.
    """
    found = [(text, at) for at, text in enumerate(table.captions) if key(text)]
    gone = _gone(known, (text for text, _ in found))
    return [
        _changed(
            QuestionTopic.CHANGED,
            text,
            columns[at],
            was,
            tuple(value for value, _ in values(table, at).most_common(_SAMPLES)),
            vocabulary,
        )
        for text, at in found
        if key(text) not in known and (was := _replaced(columns[at], gone))
    ]


def changed_type_questions(
    pieces: Iterable[str],
    types: dict[str, Meaning],
    known: dict[str, Meaning],
    vocabulary: Vocabulary,
) -> list[Question]:
    """Questions about consent types that replaced types of last term's mapping."""
    pieces = list(pieces)
    gone = _gone(known, pieces)
    return [
        _changed(QuestionTopic.CHANGED_TYPE, piece, types[key(piece)], was, (), vocabulary)
        for piece in pieces
        if key(piece) not in known and (was := _replaced(types[key(piece)], gone))
    ]


def _gone(known: dict[str, Meaning], texts: Iterable[str]) -> dict[str, Meaning]:
    present = {key(text) for text in texts}
    return {caption: meaning for caption, meaning in known.items() if caption not in present}


def _replaced(meaning: Meaning, gone: dict[str, Meaning]) -> tuple[str, ...]:
    return tuple(caption for caption, old in gone.items() if _replaces(meaning, old))


def _changed(  # noqa: PLR0913, PLR0917  each is a part of the question
    about: QuestionTopic,
    text: str,
    meaning: Meaning,
    was: tuple[str, ...],
    samples: tuple[str, ...],
    vocabulary: Vocabulary,
) -> Question:
    before = " or ".join(f"'{caption}'" for caption in was)
    question = f"'{text}' was not in last term's export, which had {before} instead. What is it?"
    others = options(vocabulary) if meaning.role is Role.CONSENT else (str(Role.IGNORE),)
    choices = tuple(dict.fromkeys((str(meaning), *others)))
    return Question(about, text, question, samples, choices, was)


def _replaces(new: Meaning, old: Meaning) -> bool:
    """Whether a caption may have replaced another in a way that could release a picture."""
    if new.role not in _LOOSENING:
        return False
    return new == old or (new.role in _STATES and old.role in _STATES and new.role != old.role)
