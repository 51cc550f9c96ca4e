"""Understand the names of classes, years and pupils that a school gives for an event.

The functions are pure. A name that is not certain stays unknown; it is never guessed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from consent_gate.register.identifiers import read_admission_number, read_upn
from consent_gate.register.year_groups import Meant, year_key, years_in, years_meant

MAX_NAMES = 5_000
"""More names than that are no list of who was at an event."""


@dataclass(frozen=True)
class SchoolNames:
    """What a name may mean: the classes and pupils on roll."""

    classes: Mapping[str, str]
    """By name of the class: its year group as exported; empty if it has none or several."""
    numbers: Mapping[str, str]
    """By admission number or UPN: the admission number of a pupil on roll."""
    mixed: Mapping[str, Mapping[str, tuple[str, ...]]] = field(default_factory=dict)
    """By name of a class with pupils of several years, and by year as exported: the admission
    numbers of these pupils. Pupils without a class stand under the empty name."""


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
    """Return what each name means: a class, a year, a pupil, or classes and years with "and".

    A year means its classes, and its pupils in classes of several years. Where a part of a name is
    not certain, the whole name is unknown.
    """
    by_name = _classes_by_name(school)
    found: list[NamedRoll] = []
    for name in names:
        pupil = pupil_named(name, school)
        whole = _classes_or_years(name, school, by_name) or (pupil and NamedRoll((), (pupil,)))
        parts = [_classes_or_years(part, school, by_name) for part in _JOINED.split(name)]
        known = [whole] if whole else [part for part in parts if part]
        complete = bool(whole) or len(known) == len(parts)
        found += known if complete else [NamedRoll(unknown=(name,))]
    classes, pupils, unknown = (
        tuple(dict.fromkeys(name for roll in found for name in getattr(roll, kind)))
        for kind in ("classes", "pupils", "unknown")
    )
    return NamedRoll(classes, pupils, unknown)


def pupil_named(text: str, school: SchoolNames) -> str:
    """Return the pupil on roll with this admission number or UPN; empty if there is none."""
    number = read_admission_number(text) or ""
    return school.numbers.get(number) or school.numbers.get(read_upn(text)) or ""


def classes_in_title(event: str, school: SchoolNames) -> tuple[str, ...]:
    """Return the classes that the name of an event's folder seems to name, for a person to confirm.

    ``3w-assembly`` names the class 3W, ``Year 3 trip`` all classes with pupils of that year. A
    class whose name is one letter or only digits is named by ``class 3`` alone.
    """
    title = _words(event)
    found: set[str] = set()
    for group in school.classes:
        words = _words(group)
        before = "class " if len(words) == 1 or words.isdigit() else _YEAR_LETTER
        if words and re.search(rf"(?<!\w){before}{re.escape(words)}(?!\w)", title):
            found.add(group)
    for years in years_in(event):
        found |= _classes_with(years, school)
    return tuple(sorted(found))


def classes_listed(names: Iterable[str], school: SchoolNames) -> tuple[str, ...]:
    """Return the classes that names of a timetable seem to mean, for a person to confirm."""
    names = tuple(names)
    found = set(understand_names(names, school).classes)
    for name in names:
        if not _classes_by_name(school).get(_key(name)):
            found |= {g for years in years_meant(name) for g in _classes_with(years, school)}
    return tuple(sorted(found))


_JOINED = re.compile(r" *(?:&|\+|/|(?<!\w)and(?!\w)) *", re.IGNORECASE)
_YEAR_LETTER = r"(?:y|yr ?|year ?)?"
"""May stand before the name of a class: ``Y3W`` for the class 3W."""


def _classes_or_years(
    name: str, school: SchoolNames, by_name: Mapping[str, set[str]]
) -> NamedRoll | None:
    """The class or the years that a name means; None where that is not certain."""
    if classes := by_name.get(_key(name)):
        return NamedRoll(tuple(sorted(classes)))
    return _of_years(years_meant(name) or _other_year(name), school)


def _of_years(meant: Meant, school: SchoolNames) -> NamedRoll | None:
    """The classes of the years, and their pupils in other classes; None where a year has none."""
    classes: set[str] = set()
    pupils: set[str] = set()
    for years in meant:
        pure = {group for group, year in school.classes.items() if year and year_key(year) in years}
        others = {
            number
            for by_year in school.mixed.values()
            for year, numbers in by_year.items()
            if year_key(year) in years
            for number in numbers
        }
        if not pure and not others:
            return None
        classes |= pure
        pupils |= others
    return NamedRoll(tuple(sorted(classes)), tuple(sorted(pupils))) if meant else None


def _other_year(name: str) -> Meant:
    """The year that the register names in letters, such as ``R``; a bare number is not a year."""
    wanted = year_key(name)
    return () if not wanted or wanted.isdigit() else (frozenset({wanted}),)


def _classes_with(years: frozenset[str], school: SchoolNames) -> set[str]:
    """The classes that have a pupil of one of the years."""
    pure = {group for group, year in school.classes.items() if year and year_key(year) in years}
    mixed = {
        group
        for group, by_year in school.mixed.items()
        if group and any(year_key(year) in years for year in by_year)
    }
    return pure | mixed


def _classes_by_name(school: SchoolNames) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for group in school.classes:
        found.setdefault(_key(group), set()).add(group)
    return found


def _words(text: str) -> str:
    """The letters and digits of a text in lower case, with one space for everything else."""
    return " ".join(re.split(r"[\W_]+", text.casefold())).strip()


def _key(text: str) -> str:
    return _plain(text).casefold()


def _plain(text: str) -> str:
    return " ".join(text.split())
