"""The questions that only the school can answer about an export."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from consent_gate.model import BIOMETRIC
from sims_import.mapping.columns import values
from sims_import.readers.interface import Table
from sims_import.text.aliases import STATUS_WORDS
from sims_import.text.caution import may_mean_no, note_may_mean_no
from sims_import.text.vocabulary import Meaning, Role, Vocabulary
from sims_import.text.words import key, words

_ASKED = frozenset({Role.UNCLEAR, Role.GENERAL, Role.UNKNOWN, Role.NOTE})
_SAMPLES = 5
MAX_ANSWERS = 12
"""Unknown answers that are asked about one by one; the message counts the others."""
ANSWER_OPTIONS = ("given", "refused", "not_stated")
_ROW_NUMBERS = 3
"""As many different numbers in a column as make it one that counts rows."""
_MAX_SAMPLES = 3
"""Values shown of each column where any of them could be meant."""
_KEYS = frozenset({Role.ADMISSION_NUMBER, Role.UPN})
_STATES = frozenset(
    {Role.CONSENT, Role.CONSENT_LIST, Role.CONSENT_TYPE, Role.CONSENT_ANSWER},
)
_LOOSENING = _KEYS | _STATES | {Role.EXPIRES_ON}
"""Roles through which a wrong reading could release something."""


@dataclass
class UnknownAnswer:
    """A text that is no answer we know, and where it stands."""

    count: int = 0
    captions: dict[str, None] = field(default_factory=dict)
    """Captions of its columns, in order."""


class QuestionTopic(StrEnum):
    """What a question is about."""

    COLUMN = "column"
    TYPE = "type"
    CHANGED = "changed"
    """A caption that wasn't there last term. It is read as it looks, but grants wait."""
    CHANGED_TYPE = "changed_type"
    """The same of a consent type."""
    MISSING = "missing"
    """No column tells pupils apart."""
    ANSWER = "answer"
    """A text in the cells of a consent that is no answer we know."""


@dataclass(frozen=True)
class Question:
    """Something only the school can say. Unanswered, the column counts as not stated."""

    about: QuestionTopic
    caption: str
    """The caption or type as exported; empty for ``missing``."""
    text: str
    """In plain words, for staff."""
    samples: tuple[str, ...] = ()
    """Some of the column's values. May hold names: for the screen, never for a log."""
    options: tuple[str, ...] = ()
    """Answers that ``apply_answers`` takes, as in the mapping file."""
    was: tuple[str, ...] = ()
    """Captions of last term with the same meaning that are now gone, as ``words.key``."""

    @property
    def code(self) -> str:
        """Stable identifier, for example ``column:Photograph``."""
        return f"{self.about}:{self.caption}"


def options(vocabulary: Vocabulary) -> tuple[str, ...]:
    """What a consent column or type may be settled as."""
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
    """What a column that nobody knows may be settled as."""
    *consents, ignore = options(vocabulary)
    more = (Role.CONSENT_LIST, Role.EXPIRES_ON, Role.GIVEN_ON, Role.LEAVER)
    return (*consents, *map(str, more), ignore)


def unknown_column_matters(table: Table, column: int) -> bool:
    """Whether anything in a column nobody knows may mean no. Row numbers do not."""
    texts = values(table, column)
    if len(texts) >= _ROW_NUMBERS and all(t.isdigit() and n == 1 for t, n in texts.items()):
        return False
    if set(words(table.captions[column])) & STATUS_WORDS:
        return bool(texts)
    return any(map(may_mean_no, texts))


def missing_question(table: Table, columns: tuple[Meaning, ...]) -> list[Question]:
    """Asked when neither an admission number nor a UPN is to be found."""
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


def answer_questions(unknown: Mapping[str, UnknownAnswer]) -> list[Question]:
    """Texts that stand where an answer should, each once however often it comes."""
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
    """Columns that nobody has explained: of consent for an unknown use, or of nothing we know."""
    found = []
    has_pupils = any(meaning.role in _KEYS for meaning in columns)
    for at, (caption, meaning) in enumerate(zip(table.captions, columns, strict=True)):
        if meaning.role not in _ASKED or not key(caption):
            continue
        samples = tuple(text for text, _ in values(table, at).most_common(_SAMPLES))
        if meaning.role is Role.NOTE:
            samples = tuple(filter(note_may_mean_no, values(table, at)))[:_SAMPLES]
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
    """A column of consent types with no column that says whether they were given."""
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
    """Consent types named in cells that cover no use we know of."""
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
    """Captions that stand where last term's mapping had others, now gone.

    ``known`` by ``words.key``. A caption for something that no caption stood for before is no
    change.
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
    """Consent types that stand where last term's mapping had others, now gone."""
    pieces = list(pieces)
    gone = _gone(known, pieces)
    return [
        _changed(QuestionTopic.CHANGED_TYPE, piece, types[key(piece)], was, (), vocabulary)
        for piece in pieces
        if key(piece) not in known and (was := _replaced(types[key(piece)], gone))
    ]


def _gone(known: dict[str, Meaning], texts: Iterable[str]) -> dict[str, Meaning]:
    here = {key(text) for text in texts}
    return {caption: meaning for caption, meaning in known.items() if caption not in here}


def _replaced(meaning: Meaning, gone: dict[str, Meaning]) -> tuple[str, ...]:
    return tuple(caption for caption, old in gone.items() if _replaces(meaning, old))


def _changed(  # noqa: PLR0913, PLR0917  one parameter a part of the question
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
    """Whether a caption might have taken over from another, so far as it could release."""
    if new.role not in _LOOSENING:
        return False
    return new == old or (new.role in _STATES and old.role in _STATES and new.role != old.role)
