"""What time brings: telling people before and when something waits for them, and what runs out.

A register older than the settings' ``register_max_age_days`` holds every picture; the
office is told two weeks before. Suspended purposes and stopped imports are told of too.
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
from consent_gate.messages import purpose_title
from consent_gate.register.age import RegisterAge, register_age
from consent_gate.register.templates import destroy_lost_templates
from consent_gate.subject_rights.never_publish import open_lifts
from publish.recall.withdraw import sync_folders

AGAIN_DAYS = 7
"""What nobody has acted on is mailed once a week."""
DONE_DAYS = 30
"""Exports in the drop folder's ``done`` hold data of the whole school: deleted after a month."""


@dataclass(frozen=True)
class Reminder:
    """Something a person should do, for the status page and the mail."""

    code: str
    """Stable while it is the same matter."""
    message: str


def pending_reminders(home: Home) -> list[Reminder]:
    """Everything about imports that waits for a person."""
    matters = (
        _about_age(register_age(home)),
        _about_suspended(home),
        _about_blocked_runs(home),
        _about_lifts(),
    )
    return [matter for some in matters for matter in some]


def run_daily(home: Home) -> None:
    """Once a day, or more often: destroy what ran out, delete old exports, mail what waits."""
    with transaction.atomic():
        destroyed = destroy_lost_templates(home, "gate")
        redecide(home, destroyed, "gate")
    sync_folders(home)
    _delete_old_exports(home)
    mail_reminders(home)


def mail_reminders(home: Home) -> int:
    """Mail what is new, and once a week what still waits. Returns how many went out."""
    sent, now = 0, home.now()
    for warning in pending_reminders(home):
        last = SentReminder.objects.filter(code=warning.code).first()
        if last and (now.date() - home.local_time(last.sent_at).date()).days < AGAIN_DAYS:
            continue  # by the day: a week in which summer time begins is an hour short
        if send(home, "Consent list", warning.message):
            SentReminder.objects.update_or_create(code=warning.code, defaults={"sent_at": now})
            sent += 1
    return sent


def _about_age(age: RegisterAge) -> Iterator[Reminder]:
    if age.exported_on is None:
        return
    day = f"{age.exported_on:%d/%m/%Y}"
    if age.is_stale:
        text = f"The consent list is of {day}. That is too old: every new picture is held until a"
        yield Reminder(f"register-stale:{age.exported_on}", text + " new SIMS export is imported.")
    elif age.is_near_limit:
        text = f"The consent list is of {day}. In {age.days_left} days every new picture will be"
        text += " held. Please import a new SIMS export before."
        yield Reminder(f"register-ages:{age.exported_on}", text)


def _about_suspended(home: Home) -> Iterator[Reminder]:
    titles = home.settings.consent_titles
    for row in SuspendedPurpose.objects.order_by("purpose"):
        text = (
            f"Much consent for {purpose_title(row.purpose, titles)} was gone at once on"
            f" {home.local_time(row.since):%d/%m/%Y}. Nothing new goes out on it until"
            " somebody says on the page Imports whether that was meant."
        )
        yield Reminder(f"suspended:{row.purpose}:{row.since:%Y-%m-%d}", text)


def _about_blocked_runs(home: Home) -> Iterator[Reminder]:
    """Imports that were stopped and that nothing newer has replaced."""
    for run in blocked_runs():
        day = f"{home.local_time(run.created_at):%d/%m/%Y}"
        text = f"Import {run.pk} of {day} waits for a person, on the page Imports:"
        reasons = [str(brake["message"]) for brake in run.summary.get("blocked", [])]
        yield Reminder(f"import-stopped:{run.pk}", "\n".join([text, *reasons]))


def blocked_runs() -> list[ImportRun]:
    """Imports that wait for a person, oldest first; of one file only the last try."""
    exports = ImportRun.objects.exclude(exported_on=None)
    applied = exports.filter(status=ImportRun.Status.APPLIED).order_by("-pk").first()
    stopped = ImportRun.objects.filter(status=ImportRun.Status.BLOCKED).order_by("pk")
    found = stopped.filter(pk__gt=applied.pk) if applied else stopped
    return list({run.file_sha256: run for run in found}.values())


def _about_lifts() -> Iterator[Reminder]:
    """Never-publish marks that one person asked to lift."""
    lifts = open_lifts()
    if lifts:
        some = "a never-publish mark" if len(lifts) == 1 else f"{len(lifts)} never-publish marks"
        text = f"Somebody asked for {some} to be lifted. Another person has to confirm that on the"
        yield Reminder(f"mark-lifts:{lifts[-1].pk}", text + " page Confirm; it stays till then.")


def _delete_old_exports(home: Home) -> None:
    oldest = (home.now() - timedelta(days=DONE_DAYS)).timestamp()
    for path in (home.sims / "done").glob("*"):
        if path.is_file() and path.stat().st_mtime < oldest:
            path.unlink(missing_ok=True)
