"""Check whether the running gate works, for the health page, the commands and monitoring.

``consent_gate.operations.doctor`` checks the installation as well. The name of a check function is
the code of its finding when the check itself fails.
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
from ingest.workers import sandbox
from publish.channel.folder import folder_problems
from publish.feed.readers import silent_readers
from publish.recall.tickets import overdue_tickets

LOW_DISK = 5 << 30
"""Free bytes below which a disk is reported: a thousand photos of 12 MP with their previews."""

STALL_AFTER = timedelta(hours=1)
"""A step takes seconds: a picture that has waited for an hour is stuck."""

MAX_BACKUP_AGE = timedelta(days=8)
"""A weekly backup that fails once is reported after this time."""


class State(StrEnum):
    """The result of a check. ``WARNING`` is not a fault yet, or not a fault of the machine."""

    GOOD = "good"
    WARNING = "look"
    BAD = "bad"


@dataclass(frozen=True)
class HealthCheck:
    """One finding of a check."""

    code: str
    """Stable identifier for programs; contains no path and no name."""
    title: str
    """Title of the finding."""
    state: State
    message: str
    """Message for people. It may name folders of the machine, but no pupil and no photo."""

    def as_dict(self) -> dict[str, str]:
        """The finding as ``doctor --json`` prints it."""
        return {
            "code": self.code,
            "what": self.title,
            "state": self.state,
            "words": self.message,
        }


def all_checks(home: Home) -> list[HealthCheck]:
    """The findings of all checks, in the order of the health page."""
    checks = (
        running,
        *MACHINE_CHECKS,
        consent_list,
        waiting,
        worker_machines,
        on_the_way,
        *READER_CHECKS,
        backups,
        last_entry,
    )
    return [found for check in checks for found in run_check(home, check)]


def machine_findings(home: Home) -> list[HealthCheck]:
    """The findings that monitoring reads often: process, database, folders, disks and readers."""
    return [
        found
        for check in (running, *MACHINE_CHECKS, *READER_CHECKS)
        for found in run_check(home, check)
    ]


def run_check(home: Home, check: Callable[[Home], Iterable[HealthCheck]]) -> Iterator[HealthCheck]:
    """The findings of one check. An exception in the check becomes a bad finding."""
    try:
        yield from list(check(home))
    except Exception as error:  # noqa: BLE001  a check that cannot be made is a finding
        code = check.__name__
        yield HealthCheck(
            code, code.replace("_", " ").capitalize(), State.BAD, _failed_check(error)
        )


def worst_state(found: Iterable[HealthCheck]) -> State:
    """The worst state of these findings."""
    states = {finding.state for finding in found}
    return next((s for s in (State.BAD, State.WARNING) if s in states), State.GOOD)


def running(home: Home) -> Iterator[HealthCheck]:
    """Whether ``consent-gate run`` is alive, and what it reports."""
    title, sign = "Running", read_heartbeat(home)
    if sign is None:
        yield HealthCheck(
            "running",
            title,
            State.WARNING,
            "The gate has not run here yet. Start it: consent-gate run.",
        )
    elif sign.is_stale(home.now()):
        message = (
            f"The gate has not responded since {datetime.fromisoformat(sign.at):%d %B, %H:%M}."
        )
        yield HealthCheck(
            "running", title, State.BAD, f"{message} Start it again: consent-gate run."
        )
    elif sign.trouble:
        yield HealthCheck("running", title, State.BAD, sign.trouble)
    else:
        yield HealthCheck("running", title, State.GOOD, sign.watching)
    if sign and sign.files_waiting:
        message = f"{counted(sign.files_waiting, 'file')} in the inbox cannot be processed yet."
        yield HealthCheck("inbox.waiting", "Inbox", State.WARNING, message)


def database(_home: Home) -> Iterator[HealthCheck]:
    """Whether the database answers."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT COUNT(*) FROM gate_importrun")
            cursor.fetchone()
    except DatabaseError as error:
        yield HealthCheck(
            "database", "Database", State.BAD, f"The database does not respond: {error}."
        )
        return
    yield HealthCheck("database", "Database", State.GOOD, "The database responds.")


