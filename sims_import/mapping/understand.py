"""Maps the columns and consent types of an export to meanings, or asks about them.

``map_columns`` is pure. The meaning of a column comes from the school's saved mapping, or else from
its caption, or else from its cells. An uncertain meaning becomes a ``Question`` and counts as not
stated until a person answers it.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum

from consent_gate.model import Answer
from sims_import.mapping.columns import classify_by_values, values
from sims_import.mapping.doubts import Doubt, lines_outside, reading_doubts, unknown_answers
from sims_import.mapping.layout import MAX_LAYOUTS, LayoutState, layout_of
from sims_import.mapping.questions import (
    Question,
    QuestionTopic,
    answer_questions,
    changed_column_questions,
    changed_type_questions,
    column_questions,
    missing_question,
    type_questions,
    unanswered_questions,
)
from sims_import.mapping.row_doubts import periods
from sims_import.readers.interface import Table
from sims_import.text.cells import answer_key, meaning_of_piece, pieces_in
from sims_import.text.values import read_answer
from sims_import.text.vocabulary import (
    DEFAULT_VOCABULARY,
    Meaning,
    Role,
    Vocabulary,
    parse_meaning,
)
from sims_import.text.words import key

_UNANSWERED = frozenset({Role.UNCLEAR, Role.GENERAL, Role.UNKNOWN})
_ABOUT_CHANGES = frozenset({QuestionTopic.CHANGED, QuestionTopic.CHANGED_TYPE})
_ABOUT_TYPES = frozenset({QuestionTopic.TYPE, QuestionTopic.CHANGED_TYPE})


@dataclass(frozen=True)
class SavedMapping:
    """What is known of a school's captions, consent types and answers from earlier imports."""

    columns: dict[str, Meaning] = field(default_factory=dict)
    """By caption in the form of ``words.key``."""
    types: dict[str, Meaning] = field(default_factory=dict)
    """By consent type in the form of ``words.key``."""
    answers: dict[str, Answer] = field(default_factory=dict)
    """What texts in the cells mean, in the form of ``cells.answer_key``."""
    layouts: tuple[str, ...] = ()
    """Layouts that were applied (``layout.layout_of``)."""
    version: int = 0
    """Increases with each change of the mapping; 0 before the first import."""


class Shape(StrEnum):
    """How the export states consent."""

    WIDE = "wide"
    """One column per type."""
    CELL = "cell"
    """One cell holds the types that were given."""
    LONG = "long"
    """One row per pupil and type."""
    NONE = "none"
    """The export states no consent, as a roster."""


@dataclass(frozen=True)
class ColumnMapping:
    """How an export is read."""

    columns: tuple[Meaning, ...]
    """One per caption of the table. Columns that are ``general`` or ``unclear`` grant nothing."""
    types: dict[str, Meaning]
    """Meaning of every type found in type cells, by ``words.key``."""
    shape: Shape
    mapping: SavedMapping
    """What was known before and what is certain now. The home saves it after an import without a
    standing block ``header-changed``."""
    questions: tuple[Question, ...] = ()
    doubts: tuple[Doubt, ...] = ()
    """What was not understood and may mean no."""
    titles: tuple[str, ...] = ()
    """The lines outside the table, such as titles and footers, and the names of its sheets."""
    periods: tuple[str, ...] = ()
    """School years and terms in cells that are no answers."""
    layout: LayoutState = field(default_factory=LayoutState)
    vocabulary: Vocabulary = DEFAULT_VOCABULARY

    @property
    def changed_captions(self) -> tuple[str, ...]:
        """Captions and types that replaced others of last term and could release a picture."""
        return tuple(q.caption for q in self.questions if q.about in _ABOUT_CHANGES)

    def read_answer(self, text: str) -> Answer | None:
        """The answer in a cell, also if only a person explained it; None if it is unknown."""
        found = read_answer(text)
        return self.mapping.answers.get(answer_key(text)) if found is None else found

    def columns_for(self, *roles: Role) -> list[int]:
        """Indexes of the columns with one of ``roles``."""
        return [at for at, meaning in enumerate(self.columns) if meaning.role in roles]


def map_columns(
    table: Table,
    saved: SavedMapping | None = None,
    vocabulary: Vocabulary = DEFAULT_VOCABULARY,
) -> ColumnMapping:
    """Decide the meaning of every column and consent type of ``table``, or ask about it."""
    saved = saved or SavedMapping()
    by_caption = tuple(
        saved.columns.get(key(caption)) or meaning
        for caption, meaning in zip(table.captions, table.meanings, strict=True)
    )
    columns = classify_by_values(table, by_caption, saved.types, saved.columns, vocabulary)
    pieces = _pieces(table, columns)
    types = {key(piece): meaning_of_piece(piece, saved.types, vocabulary) for piece in pieces}
    unknown = unknown_answers(table, columns, saved.answers)
    questions = (
        *missing_question(table, columns),
        *column_questions(table, columns, vocabulary),
        *unanswered_questions(table, columns),
        *type_questions(pieces, types, vocabulary),
        *answer_questions(unknown),
        *_changes(table, columns, pieces, types, saved, vocabulary),
    )
    layout = layout_of(table, columns, saved.layouts, explained=_explained(table, columns, saved))
    return ColumnMapping(
        columns=columns,
        types=types,
        shape=_shape(columns),
        mapping=_remember(table, columns, types, saved, layout.name),
        questions=questions,
        doubts=reading_doubts(table, columns, types, pieces, unknown, vocabulary),
        titles=lines_outside(table, columns),
        periods=periods(table, columns),
        layout=layout,
        vocabulary=vocabulary,
    )


