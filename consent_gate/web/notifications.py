"""E-mail to staff about sealed pictures, confirmations to give, and held pictures (daily).

A message holds counts and event names. It never holds a picture or a pupil's name.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, timedelta

from consent_gate.db.models import (
    AuditEntry,
    ChannelDecision,
    ChannelStatus,
    Role,
    SentReminder,
    User,
)
from consent_gate.db.models.roles import CONFIRMATION_ROLES, REVIEW_ROLES
from consent_gate.home.home import Home
from consent_gate.home.mail import send
from consent_gate.messages import LABELS
from consent_gate.model import Reason
from consent_gate.operations.health.health_check import State
from consent_gate.operations.health.work_checks import READER_CHECKS
from consent_gate.review.sealed_exports import open_requests
from consent_gate.web.pages.queue import QueueFilter, event_title, events
from publish.name_check import contains_pupil_name

MAX_EVENTS = 30
"""Events listed by name in one summary; the rest are counted."""
CODE_RETENTION_DAYS = 60
"""How long the gate remembers that it sent a message."""


def send_notifications(home: Home) -> int:
    """Send the messages that are due. ``run`` calls it every minute.

    A message that the mail server does not accept is tried again at the next call.

    Returns:
        How many messages were sent.
    """
    if not home.settings.mail.host:
        return 0
    _delete_old_codes(home)
    return _notify_of_sealed(home) + _notify_second_persons(home) + _daily_summaries(home)


def _notify_of_sealed(home: Home) -> int:
    """Tell the safeguarding leads about each newly sealed picture."""
    to = {*home.settings.safeguarding.mail_to, *_addresses([Role.SAFEGUARDING_LEAD])}
    since = (home.clock().astimezone(UTC) - timedelta(days=CODE_RETENTION_DAYS)).isoformat()
    body = (
        "A colleague sealed a picture because they thought that it should not exist. It is locked"
        " away and nobody can open it. Please do not look for the picture, and do not reply to"
        " this message with details.\n\nPlease log in and open the page Sealed. It tells you what"
        " to do and whom to call."
    )
    return sum(
        _send_once(
            home, f"sealed:{entry.sequence}", "Please log in: safeguarding", body, sorted(to)
        )
        for entry in AuditEntry.objects.filter(action="item.sealed", at__gte=since)
    )


def _notify_second_persons(home: Home) -> int:
    """Ask everybody who may confirm a request, except the person who made it."""
    body = (
        "A colleague has made a request that a second person must confirm. Please log in, open"
        " the page Confirm, and talk to your colleague before you answer."
    )
    return sum(
        _send_once(
            home, f"second:{row.pk}", "Please log in: a request needs your confirmation", body, to
        )
        for row in open_requests(home)
        if (to := _addresses(CONFIRMATION_ROLES, exclude=row.asked_by))
    )


def _daily_summaries(home: Home) -> int:
    """Send each reviewer with an e-mail address one summary a day, from the configured hour."""
    mail, now = home.settings.mail, home.now()
    if not mail.digest or now.hour < mail.digest_hour:
        return 0
    due = [
        (user, code)
        for user in User.objects.filter(is_active=True, role__in=REVIEW_ROLES).exclude(email="")
        if not _was_sent(code := f"digest:{now:%Y-%m-%d}:{user.pk}")
    ]
    body = daily_summary(home) if due else ""
    return sum(
        _send_once(home, code, "Held pictures", body, [user.email]) for user, code in due if body
    )


def daily_summary(home: Home) -> str:
    """Text about the pictures to decide, by event and reason, and about withdrawn copies.

    Empty when there is nothing to do.
    """
    return "\n\n".join(part for part in (_held_summary(home), _copies_summary(home)) if part)


def _copies_summary(home: Home) -> str:
    """Sentences about late confirmations and silent readers; empty when there are none."""
    checks = (check for make in READER_CHECKS for check in make(home))
    return "\n".join(check.message for check in checks if check.state is not State.GOOD)


def _held_summary(home: Home) -> str:
    """Text about the pictures to decide; empty when there are none."""
    waiting = events(QueueFilter())
    if not waiting:
        return ""
    total = sum(event.held for event in waiting)
    oldest = min(event.oldest for event in waiting)
    lines = [
        f"{_pictures(total)} for a decision, the oldest since {home.local_time(oldest):%-d %B}.",
        "",
    ]
    reasons = _reason_counts()
    for event in waiting[:MAX_EVENTS]:
        why = ", ".join(f"{LABELS[reason]}: {n}" for reason, n in reasons[event.name].most_common())
        lines.append(f"- {_title(home, event.name)}: {event.held} ({why})")
    if len(waiting) > MAX_EVENTS:
        lines.append(f"- and {len(waiting) - MAX_EVENTS} more events")
    return "\n".join([*lines, "", "Log in and open the page Held pictures to decide."])


def _pictures(count: int) -> str:
    return "One picture waits" if count == 1 else f"{count} pictures wait"


def _title(home: Home, event: str) -> str:
    """The event's name; "An event" when the folder name contains a pupil's name."""
    title = event_title(event)
    return "An event" if contains_pupil_name(home, title) else title


def _reason_counts() -> dict[str, Counter[Reason]]:
    """By event: the number of held pictures for each reason."""
    held = ChannelDecision.objects.filter(
        verdict=ChannelStatus.HELD, item__in=QueueFilter().held().values("pk")
    )
    by_item: dict[tuple[str, str], set[Reason]] = {}
    for event, item, reasons in held.values_list("item__event", "item", "reasons").iterator():
        by_item.setdefault((event, item), set()).update(Reason(reason) for reason in reasons)
    counts: dict[str, Counter[Reason]] = {}
    for (event, _), reasons in by_item.items():
        counts.setdefault(event, Counter()).update(reasons)
    return counts


def _addresses(roles: Iterable[Role], exclude: str = "") -> list[str]:
    people = User.objects.filter(is_active=True, role__in=list(roles)).exclude(email="")
    return sorted(people.exclude(username=exclude).values_list("email", flat=True))


def _send_once(home: Home, code: str, subject: str, body: str, to: list[str]) -> bool:
    """Send a message unless ``code`` was sent before. Returns whether it was sent now."""
    if not to or _was_sent(code) or not send(home, subject, body, to):
        return False
    SentReminder.objects.create(code=code, sent_at=home.now())
    return True


def _was_sent(code: str) -> bool:
    return SentReminder.objects.filter(code=code).exists()


def _delete_old_codes(home: Home) -> None:
    old = SentReminder.objects.filter(
        sent_at__lt=home.now() - timedelta(days=CODE_RETENTION_DAYS + 1)
    )
    for kind in ("digest", "sealed", "second"):
        old.filter(code__startswith=f"{kind}:").delete()
