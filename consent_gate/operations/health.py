"""Whether the gate is well, as it runs: one answer for the page, the commands and monitoring.

``doctor`` looks at the installation besides (``consent_gate.operations.doctor``).
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from django.db import DatabaseError, connection

from consent_gate.db import jobs
from consent_gate.db.models import (
    AuditEntry,
    Item,
    ItemState,
    Priority,
    Publication,
    PublicationState,
)
from consent_gate.home.home import Home
from consent_gate.messages import counted
from consent_gate.register.age import register_age
from ingest.runtime.heartbeat import read_heartbeat
from publish.channel.folder import troubles_of

LOW_DISK = 5 << 30
"""Bytes: about a thousand photos of 12 MP with their previews."""

STUCK = timedelta(hours=1)
"""A picture takes seconds; one that waits an hour waits for something that will not come."""

LONGEST_WITHOUT_BACKUP = timedelta(days=8)
"""A weekly backup that failed once is told."""


class State(StrEnum):
    """How one thing is. ``LOOK`` is no fault yet, or none of the machine."""

    GOOD = "good"
    LOOK = "look"
    BAD = "bad"


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    code: str
    """Stable, for programs; holds no path and no name."""
    what: str
    state: State
    words: str
    """For people; may name folders of the machine, never a pupil or a photo."""


def findings(home: Home) -> list[Finding]:
    """Everything, in the order of the page. A check that fails itself is a bad finding."""
    checks = (
        running,
        *MACHINE,
        consent_list,
        waiting,
        worker_machines,
        on_the_way,
        backups,
        last_entry,
    )
    return [found for check in checks for found in guarded(home, check)]


def machine_findings(home: Home) -> list[Finding]:
    """What monitoring asks every few seconds: the process and what it stands on."""
    return [found for check in (running, *MACHINE) for found in guarded(home, check)]


def guarded(home: Home, check: Callable[[Home], Iterable[Finding]]) -> Iterator[Finding]:
    """The findings of one check, whatever happens in it."""
    try:
        yield from list(check(home))
    except Exception as error:  # noqa: BLE001  a check that cannot be made is a finding
        code = check.__name__
        yield Finding(code, code.replace("_", " ").capitalize(), State.BAD, _could_not(error))


def worst(found: Iterable[Finding]) -> State:
    """The state of the whole."""
    states = {one.state for one in found}
    return next((s for s in (State.BAD, State.LOOK) if s in states), State.GOOD)


def running(home: Home) -> Iterator[Finding]:
    """Whether the part that looks at photos gives signs of life, and what it tells."""
    what, sign = "Running", read_heartbeat(home)
    if sign is None:
        yield Finding("running", what, State.LOOK, "The gate has not run here yet.")
    elif sign.is_stale(home.now()):
        words = f"Not heard of since {datetime.fromisoformat(sign.at):%d %B, %H:%M}."
        yield Finding("running", what, State.BAD, f"{words} Start it again: consent-gate run.")
    elif sign.trouble:
        yield Finding("running", what, State.BAD, sign.trouble)
    else:
        yield Finding("running", what, State.GOOD, sign.watching)
    if sign and sign.files_waiting:
        words = f"{counted(sign.files_waiting, 'file')} in the inbox cannot be taken yet."
        yield Finding("inbox.waiting", "Inbox", State.LOOK, words)


def database(_home: Home) -> Iterator[Finding]:
    """Whether the database answers."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT COUNT(*) FROM gate_importrun")
            cursor.fetchone()
    except DatabaseError as error:
        yield Finding("database", "Database", State.BAD, f"It does not answer: {error}.")
        return
    yield Finding("database", "Database", State.GOOD, "It answers.")


def folders(home: Home) -> Iterator[Finding]:
    """Whether each folder is there and can be written."""
    ours = [("inbox", "Inbox", home.inbox), ("sims", "SIMS exports", home.sims)]
    for code, what, path in [*ours, ("vault", "Safe store", home.vault)]:
        if not path.is_dir():
            yield Finding(code, what, State.BAD, f"The folder {path} is not there.")
        elif not os.access(path, os.W_OK):
            yield Finding(code, what, State.BAD, f"The folder {path} cannot be written.")
        else:
            yield Finding(code, what, State.GOOD, str(path))


def channel_folders(home: Home) -> Iterator[Finding]:
    """Whether each channel's folder follows the ledger."""
    troubled = {trouble.channel: trouble.sentence for trouble in troubles_of(home)}
    for name in [*home.settings.channels, *(troubled.keys() - home.settings.channels.keys())]:
        channel = home.settings.channels.get(name)
        what, code = channel.title if channel else name, f"channel.{name}"
        if name in troubled:
            yield Finding(code, what, State.BAD, troubled[name])
        elif not os.access(home.approved(name), os.W_OK):
            yield Finding(code, what, State.BAD, f"{home.approved(name)} cannot be written.")
        else:
            yield Finding(code, what, State.GOOD, str(home.approved(name)))


