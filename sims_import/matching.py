"""Finds the pupil of each record in the register, by admission number, else by UPN.

Pupils leave, return and get new numbers, and a school may give a number to another child. A record
is matched by UPN only if the UPN is unique and the child does not look like another one.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date

from consent_gate.register.snapshot import RegisterPupil, RegisterSnapshot
from sims_import.roster.records import PupilRecord, Roster


@dataclass(frozen=True)
class Matched:
    """A record, and the pupil of the register whom it is about."""

    number: str
    """Admission number after the import."""
    record: PupilRecord
    old: RegisterPupil | None
    """The pupil before the import; None for a new pupil."""
    is_replaced: bool = False
    """Whether ``old`` is another child, whose admission number was given to this one."""
    brings_mark: bool = False
    """Whether the pupil had the never-publish mark under a number that is another child's now."""


def match_records(register: RegisterSnapshot, roster: Roster, today: date) -> Iterator[Matched]:
    """Match each record of a pupil who has not left by ``today``, in the export's order."""
    records = [record for record in roster.records if not record.left_by(today)]
    listed = {record.admission_number for record in records}
    by_upn = _unique_upns(register, listed)
    claims = Counter(record.upn for record in records)
    for record in records:
        number = record.admission_number
        old = register.pupils.get(number)
        if old is None and record.upn and claims[record.upn] == 1:
            old = by_upn.get(record.upn)
            if old is not None and other_child(old, record):
                old = None
            elif old is not None and number == record.upn:
                number = old.admission_number
        same = number == record.admission_number
        yield Matched(number, record if same else replace(record, admission_number=number), old)


def _unique_upns(register: RegisterSnapshot, listed: set[str]) -> dict[str, RegisterPupil]:
    """Pupils by UPN. Leaves out pupils in the export under their own number, and shared UPNs."""
    found: dict[str, list[RegisterPupil]] = defaultdict(list)
    for pupil in register.pupils.values():
        if pupil.upn and pupil.admission_number not in listed:
            found[pupil.upn].append(pupil)
    return {upn: pupils[0] for upn, pupils in found.items() if len(pupils) == 1}


def other_child(old: RegisterPupil, record: PupilRecord) -> bool:
    """Whether the whole name differs, and neither UPN nor date of birth shows the same child."""
    known = old.forename and old.surname
    renamed = differs(old.forename, record.forename) and differs(old.surname, record.surname)
    if not (known and renamed):
        return False
    same_number = old.admission_number == record.admission_number
    if same_number and old.upn and old.upn == record.upn:
        return False
    same_birth = old.date_of_birth is not None and old.date_of_birth == record.date_of_birth
    return not same_birth


def with_replaced(register: RegisterSnapshot, matched: Sequence[Matched]) -> list[Matched]:
    """The same records; those under a number that now names another child are marked so.

    Brothers and sisters share a surname, and twins a date of birth. So the parts of the name are
    weighed with the UPN and the date of birth, and with whom else the record could be. A
    never-publish mark of the child before is noted at the record that this child has now.
    """
    before = _replaced_pupils(register, matched)
    marked = [pupil for pupil in before.values() if pupil.never_publish]
    return [
        replace(
            m,
            is_replaced=m.number in before,
            brings_mark=any(_is_same_name_or_upn(pupil, m.record) for pupil in marked),
        )
        for m in matched
    ]


def _is_same_name_or_upn(pupil: RegisterPupil, record: PupilRecord) -> bool:
    return bool(pupil.upn and pupil.upn == record.upn) or (
        (pupil.forename, pupil.surname) == (record.forename, record.surname)
    )


def _replaced_pupils(
    register: RegisterSnapshot, matched: Sequence[Matched]
) -> dict[str, RegisterPupil]:
    """By admission number: the child before, where the record names another one."""
    owners = {pupil.upn: pupil.admission_number for pupil in register.pupils.values() if pupil.upn}
    namesakes: dict[tuple[str, str], set[str]] = defaultdict(set)
    for pupil in register.pupils.values():
        namesakes[pupil.forename, pupil.surname].add(pupil.admission_number)
    found = {}
    for m in matched:
        old, number = m.old, m.number
        if old is None or old.admission_number != m.record.admission_number:
            continue
        if old.upn and old.upn == m.record.upn:
            continue
        is_elsewhere = owners.get(m.record.upn or "", number) != number or bool(
            namesakes.get((m.record.forename or "", m.record.surname or ""), set()) - {number}
        )
        if _is_replaced(old, m.record, is_elsewhere=is_elsewhere):
            found[number] = old
    return found


def _is_replaced(old: RegisterPupil, record: PupilRecord, *, is_elsewhere: bool) -> bool:
    """Whether a record under a pupil's number, without the pupil's UPN, is about another child.

    ``is_elsewhere`` says that another pupil of the register has the record's UPN or whole name.
    """
    new_forename = differs(old.forename, record.forename) and record.forename not in {
        old.preferred_forename,
        *old.forename.split(),
    }
    new_surname = differs(old.surname, record.surname)
    new_upn = bool(old.upn and record.upn and old.upn != record.upn)
    born = old.date_of_birth
    new_birth = born is not None and record.date_of_birth not in {None, born}
    same_birth = born is not None and record.date_of_birth == born
    if other_child(old, record) or (new_birth and new_upn):
        return True
    if new_forename and old.forename:
        return is_elsewhere or new_birth or (new_upn and not same_birth)
    return new_surname and bool(old.surname) and new_birth


def shared_upns(
    matched: list[Matched], staying: Iterable[RegisterPupil]
) -> dict[str, tuple[str, ...]]:
    """UPNs that more than one pupil would have after the import."""
    holders: dict[str, set[str]] = defaultdict(set)
    for m in matched:
        holders[m.record.upn or (m.old.upn if m.old else "")].add(m.number)
    for pupil in staying:
        holders[pupil.upn].add(pupil.admission_number)
    return {upn: tuple(sorted(ns)) for upn, ns in holders.items() if upn and len(ns) > 1}


def differs(old: str, new: str | None) -> bool:
    """Whether ``new`` states another value than ``old``.

    SIMS writes ``?`` for letters that Windows-1252 lacks. Such a text is not another name.
    """
    if not new or old == new:
        return False
    old, new = old.replace("\u2019", "'"), new.replace("\u2019", "'")
    lossy = len(old) == len(new) and all(
        a == b or (b in "?\ufffd" and not a.isascii()) for a, b in zip(old, new, strict=True)
    )
    return not lossy
