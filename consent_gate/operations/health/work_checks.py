"""Health checks of the work: consent list, waiting pictures, readers, backups, audit trail."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

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
from consent_gate.operations.health.health_check import HealthCheck, State
from consent_gate.register.age import register_age
from consent_gate.register.repository import lawful_pupils, without_enrolment_photo
from publish.feed.readers import silent_readers
from publish.recall.tickets import overdue_tickets

STALL_AFTER = timedelta(hours=1)
"""A step takes seconds: a picture that has waited for an hour is stuck."""


MAX_BACKUP_AGE = timedelta(days=8)
"""A weekly backup that fails once is reported after this time."""


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


def enrolment(home: Home) -> Iterator[HealthCheck]:
    """Whether pupils with consent to face matching have a template. Nobody else is recognised."""
    today = home.now().date()
    allowed = lawful_pupils(today).count()
    if not allowed:
        return
    enrolled = allowed - without_enrolment_photo(today).count()
    message = (
        f"Pupils with consent to face matching: {allowed}. With an enrolment photo: {enrolled}."
    )
    if enrolled == 0:
        message += " So every picture of people waits for a person. Import portraits with the"
        message += " consent list, or take them with the webcam on the pupils' pages."
    state = State.GOOD if enrolled else State.WARNING
    yield HealthCheck("enrolment", "Enrolment photos", state, message)


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
