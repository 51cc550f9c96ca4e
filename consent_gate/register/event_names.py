"""Understand the names of classes, years and pupils that a school gives for an event.

The functions are pure. A name that is not certain stays unknown; it is never guessed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from consent_gate.register.identifiers import read_admission_number, read_upn

MAX_NAMES = 5_000
"""More names than that are no list of who was at an event."""


@dataclass(frozen=True)
class SchoolNames:
    """What a name may mean: the classes and pupils on roll."""

    classes: Mapping[str, str]
    """By name of the class: its year group as exported; empty if it has none or several."""
    numbers: Mapping[str, str]
    """By admission number or UPN: the admission number of a pupil on roll."""


@dataclass(frozen=True)
class NamedRoll:
    """Who was at an event, as far as the names were understood."""

    classes: tuple[str, ...] = ()
    pupils: tuple[str, ...] = ()
    """Admission numbers of pupils who were named one by one."""
    unknown: tuple[str, ...] = ()
    """Names that mean nothing on this register."""


def split_names(text: str) -> tuple[str, ...]:
    """Return the names of a ``classes.txt``: one on a line, or several between commas.

    A line that begins with ``#`` is a remark.
    """
    lines = (line for line in text.splitlines() if not line.lstrip().startswith("#"))
    names = (_plain(part) for line in lines for part in re.split(r"[,;\t]", line))
    return tuple(dict.fromkeys(name for name in names if name))[:MAX_NAMES]


def understand_names(names: Iterable[str], school: SchoolNames) -> NamedRoll:
    """Return what the names mean: a class, all classes of a year, or one pupil."""
    by_name: dict[str, set[str]] = {}
    for group in school.classes:
        by_name.setdefault(_key(group), set()).add(group)
    classes: list[str] = []
    pupils: list[str] = []
    unknown: list[str] = []
    for name in names:
        found = by_name.get(_key(name)) or _classes_of_year(name, school)
        number = read_admission_number(name) or ""
        pupil = school.numbers.get(number) or school.numbers.get(read_upn(name))
        if found:
            classes.extend(sorted(found))
        elif pupil:
            pupils.append(pupil)
        else:
            unknown.append(name)
    return NamedRoll(*(tuple(dict.fromkeys(part)) for part in (classes, pupils, unknown)))


def classes_in_title(event: str, school: SchoolNames) -> tuple[str, ...]:
    """Return the classes that the name of an event's folder seems to name, for a person to confirm.

    ``3w-assembly`` names the class 3W, ``Year 3 trip`` all classes of that year.
    """
    title = " ".join(re.split(r"[\W_]+", event.casefold()))
    found: set[str] = set()
    for group in school.classes:
        words = " ".join(re.split(r"[\W_]+", group.casefold())).strip()
        if words and not words.isdigit() and re.search(rf"(?<!\w){re.escape(words)}(?!\w)", title):
            found.add(group)
    for match in re.finditer(r"\b(?:years?|yr|y) ?(\d{1,2})\b", title):
        found |= _classes_of_year(f"year {match[1]}", school)
    if re.search(r"\breception\b", title):
        found |= _classes_of_year("reception", school)
    return tuple(sorted(found))


def _classes_of_year(name: str, school: SchoolNames) -> set[str]:
    """The classes of a year that is named with the word; a bare number is not a year."""
    match = re.fullmatch(r"(?:year|yr|y) ?(\d{1,2})", _key(name))
    wanted = match[1].lstrip("0") if match else _key(name)
    if not match and wanted.isdigit():
        return set()
    return {group for group, year in school.classes.items() if year and _year(year) == wanted}


def _year(text: str) -> str:
    """The number of a year group as exported, ``Year  5`` or ``5``; other texts as they are."""
    match = re.fullmatch(r"(?:year|yr|y)? ?0*(\d{1,2})", _key(text))
    return match[1] if match else _key(text)


def _key(text: str) -> str:
    return _plain(text).casefold()


def _plain(text: str) -> str:
    return " ".join(text.split())