def _explained(table: Table, columns: tuple[Meaning, ...], saved: SavedMapping) -> bool:
    """Whether a person's answer decides the meaning of something in the table."""
    by_caption = zip(table.captions, table.meanings, columns, strict=True)
    by_person = any(
        key(caption) in saved.columns
        and saved.columns[key(caption)] == meaning
        and meaning != own
        and own.role not in {Role.CONSENT_ANSWER, Role.CONSENT_TYPE, Role.GENERAL}
        for caption, own, meaning in by_caption
    )
    used = {answer_key(text) for at in range(len(columns)) for text in values(table, at)}
    return by_person or bool(used & saved.answers.keys())


def apply_answers(
    mapping: SavedMapping, answers: dict[str, str], vocabulary: Vocabulary
) -> SavedMapping:
    """``mapping`` with a person's answers, and a version increased by one.

    ``answers`` maps ``Question.code`` to the chosen option. The answer to ``missing:`` is the
    caption of the column of admission numbers.

    Raises:
        ValueError: An answer is none of the options.
    """
    columns, types = dict(mapping.columns), dict(mapping.types)
    explained = dict(mapping.answers)
    for code, text in answers.items():
        about, _, caption = code.partition(":")
        if about == QuestionTopic.MISSING:
            columns[key(text)] = Meaning(Role.ADMISSION_NUMBER)
            continue
        if about == QuestionTopic.ANSWER:
            explained[answer_key(caption)] = Answer(text)
            continue
        meaning = parse_meaning(text, vocabulary)
        if meaning is None:
            raise ValueError(f"'{text}' is not one of the answers")
        (types if about in _ABOUT_TYPES else columns)[key(caption)] = meaning
    return SavedMapping(columns, types, explained, mapping.layouts, mapping.version + 1)


def _pieces(table: Table, columns: tuple[Meaning, ...]) -> list[str]:
    """Every consent type in the cells once, without its answer, in order of appearance."""
    found: dict[str, str] = {}
    for at, meaning in enumerate(columns):
        if meaning.role in {Role.CONSENT_LIST, Role.CONSENT_TYPE}:
            for cell in values(table, at):
                for piece in pieces_in(cell, meaning.role):
                    found.setdefault(key(piece.text), piece.text)
    return list(found.values())


def _certain(meanings: dict[str, Meaning]) -> dict[str, Meaning]:
    return {name: m for name, m in meanings.items() if m.role not in _UNANSWERED}


def _by_key(table: Table, columns: tuple[Meaning, ...]) -> dict[str, Meaning]:
    return {key(c): m for c, m in zip(table.captions, columns, strict=True) if key(c)}


def _remember(
    table: Table,
    columns: tuple[Meaning, ...],
    types: dict[str, Meaning],
    saved: SavedMapping,
    layout: str,
) -> SavedMapping:
    known = _certain(_by_key(table, columns))
    used = {name: m for name, m in known.items() if m.role is not Role.IGNORE}
    new = replace(
        saved,
        columns={**saved.columns, **used},
        types={**saved.types, **_certain(types)},
        layouts=(*(name for name in saved.layouts if name != layout), layout)[-MAX_LAYOUTS:],
    )
    same = (new.columns, new.types) == (saved.columns, saved.types)
    if same and layout in saved.layouts:
        return saved
    return replace(new, version=saved.version + 1)


def _changes(  # noqa: PLR0913, PLR0917  each is compared
    table: Table,
    columns: tuple[Meaning, ...],
    pieces: list[str],
    types: dict[str, Meaning],
    saved: SavedMapping,
    vocabulary: Vocabulary,
) -> list[Question]:
    if saved.version == 0:
        return []
    return [
        *changed_column_questions(table, columns, saved.columns, vocabulary),
        *changed_type_questions(pieces, types, saved.types, vocabulary),
    ]


def _shape(columns: tuple[Meaning, ...]) -> Shape:
    roles = {meaning.role for meaning in columns}
    if Role.CONSENT_TYPE in roles:
        return Shape.LONG
    if Role.CONSENT_LIST in roles:
        return Shape.CELL
    return Shape.WIDE if roles & {Role.CONSENT, Role.REFUSAL} else Shape.NONE