def folders(home: Home) -> Iterator[HealthCheck]:
    """Whether each folder exists and can be written."""
    ours = [("inbox", "Inbox", home.inbox), ("sims", "SIMS exports", home.sims)]
    for code, title, path in [*ours, ("vault", "Safe store", home.vault)]:
        if not path.is_dir():
            yield HealthCheck(code, title, State.BAD, f"The folder {path} does not exist.")
        elif not os.access(path, os.W_OK):
            yield HealthCheck(
                code, title, State.BAD, f"The gate cannot write to the folder {path}."
            )
        else:
            yield HealthCheck(code, title, State.GOOD, str(path))


def channel_folders(home: Home) -> Iterator[HealthCheck]:
    """Whether each channel's folder matches the database and can be written."""
    troubled = {trouble.channel: trouble.message for trouble in folder_problems(home)}
    for name in [*home.settings.channels, *(troubled.keys() - home.settings.channels.keys())]:
        channel = home.settings.channels.get(name)
        title, code = channel.title if channel else name, f"channel.{name}"
        if name in troubled:
            yield HealthCheck(code, title, State.BAD, troubled[name])
        elif not os.access(home.approved(name), os.W_OK):
            yield HealthCheck(
                code, title, State.BAD, f"The gate cannot write to {home.approved(name)}."
            )
        else:
            yield HealthCheck(code, title, State.GOOD, str(home.approved(name)))


def disk(home: Home) -> Iterator[HealthCheck]:
    """Free space for the database and for originals, which may be on another disk."""
    places = {"disk.home": home.database.parent, "disk.vault": home.vault}
    for code, path in places.items():
        free = shutil.disk_usage(path).free
        state = State.GOOD if free > LOW_DISK else State.BAD
        title = "Free space" if code == "disk.home" else "Free space for originals"
        yield HealthCheck(code, title, state, f"{free / (1 << 30):.1f} GB at {path}")


def worker_sandbox(home: Home) -> Iterator[HealthCheck]:
    """Whether Linux can restrict the workers that open photos, and keeps the keys from them."""
    code, title, missing = "sandbox", "Sandbox of the workers", sandbox.missing_parts()
    readable = sandbox.readable_paths()
    if any(home.secrets.resolve().is_relative_to(path.resolve()) for path in readable):
        message = f"Workers may read {home.secrets}, as it lies among libraries. Move the home."
        yield HealthCheck(code, title, State.BAD, message)
    elif not missing:
        yield HealthCheck(code, title, State.GOOD, "Landlock and seccomp restrict the workers.")
    else:
        message = f"This machine lacks {' and '.join(missing)}."
        if home.settings.analysis.sandbox == "required":
            message += " No photo is examined: docs/operating.md says what to do."
            yield HealthCheck(code, title, State.BAD, message)
        else:
            message += ' The settings allow it: sandbox = "best_effort".'
            yield HealthCheck(code, title, State.WARNING, message)


MACHINE_CHECKS: tuple[Callable[[Home], Iterator[HealthCheck]], ...] = (
    database,
    folders,
    channel_folders,
    disk,
    worker_sandbox,
)


def consent_list(home: Home) -> Iterator[HealthCheck]:
    """Age of the consent register. A register that is too old holds every new picture."""
    age = register_age(home)
    if age.exported_on is None:
        message = "No SIMS export has been imported yet, or none since this home was restored."
        message += " Please import one."
        yield HealthCheck("register", "Consent list", State.BAD, message)
        return
    state = State.BAD if age.is_stale else State.WARNING if age.is_near_limit else State.GOOD
    message = f"From {age.exported_on:%d %B %Y}, {counted(age.days or 0, 'day')} old; "
    message += f"every new picture is held after {age.limit} days."
    yield HealthCheck("register", "Consent list", state, message)


def waiting(home: Home) -> Iterator[HealthCheck]:
    """Whether new pictures have waited too long for their examination."""
    rows = Item.objects.filter(state=ItemState.RECEIVED)
    # A picture that is examined again arrived long ago, and may wait.
    new = rows.filter(priority=Priority.LIVE, evidence__isnull=True)
    late = new.filter(received_at__lt=home.now() - STALL_AFTER).count()
    if late:
        message = counted(late, "picture has", "pictures have") + " waited for over an hour."
        yield HealthCheck("waiting", "Being checked", State.BAD, message)
        return
    yield HealthCheck("waiting", "Being checked", State.GOOD, counted(rows.count(), "picture"))