def disk(home: Home) -> Iterator[Finding]:
    """Room where originals go: the vault may be on another disk than the database."""
    places = {"disk.home": home.database.parent, "disk.vault": home.vault}
    for code, path in places.items():
        free = shutil.disk_usage(path).free
        state = State.GOOD if free > LOW_DISK else State.BAD
        what = "Free space" if code == "disk.home" else "Free space for originals"
        yield Finding(code, what, state, f"{free / (1 << 30):.1f} GB at {path}")


MACHINE: tuple[Callable[[Home], Iterator[Finding]], ...] = (
    database,
    folders,
    channel_folders,
    disk,
)


def consent_list(home: Home) -> Iterator[Finding]:
    """Age of the register; too old means that everything is held, as it must."""
    age = register_age(home)
    if age.exported_on is None:
        words = "No SIMS export has been imported yet, or none since this home was restored."
        yield Finding("register", "Consent list", State.BAD, words)
        return
    state = State.BAD if age.stale else State.LOOK if age.ages else State.GOOD
    words = f"From {age.exported_on:%d %B %Y}, {counted(age.days or 0, 'day')} old; "
    words += f"everything is held after {age.limit} days."
    yield Finding("register", "Consent list", state, words)


def waiting(home: Home) -> Iterator[Finding]:
    """Pictures taken in and not looked at."""
    rows = Item.objects.filter(state=ItemState.RECEIVED)
    # One that is looked at again has been here for long, and may wait for its turn.
    new = rows.filter(priority=Priority.LIVE, evidence__isnull=True)
    late = new.filter(received_at__lt=home.now() - STUCK).count()
    if late:
        words = counted(late, "picture has", "pictures have") + " waited for over an hour."
        yield Finding("waiting", "Being checked", State.BAD, words)
        return
    yield Finding("waiting", "Being checked", State.GOOD, counted(rows.count(), "picture"))


def worker_machines(home: Home) -> Iterator[Finding]:
    """Where other machines look at the photos: whether one gives signs of life."""
    if not jobs.hands_out(home):
        return
    what, count = "Worker machines", jobs.machines()
    if count:
        yield Finding("workers", what, State.GOOD, f"{count} at work or ready")
    elif sum(jobs.waiting().values()) or jobs.in_hand():
        words = "Photos wait, and none is there. Start one: consent-gate worker."
        yield Finding("workers", what, State.BAD, words)
    else:
        yield Finding("workers", what, State.GOOD, "None just now, and nothing waits")


def on_the_way(home: Home) -> Iterator[Finding]:
    """Everything between a decision and a folder should take seconds."""
    moving = (PublicationState.INTENDED, PublicationState.WRITTEN, PublicationState.UNLISTED)
    rows = Publication.objects.filter(state__in=moving)
    late = rows.filter(intended_at__lt=home.now() - STUCK, withdrawn_at=None).count()
    late += rows.filter(withdrawn_at__lt=home.now() - STUCK).count()
    if late:
        words = counted(late, "picture is", "pictures are") + " not yet where they should be."
        yield Finding("on_the_way", "On the way", State.BAD, words)
        return
    words = counted(rows.count(), "picture") + " going out or coming back"
    yield Finding("on_the_way", "On the way", State.GOOD, words)


def backups(home: Home) -> Iterator[Finding]:
    """When the last backup was made."""
    last = AuditEntry.objects.filter(action="backup.made").order_by("-sequence").first()
    what, limit = "Last backup", home.clock() - LONGEST_WITHOUT_BACKUP
    if last is None:
        yield Finding("backup", what, State.LOOK, "None yet. See 'consent-gate backup --help'.")
    elif last.at < limit.isoformat():
        yield Finding("backup", what, State.LOOK, f"{_at(home, last)}: that is long ago.")
    else:
        yield Finding("backup", what, State.GOOD, _at(home, last))


def last_entry(home: Home) -> Iterator[Finding]:
    """The newest line of the audit trail."""
    last = AuditEntry.objects.order_by("-sequence").first()
    words = _at(home, last) if last else "none"
    yield Finding("audit", "Last entry in the audit trail", State.GOOD, words)


def _at(home: Home, entry: AuditEntry) -> str:
    """When it was written, by the school's clock."""
    moment = home.local_time(datetime.fromisoformat(entry.at))
    return f"{moment:%d %B %Y, %H:%M}"


def _could_not(error: Exception) -> str:
    return f"This could not be checked ({type(error).__name__})."
