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
from publish.channel.folder import folder_problems

LOW_DISK = 5 << 30
"""Bytes: about a thousand photos of 12 MP with their previews."""

STALL_AFTER = timedelta(hours=1)
"""A picture takes seconds; one that waits an hour waits for something that will not come."""

MAX_BACKUP_AGE = timedelta(days=8)
"""A weekly backup that failed once is told."""


class State(StrEnum):
    """How one thing is. ``LOOK`` is no fault yet, or none of the machine."""

    GOOD = "good"
    WARNING = "look"
    BAD = "bad"


@dataclass(frozen=True)
class HealthCheck:
    """One thing that was looked at."""

    code: str
    """Stable, for programs; holds no path and no name."""
    what: str
    state: State
    words: str
    """For people; may name folders of the machine, never a pupil or a photo."""


def all_checks(home: Home) -> list[HealthCheck]:
    """Everything, in the order of the page. A check that fails itself is a bad finding."""
    checks = (
        running,
        *MACHINE_CHECKS,
        consent_list,
        waiting,
        worker_machines,
        on_the_way,
        backups,
        last_entry,
    )
    return [found for check in checks for found in run_check(home, check)]


def machine_findings(home: Home) -> list[HealthCheck]:
    """What monitoring asks every few seconds: the process and what it stands on."""
    return [found for check in (running, *MACHINE_CHECKS) for found in run_check(home, check)]


def run_check(home: Home, check: Callable[[Home], Iterable[HealthCheck]]) -> Iterator[HealthCheck]:
    """The findings of one check, whatever happens in it."""
    try:
        yield from list(check(home))
    except Exception as error:  # noqa: BLE001  a check that cannot be made is a finding
        code = check.__name__
        yield HealthCheck(
            code, code.replace("_", " ").capitalize(), State.BAD, _failed_check(error)
        )


def worst_state(found: Iterable[HealthCheck]) -> State:
    """The state of the whole."""
    states = {one.state for one in found}
    return next((s for s in (State.BAD, State.WARNING) if s in states), State.GOOD)


def running(home: Home) -> Iterator[HealthCheck]:
    """Whether the part that looks at photos gives signs of life, and what it tells."""
    what, sign = "Running", read_heartbeat(home)
    if sign is None:
        yield HealthCheck("running", what, State.WARNING, "The gate has not run here yet.")
    elif sign.is_stale(home.now()):
        words = f"Not heard of since {datetime.fromisoformat(sign.at):%d %B, %H:%M}."
        yield HealthCheck("running", what, State.BAD, f"{words} Start it again: consent-gate run.")
    elif sign.trouble:
        yield HealthCheck("running", what, State.BAD, sign.trouble)
    else:
        yield HealthCheck("running", what, State.GOOD, sign.watching)
    if sign and sign.files_waiting:
        words = f"{counted(sign.files_waiting, 'file')} in the inbox cannot be taken yet."
        yield HealthCheck("inbox.waiting", "Inbox", State.WARNING, words)


def database(_home: Home) -> Iterator[HealthCheck]:
    """Whether the database answers."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT COUNT(*) FROM gate_importrun")
            cursor.fetchone()
    except DatabaseError as error:
        yield HealthCheck("database", "Database", State.BAD, f"It does not answer: {error}.")
        return
    yield HealthCheck("database", "Database", State.GOOD, "It answers.")


def folders(home: Home) -> Iterator[HealthCheck]:
    """Whether each folder is there and can be written."""
    ours = [("inbox", "Inbox", home.inbox), ("sims", "SIMS exports", home.sims)]
    for code, what, path in [*ours, ("vault", "Safe store", home.vault)]:
        if not path.is_dir():
            yield HealthCheck(code, what, State.BAD, f"The folder {path} is not there.")
        elif not os.access(path, os.W_OK):
            yield HealthCheck(code, what, State.BAD, f"The folder {path} cannot be written.")
        else:
            yield HealthCheck(code, what, State.GOOD, str(path))


def channel_folders(home: Home) -> Iterator[HealthCheck]:
    """Whether each channel's folder follows the ledger."""
    troubled = {trouble.channel: trouble.message for trouble in folder_problems(home)}
    for name in [*home.settings.channels, *(troubled.keys() - home.settings.channels.keys())]:
        channel = home.settings.channels.get(name)
        what, code = channel.title if channel else name, f"channel.{name}"
        if name in troubled:
            yield HealthCheck(code, what, State.BAD, troubled[name])
        elif not os.access(home.approved(name), os.W_OK):
            yield HealthCheck(code, what, State.BAD, f"{home.approved(name)} cannot be written.")
        else:
            yield HealthCheck(code, what, State.GOOD, str(home.approved(name)))


