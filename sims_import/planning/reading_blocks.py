"""Finds the reasons to stop an import that come from reading the file. Pure.

A consent counts as given only if its cell, its column, its row and the file around it were all
understood. While one of these blocks stands, nothing that could release a picture is applied, but
refusals and withdrawals are (docs/adr/0014-closed-world-import.md).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import date

from consent_gate.model import Answer, Consent
from consent_gate.register.snapshot import RegisterPupil, RegisterSnapshot
from sims_import.mapping.doubts import DoubtCode
from sims_import.mapping.understand import ColumnMapping
from sims_import.planning.blocks import (
    HOLDS_LEAVERS,
    BlockEffect,
    ImportBlock,
    numbers_text,
)
from sims_import.reconcile import ChangeKind, ImportRules, Plan
from sims_import.roster.records import PupilRecord
from sims_import.text.title_years import ended_title, later_title

MAX_SENTENCES = 6
"""How many doubts of one kind a message quotes. It counts the others."""

_NEXT_STEP = {
    DoubtCode.QUESTIONS: "Answer the questions on the page Imports. To accept this leaves them "
    "open: what was not understood then counts as not stated.",
    DoubtCode.HEADING: "Accept if the pupils have been read as they are meant.",
    DoubtCode.MARKS: "The gate cannot know what it means. Write it into the cells, or accept if it "
    "says nothing about consent.",
    DoubtCode.SCHOOLS: "Accept if all of them belong to this gate.",
    DoubtCode.ROWS: "Nobody counts as a leaver meanwhile. Put the list right and import it again, "
    "or accept if these rows are not needed.",
}


def reading_blocks(
    plan: Plan,
    register: RegisterSnapshot,
    understanding: ColumnMapping,
    rules: ImportRules,
    today: date,
) -> Iterator[ImportBlock]:
    """Every reason to stop that comes from the file or from comparing it with the register."""
    by_code: dict[DoubtCode, list[str]] = {}
    for doubt in understanding.doubts:
        by_code.setdefault(doubt.code, []).append(doubt.message)
    for message in _rows_left_out(plan):
        by_code.setdefault(DoubtCode.ROWS, []).append(message)
    for code, messages in by_code.items():
        effect = HOLDS_LEAVERS if code is DoubtCode.ROWS else BlockEffect()
        yield ImportBlock(str(code), f"{_joined(messages)} {_NEXT_STEP[code]}", effect)
    yield from _old_title(plan, understanding, today)
    yield from _lookup_errors(plan, rules)
    yield from _columns_moved(plan, register, rules)
    yield from _numbers_changed(plan, register, rules)
    if plan.roster.unsure_dates:
        captions = ", ".join(f"'{caption}'" for caption in plan.roster.unsure_dates)
        yield ImportBlock(
            "date-order",
            f"Nothing tells whether day or month comes first in the dates under {captions}, and "
            "some of them have passed or not accordingly. Accept if the day comes first.",
        )
    if understanding.layout.needs_a_person:
        yield ImportBlock(
            "layout",
            "The gate has not imported this layout before. Look at the numbers of yes and no for "
            "each use and at the pupils named beside them. Accept if they are right.",
        )


def _old_title(plan: Plan, understanding: ColumnMapping, today: date) -> Iterator[ImportBlock]:
    """A title or a cell that names a year which has ended, or a title for a later year.

    The run date of the file is newer than a year in its title. It says nothing of the cells.
    """
    title = None if plan.exported_on else ended_title(understanding.titles, today)
    period = ended_title(understanding.periods, today)
    later = later_title(understanding.titles, today)
    if title is not None:
        why = (
            f"'{title[:120]}' names a year that has ended, and nothing in the file says when it "
            "was made. Run the report again."
        )
    elif period is not None:
        why = f"Some rows are of '{period}', which has ended. Run the report for this year alone."
    elif later is not None:
        why = f"'{later[:120]}' names a time that has not begun."
    else:
        return
    message = f"{why} Accept only if these answers hold now."
    yield ImportBlock("old-title", message, HOLDS_LEAVERS)


def _joined(messages: Iterable[str]) -> str:
    found = list(dict.fromkeys(messages))
    more = len(found) - MAX_SENTENCES
    return " ".join(found[:MAX_SENTENCES]) + (
        f" There are {more} more such points." if more > 0 else ""
    )


def _rows_left_out(plan: Plan) -> Iterator[str]:
    """Messages about unreadable rows while pupils leave, and about rows of another width."""
    if plan.roster.errors and plan.of_kind(ChangeKind.LEFT):
        first = plan.roster.errors[0]
        caption = f" under '{first.origin.column}'" if first.origin.column else ""
        gone = len(plan.of_kind(ChangeKind.LEFT))
        yield (
            f"Some rows could not be read (the first is row {first.origin.row}{caption}: "
            f"{first.message}) and {gone} pupils of the register are not in the rest."
        )
    if plan.roster.unnumbered:
        rows = ", ".join(map(str, plan.roster.unnumbered[:5]))
        yield (
            "Rows without an admission number have the name, or nearly the name, of a pupil who is "
            f"listed with one, and their answers were not read: {rows}."
        )
    if plan.roster.unplaced:
        rows = ", ".join(map(str, plan.roster.unplaced[:5]))
        yield (
            "Rows without a readable admission number say no to something, and nobody can tell "
            f"for whom: {rows}."
        )
    if plan.roster.halved:
        rows = ", ".join(map(str, plan.roster.halved[:5]))
        yield (
            "Two columns are about the same use. In some rows one says yes and the other is blank, "
            f"so these consents count as not stated: {rows}."
        )
    if plan.roster.ragged:
        rows = ", ".join(map(str, plan.roster.ragged[:5]))
        yield (
            f"{len(plan.roster.ragged)} rows have more or fewer cells than the headings, or an "
            f"answer in the place of a number or a class: {rows}."
        )


def _lookup_errors(plan: Plan, rules: ImportRules) -> Iterator[ImportBlock]:
    """Consents that would be lost because a formula failed (``#N/A``)."""
    lost = Counter(
        change.subject
        for change in plan.of_kind(ChangeKind.WITHDRAWN)
        if change.pupil in plan.records
        and change.subject in plan.records[change.pupil].lookup_errors
    )
    if lost:
        titles = ", ".join(f"{rules.title_of(name)} ({count})" for name, count in lost.items())
        yield ImportBlock(
            "lookup-errors",
            f"A formula in the file failed (#N/A or the like) for pupils with consent: {titles}. "
            "Put the formula right and import the file again. Until then nothing new goes out on "
            "these uses and nothing is recalled. Accept to withdraw these consents.",
            BlockEffect(frozenset(lost), frozenset({ChangeKind.WITHDRAWN})),
        )


def _columns_moved(
    plan: Plan, register: RegisterSnapshot, rules: ImportRules
) -> Iterator[ImportBlock]:
    """Two uses whose answers fit each other's last answers: their headings may be exchanged."""
    granted = {change.subject for change in plan.of_kind(ChangeKind.GRANTED)}
    on_roll = register.on_roll
    known = [(record, on_roll[n]) for n, record in plan.records.items() if n in on_roll]
    names = rules.purposes
    pairs = [(a, b) for at, a in enumerate(names) for b in names[at + 1 :] if granted & {a, b}]
    for one, other in pairs:
        if _changed_places(known, one, other):
            yield ImportBlock(
                "columns-moved",
                f"The answers for {rules.title_of(one)} and {rules.title_of(other)} look as if "
                "they had changed places since the last import. Check both headings. Accept if the "
                "answers are right.",
            )
            return


def _changed_places(
    known: Iterable[tuple[PupilRecord, RegisterPupil]], one: str, other: str
) -> bool:
    """Whether each use fits the other's last answers better than its own."""
    own_one = own_other = crossed_one = crossed_other = 0
    for record, pupil in known:
        new_one, new_other = _yes(record.consents, one), _yes(record.consents, other)
        old_one, old_other = _yes(pupil.consents, one), _yes(pupil.consents, other)
        own_one += new_one == old_one
        own_other += new_other == old_other
        crossed_one += new_one == old_other
        crossed_other += new_other == old_one
    return crossed_one > own_one and crossed_other > own_other


def _yes(consents: dict[str, Consent], name: str) -> bool:
    return name in consents and consents[name].answer is Answer.GIVEN


def _numbers_changed(
    plan: Plan, register: RegisterSnapshot, rules: ImportRules
) -> Iterator[ImportBlock]:
    """Pupils who seem to leave and to be added again under another number."""
    again = returned_under_other_numbers(plan, register)
    gone = plan.of_kind(ChangeKind.LEFT)
    if len(again) >= 2 and len(again) * 2 > len(gone):
        new = [number for number, _ in again]
        yield ImportBlock(
            "numbers-changed",
            f"{len(again)} pupils of the register seem to be in this file under other admission "
            f"numbers ({numbers_text(new)}), with the same name and date of birth, and without a "
            "UPN that would tell. Export the UPN too. Accept only if they are other children.",
            BlockEffect(frozenset(rules.purposes), frozenset({ChangeKind.LEFT})),
        )


def returned_under_other_numbers(plan: Plan, register: RegisterSnapshot) -> list[tuple[str, str]]:
    """New and old admission numbers of added pupils who match a leaving pupil (``_identity``)."""
    leaving = {
        identity: number
        for number in plan.pupils(ChangeKind.LEFT)
        if (identity := _identity(register.pupils[number])) is not None
    }
    found = []
    for number in plan.pupils(ChangeKind.ADDED):
        identity = _identity(plan.records[number])
        if identity is not None and identity in leaving:
            found.append((number, leaving[identity]))
    return found


def _identity(pupil: PupilRecord | RegisterPupil) -> tuple[object, ...] | None:
    """Name and date of birth, or name and class where there is no date."""
    if not pupil.forename or not pupil.surname:
        return None
    name = (pupil.forename.casefold(), pupil.surname.casefold())
    return (*name, pupil.date_of_birth) if pupil.date_of_birth else (*name, pupil.reg_group)
