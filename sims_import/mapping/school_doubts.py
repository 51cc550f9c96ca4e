"""Finds names of other schools around and beside the pupils of an export. Pure.

``doubts`` makes doubts of the messages.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from sims_import.mapping.columns import values
from sims_import.readers.interface import Table
from sims_import.text.own_school import is_other_name, other_school
from sims_import.text.title_words import school_name
from sims_import.text.vocabulary import Meaning, Role, Vocabulary
from sims_import.text.words import words

_FEW = 3
"""How many names a message quotes."""
_PLACES = frozenset({"site", "campus"})
"""Captions of columns whose values are parts of one school."""


def school_messages(
    table: Table,
    columns: tuple[Meaning, ...],
    lines: Iterable[str],
    classes: Collection[str],
    vocabulary: Vocabulary,
) -> Iterator[str]:
    """A message for each place that names another school, or more than one.

    Args:
        table: The export's rows and titles.
        columns: What its columns are for.
        lines: The titles, the names of the sheets and the rows that are no pupils.
        classes: Words of class names, which are no names of schools.
        vocabulary: The own school's name and uses.
    """
    yield from _other_schools(lines, classes, vocabulary)
    yield from _two_titles(table)
    for at, meaning in enumerate(columns):
        if meaning.role is not Role.SCHOOL:
            continue
        names, caption = list(values(table, at)), table.captions[at]
        if len(names) > 1:
            shown = ", ".join(f"'{name}'" for name in names[:_FEW])
            yield f"The column '{caption}' names {len(names)} schools: {shown}."
        elif not set(words(caption)) & _PLACES:
            for name in names:
                if is_other_name(name, vocabulary):
                    yield _other(f"The column '{caption}'", name, vocabulary)


def _other_schools(
    lines: Iterable[str], classes: Collection[str], vocabulary: Vocabulary
) -> Iterator[str]:
    found = (other_school(line, vocabulary, classes) for line in lines)
    for name in dict.fromkeys(filter(None, found)):
        yield _other("The file", name, vocabulary)


def _other(where: str, name: str, vocabulary: Vocabulary) -> str:
    own = f"'{vocabulary.school}' in the settings" if vocabulary.school else "not yours"
    return (
        f"{where} names the school '{name[:80]}'; your school is {own}. If that is your school, "
        "your technician can put this name into the settings, under 'school'."
    )


def _two_titles(table: Table) -> Iterator[str]:
    titled = [(title, found) for title in table.titles if (found := school_name(title))]
    for title, found in titled:
        if not found & titled[0][1]:
            yield f"'{titled[0][0][:120]}' and '{title[:120]}' seem to name two schools."
            return