def disk(home: Home) -> Iterator[HealthCheck]:
    """Room where originals go: the vault may be on another disk than the database."""
    places = {"disk.home": home.database.parent, "disk.vault": home.vault}
    for code, path in places.items():
        free = shutil.disk_usage(path).free
        state = State.GOOD if free > LOW_DISK else State.BAD
        what = "Free space" if code == "disk.home" else "Free space for originals"
        yield HealthCheck(code, what, state, f"{free / (1 << 30):.1f} GB at {path}")


MACHINE_CHECKS: tuple[Callable[[Home], Iterator[HealthCheck]], ...] = (
    database,
    folders,
    channel_folders,
    disk,
)


def consent_list(home: Home) -> Iterator[HealthCheck]:
    """Age of the register; too old means that everything is held, as it must."""
    age = register_age(home)
    if age.exported_on is None:
        words = "No SIMS export has been imported yet, or none since this home was restored."
        yield HealthCheck("register", "Consent list", State.BAD, words)
        return
    state = State.BAD if age.is_stale else State.WARNING if age.is_near_limit else State.GOOD
    words = f"From {age.exported_on:%d %B %Y}, {counted(age.days or 0, 'day')} old; "
    words += f"everything is held after {age.limit} days."
    yield HealthCheck("register", "Consent list", state, words)


def waiting(home: Home) -> Iterator[HealthCheck]:
    """Pictures taken in and not looked at."""
    rows = Item.objects.filter(state=ItemState.RECEIVED)
    # One that is looked at again has been here for long, and may wait for its turn.
    new = rows.filter(priority=Priority.LIVE, evidence__isnull=True)
    late = new.filter(received_at__lt=home.now() - STALL_AFTER).count()
    if late:
        words = counted(late, "picture has", "pictures have") + " waited for over an hour."
        yield HealthCheck("waiting", "Being checked", State.BAD, words)
        return
    yield HealthCheck("waiting", "Being checked", State.GOOD, counted(rows.count(), "picture"))


def worker_machines(home: Home) -> Iterator[HealthCheck]:
    """Where other machines look at the photos: whether one gives signs of life."""
    if not jobs.uses_remote_workers(home):
        return
    what, count = "Worker machines", jobs.live_workers()
    if count:
        yield HealthCheck("workers", what, State.GOOD, f"{count} at work or ready")
    elif sum(jobs.queued_jobs().values()) or jobs.running_jobs():
        words = "Photos wait, and none is there. Start one: consent-gate worker."
        yield HealthCheck("workers", what, State.BAD, words)
    else:
        yield HealthCheck("workers", what, State.GOOD, "None just now, and nothing waits")


def on_the_way(home: Home) -> Iterator[HealthCheck]:
    """Everything between a decision and a folder should take seconds."""
    moving = (PublicationState.INTENDED, PublicationState.WRITTEN, PublicationState.WITHDRAWING)
    rows = Publication.objects.filter(state__in=moving)
    late = rows.filter(intended_at__lt=home.now() - STALL_AFTER, withdrawn_at=None).count()
    late += rows.filter(withdrawn_at__lt=home.now() - STALL_AFTER).count()
    if late:
        words = counted(late, "picture is", "pictures are") + " not yet where they should be."
        yield HealthCheck("on_the_way", "On the way", State.BAD, words)
        return
    words = counted(rows.count(), "picture") + " going out or coming back"
    yield HealthCheck("on_the_way", "On the way", State.GOOD, words)


def backups(home: Home) -> Iterator[HealthCheck]:
    """When the last backup was made."""
    last = AuditEntry.objects.filter(action="backup.made").order_by("-sequence").first()
    what, limit = "Last backup", home.clock() - MAX_BACKUP_AGE
    if last is None:
        yield HealthCheck(
            "backup", what, State.WARNING, "None yet. See 'consent-gate backup --help'."
        )
    elif last.at < limit.isoformat():
        yield HealthCheck("backup", what, State.WARNING, f"{_at(home, last)}: that is long ago.")
    else:
        yield HealthCheck("backup", what, State.GOOD, _at(home, last))


def last_entry(home: Home) -> Iterator[HealthCheck]:
    """The newest line of the audit trail."""
    last = AuditEntry.objects.order_by("-sequence").first()
    words = _at(home, last) if last else "none"
    yield HealthCheck("audit", "Last entry in the audit trail", State.GOOD, words)


def _at(home: Home, entry: AuditEntry) -> str:
    """When it was written, by the school's clock."""
    moment = home.local_time(datetime.fromisoformat(entry.at))
    return f"{moment:%d %B %Y, %H:%M}"


def _failed_check(error: Exception) -> str:
    return f"This could not be checked ({type(error).__name__})."
