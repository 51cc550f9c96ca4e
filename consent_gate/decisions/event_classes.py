"""Name who was at an event: its classes, or single pupils. That is the event's roll.

Where a roll is named, matching clears only pupils on it, and a face may be matched to them at the
threshold for as many pupils as are on it (rules 7h and 7j of ``consent_gate.policy``). A roll holds
the pupils of the classes as they were when staff named them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Q

from consent_gate.db import audit_log
from consent_gate.db.event_folders import in_folder, with_folders_above
from consent_gate.db.models import EventClasses, EventPupil, Item, PupilEntry, PupilInItem
from consent_gate.decisions.apply import apply_decisions
from consent_gate.decisions.ledger import DecisionContext
from consent_gate.decisions.staff_input import roster_for
from consent_gate.home.filesystem import open_regular_file
from consent_gate.home.home import Home
from consent_gate.home.keys import pseudonym
from consent_gate.register.event_names import (
    NamedRoll,
    SchoolNames,
    classes_in_title,
    understand_names,
)
from consent_gate.register.repository import load_register
from consent_gate.register.timetable import (
    MAX_BYTES,
    TimetableRow,
    classes_on_timetable,
    is_before_school_year,
    read_timetable,
)

TIMETABLE = "timetable.csv"
"""File in the home's folder: a date, and who was at an event on that day, on each line."""

MINIMUM_SEEN = 3
"""A class is proposed for an event from this number of its pupils in the pictures on."""


@dataclass(frozen=True)
class RollProposal:
    """Classes that may have been at an event. It changes nothing until a person confirms it."""

    classes: tuple[str, ...]
    why: str
    """For staff."""


def known_classes() -> list[str]:
    """Every class that has a pupil on roll, in alphabetical order."""
    groups = PupilEntry.objects.filter(on_roll=True).exclude(reg_group="")
    return sorted(set(groups.values_list("reg_group", flat=True)))


def school_names() -> SchoolNames:
    """The classes and pupils on roll, to understand names with."""
    rows = list(
        PupilEntry.objects.filter(on_roll=True).values_list(
            "admission_number", "upn", "reg_group", "year_group"
        )
    )
    years: dict[str, dict[str, list[str]]] = {}
    numbers: dict[str, str] = {}
    shared = Counter(upn for _, upn, _, _ in rows)
    for number, upn, group, year in rows:
        years.setdefault(group, {}).setdefault(year, []).append(number)
        if upn and shared[upn] == 1:
            numbers[upn] = number
    numbers |= {number: number for number, _, _, _ in rows}
    single = {group: next(iter(found)) for group, found in years.items() if len(found) == 1}
    mixed = {
        group: {year: tuple(pupils) for year, pupils in found.items()}
        for group, found in years.items()
        if group not in single or not group
    }
    return SchoolNames({group: single.get(group, "") for group in years if group}, numbers, mixed)


def proposal_for(home: Home, event: str) -> RollProposal | None:
    """Return classes to ask a person about; None where a roll is named or nothing points to one.

    None also for an event of an earlier school year: a class has other pupils today.
    """
    if not event or roster_for(event) is not None:
        return None
    if is_before_school_year(event, home.local_time(home.now()).date()):
        return None
    school = school_names()
    if classes := classes_in_title(event, school):
        return RollProposal(classes, "from the name of the folder")
    if classes := classes_on_timetable(event, _timetable(home), school):
        return RollProposal(classes, "from the timetable")
    shown = PupilInItem.objects.filter(item__event=event).values_list("admission_number", flat=True)
    pupils = PupilEntry.objects.filter(on_roll=True, admission_number__in=set(shown))
    seen = Counter(pupils.exclude(reg_group="").values_list("reg_group", flat=True))
    often = tuple(sorted(group for group, count in seen.items() if count >= MINIMUM_SEEN))
    return RollProposal(often, "from who is in the pictures") if often else None


def _timetable(home: Home) -> tuple[TimetableRow, ...]:
    """The rows of the file that the office put into the home; none if it cannot be read."""
    try:
        with open_regular_file(home.root / TIMETABLE) as file:
            return read_timetable(file.read(MAX_BYTES + 1))
    except OSError:
        return ()


def name_classes(home: Home, event: str, classes: Sequence[str], actor: str) -> None:
    """Set the classes of an event and of its subfolders, record it, and decide its pictures again.

    An empty list removes the classes that were named.
    """
    name_roll(home, event, understand_names(classes, school_names()), actor)


def name_roll(
    home: Home, event: str, roll: NamedRoll, actor: str, file_sha256: str | None = None
) -> None:
    """Set who was at an event and in its subfolders, record it, and decide its pictures again.

    A roll without any name removes what was named.

    Args:
        home: The school's home.
        event: Folder below the inbox.
        roll: The classes and pupils, and names that are not on the register.
        actor: Who says it.
        file_sha256: Digest of the ``classes.txt`` that says it; None for a person.
    """
    with transaction.atomic():
        detail: dict[str, object] = {"event": event, "classes": list(roll.classes)}
        if roll.pupils:
            detail["pupils"] = [audit_log.pupil_subject(home, number) for number in roll.pupils]
        if roll.unknown:
            detail["unknown"] = len(roll.unknown)
        audit_log.record(home, "event.classes_named", event_subject(home, event), detail, actor)
        ctx = DecisionContext(home, load_register(home.now().date()), home.now(), actor)
        set_roll(ctx, event, roll, file_sha256=file_sha256)


def set_roll(
    ctx: DecisionContext,
    event: str,
    roll: NamedRoll,
    *,
    file_sha256: str | None = None,
    restored: bool = False,
) -> None:
    """Set the roll and decide the pictures again, without an audit entry.

    Call inside a transaction. ``restored`` says that a restore repeats it; such a roll only
    restricts.
    """
    values = {
        "reg_groups": list(roll.classes),
        "unknown": list(roll.unknown),
        "listed": bool(roll.pupils),
        "restored": restored,
        "actor": ctx.actor,
        "created_at": ctx.now,
    }
    if file_sha256 is not None:
        values["file_sha256"] = file_sha256
    row, _ = EventClasses.objects.update_or_create(event=event, defaults=values)
    row.pupils.all().delete()
    if not row.names_anybody and not row.file_sha256:
        row.delete()
    else:
        there = Q(reg_group__in=roll.classes) | Q(admission_number__in=roll.pupils)
        pupils = PupilEntry.objects.filter(there, on_roll=True)
        EventPupil.objects.bulk_create(EventPupil(roll=row, pupil=pupil) for pupil in pupils)
    apply_decisions(ctx, Item.objects.filter(in_folder(event)).exclude(evidence=None))


def event_subject(home: Home, event: str) -> str:
    """The pseudonym of an event in the audit trail: a folder's name may be long or name a child."""
    return "event:" + pseudonym(home.keys.audit, event)


def known_events() -> set[str]:
    """Every folder that has pictures or named classes, and every folder above one."""
    events = {*Item.objects.values_list("event", flat=True).distinct()}
    events |= {*EventClasses.objects.values_list("event", flat=True)}
    return {folder for event in events for folder in with_folders_above(event)} - {""}