def worker_machines(home: Home) -> Iterator[HealthCheck]:
    """Whether a worker machine is alive, where the settings use them."""
    if not jobs.uses_remote_workers(home):
        return
    title, count = "Worker machines", jobs.live_workers()
    if count:
        yield HealthCheck("workers", title, State.GOOD, f"{count} working or ready")
    elif sum(jobs.queued_jobs().values()) or jobs.running_jobs():
        message = "Photos wait, but no worker machine runs. Start one: consent-gate worker."
        yield HealthCheck("workers", title, State.BAD, message)
    else:
        yield HealthCheck("workers", title, State.GOOD, "None running now, and no photo waits")


def on_the_way(home: Home) -> Iterator[HealthCheck]:
    """Whether pictures have waited too long to be published or withdrawn."""
    moving = (PublicationState.INTENDED, PublicationState.WRITTEN, PublicationState.WITHDRAWING)
    rows = Publication.objects.filter(state__in=moving)
    late = rows.filter(intended_at__lt=home.now() - STALL_AFTER, withdrawn_at=None).count()
    late += rows.filter(withdrawn_at__lt=home.now() - STALL_AFTER).count()
    if late:
        message = (
            counted(late, "picture is", "pictures are") + " waiting to be published or withdrawn."
        )
        yield HealthCheck("on_the_way", "On the way", State.BAD, message)
        return
    message = counted(rows.count(), "picture") + " being published or withdrawn"
    yield HealthCheck("on_the_way", "On the way", State.GOOD, message)


def copies(home: Home) -> Iterator[HealthCheck]:
    """Whether readers or staff have confirmed in time that withdrawn copies are deleted."""
    late, title = len(overdue_tickets(home)), "Withdrawn copies"
    if late:
        message = f"{counted(late, 'picture was', 'pictures were')} withdrawn over a day ago, and"
        message += " not everybody has confirmed yet that the copies are deleted. The page"
        message += " Published, Withdrawn, says who."
        yield HealthCheck("tickets", title, State.WARNING, message)
    else:
        yield HealthCheck("tickets", title, State.GOOD, "Nobody is late with a confirmation.")


def feed_readers(home: Home) -> Iterator[HealthCheck]:
    """Whether each reader of a feed still asks for it."""
    silent, title = silent_readers(home), "Readers of the feeds"
    if silent:
        names = ", ".join(f"{found.reader} ({found.channel})" for found in silent)
        message = f"Silent for over a day: {names}. A website that does not read the feed may still"
        message += " show withdrawn pictures. Start the reader, or revoke its token."
        yield HealthCheck("readers", title, State.WARNING, message)
    else:
        yield HealthCheck("readers", title, State.GOOD, "Every reader has asked within a day.")


READER_CHECKS = (copies, feed_readers)


def backups(home: Home) -> Iterator[HealthCheck]:
    """Age of the last backup."""
    last = AuditEntry.objects.filter(action="backup.made").order_by("-sequence").first()
    title, limit = "Last backup", home.clock() - MAX_BACKUP_AGE
    if last is None:
        yield HealthCheck(
            "backup", title, State.WARNING, "No backup yet. See 'consent-gate backup --help'."
        )
    elif last.at < limit.isoformat():
        yield HealthCheck(
            "backup",
            title,
            State.WARNING,
            f"{_at(home, last)}: more than a week ago. Make a backup.",
        )
    else:
        yield HealthCheck("backup", title, State.GOOD, _at(home, last))


def last_entry(home: Home) -> Iterator[HealthCheck]:
    """Time of the newest entry of the audit trail."""
    last = AuditEntry.objects.order_by("-sequence").first()
    message = _at(home, last) if last else "none"
    yield HealthCheck("audit", "Last entry in the audit trail", State.GOOD, message)


def _at(home: Home, entry: AuditEntry) -> str:
    """Local time of an audit entry."""
    moment = home.local_time(datetime.fromisoformat(entry.at))
    return f"{moment:%d %B %Y, %H:%M}"


def _failed_check(error: Exception) -> str:
    return f"This could not be checked ({type(error).__name__})."
