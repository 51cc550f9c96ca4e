"""Daily maintenance: send reminders, destroy expired templates and delete old exports.

A register older than the settings' ``register_max_age_days`` holds every new picture, so the office
gets a reminder beforehand. There are reminders about suspended purposes, stopped imports and
never-publish marks as well.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from django.db import transaction

from consent_gate.db.models import ImportRun, SentReminder, SuspendedPurpose
from consent_gate.decisions.redecide import redecide
from consent_gate.home.home import Home
from consent_gate.home.mail import send
from consent_gate.messages import counted, purpose_title
from consent_gate.register.age import RegisterAge, register_age
from consent_gate.register.templates import destroy_lost_templates
from consent_gate.subject_rights.never_publish import open_lifts
from publish.recall.withdraw import sync_folders

REPEAT_DAYS = 7
"""Days after which a reminder is mailed again that nobody has acted on."""

EXPORT_RETENTION_DAYS = 30
"""Days after which an imported export is deleted: it holds data of the whole school."""


@dataclass(frozen=True)
class Reminder:
    """Something that a person should do, for the status page and the mail."""

    code: str
    """Stays the same while the reminder is about the same matter."""
    message: str
    """Message for the office, in plain English."""


def pending_reminders(home: Home) -> list[Reminder]:
    """Every reminder about imports and the register that waits for a person."""
    groups = (
        _about_age(register_age(home)),
        _about_suspended(home),
        _about_blocked_runs(home),
        _about_lifts(),
    )
    return [reminder for group in groups for reminder in group]


def run_daily(home: Home) -> None:
    """Destroy expired templates, delete old exports and mail reminders. Run at least once a day."""
    with transaction.atomic():
        destroyed = destroy_lost_templates(home, "gate")
        redecide(home, destroyed, "gate")
    sync_folders(home)
    _delete_old_exports(home)
    mail_reminders(home)


def mail_reminders(home: Home) -> int:
    """Mail new reminders, and the others again after a week. Returns how many were sent."""
    sent, now = 0, home.now()
    for reminder in pending_reminders(home):
        last = SentReminder.objects.filter(code=reminder.code).first()
        if last and (now.date() - home.local_time(last.sent_at).date()).days < REPEAT_DAYS:
            continue  # counted in dates: a week in which summer time begins is an hour short
        if send(home, "Consent list", reminder.message):
            SentReminder.objects.update_or_create(code=reminder.code, defaults={"sent_at": now})
            sent += 1
    return sent


def _about_age(age: RegisterAge) -> Iterator[Reminder]:
    if age.exported_on is None:
        return
    day = f"{age.exported_on:%d/%m/%Y}"
    if age.is_stale:
        message = f"The consent list is dated {day} and is too old. Every new picture is held until"
        message += " a new SIMS export is imported. Please export one from SIMS and import it."
        yield Reminder(f"register-stale:{age.exported_on}", message)
    elif age.is_near_limit:
        left = counted(age.days_left or 0, "day")
        message = f"The consent list is dated {day}. In {left} every new picture will be held,"
        message += " because the list will be too old. Please import a new SIMS export before then."
        yield Reminder(f"register-ages:{age.exported_on}", message)


def _about_suspended(home: Home) -> Iterator[Reminder]:
    titles = home.settings.consent_titles
    for row in SuspendedPurpose.objects.order_by("purpose"):
        message = (
            f"Many consents for {purpose_title(row.purpose, titles)} disappeared in the import of"
            f" {home.local_time(row.since):%d/%m/%Y}. No new picture is published on the strength"
            " of this consent for now. Please say on the page Imports whether the change is right."
        )
        yield Reminder(f"suspended:{row.purpose}:{row.since:%Y-%m-%d}", message)


def _about_blocked_runs(home: Home) -> Iterator[Reminder]:
    """Reminders about stopped imports that no newer import has replaced."""
    for run in blocked_runs():
        day = f"{home.local_time(run.created_at):%d/%m/%Y}"
        message = (
            f"Import {run.pk} of {day} was stopped. Please decide about it on the page Imports:"
        )
        reasons = [str(block["message"]) for block in run.summary.get("blocked", [])]
        yield Reminder(f"import-stopped:{run.pk}", "\n".join([message, *reasons]))


def blocked_runs() -> list[ImportRun]:
    """Stopped imports that wait for a person, oldest first; of each file only the last attempt."""
    exports = ImportRun.objects.exclude(exported_on=None)
    applied = exports.filter(status=ImportRun.Status.APPLIED).order_by("-pk").first()
    stopped = ImportRun.objects.filter(status=ImportRun.Status.BLOCKED).order_by("pk")
    found = stopped.filter(pk__gt=applied.pk) if applied else stopped
    return list({run.file_sha256: run for run in found}.values())


def _about_lifts() -> Iterator[Reminder]:
    """A reminder about never-publish marks that one person asked to lift."""
    lifts = open_lifts()
    if lifts:
        marks = "a never-publish mark" if len(lifts) == 1 else f"{len(lifts)} never-publish marks"
        message = (
            f"Somebody asked to lift {marks}. A second person has to confirm or refuse this on"
        )
        message += " the page Confirm. Until then nothing changes."
        yield Reminder(f"mark-lifts:{lifts[-1].pk}", message)


def _delete_old_exports(home: Home) -> None:
    oldest = (home.now() - timedelta(days=EXPORT_RETENTION_DAYS)).timestamp()
    for path in (home.sims / "done").glob("*"):
        if path.is_file() and path.stat().st_mtime < oldest:
            path.unlink(missing_ok=True)
