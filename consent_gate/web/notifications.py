"""Mail to staff: what was sealed, what takes a second person, and what is held, once a day.

Counts and events, never a picture and never a pupil's name.
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
from consent_gate.review.sealed_exports import open_requests
from consent_gate.web.pages.queue import QueueFilter, event_title, events
from publish.name_check import contains_pupil_name

MAX_EVENTS = 30
"""Named in one summary; the others are counted."""
NOTED_DAYS = 60
"""How long it is remembered that a letter went out."""


def send_notifications(home: Home) -> int:
    """Send what is due. Call it every minute or so. Returns how many went out.

    What a mail server does not take is tried again the next time.
    """
    if not home.settings.mail.host:
        return 0
    _delete_old_codes(home)
    return _notify_of_sealed(home) + _ask_second_persons(home) + _daily_summaries(home)


def _notify_of_sealed(home: Home) -> int:
    """To the safeguarding leads, at once."""
    to = {*home.settings.safeguarding.mail_to, *_addresses([Role.SAFEGUARDING_LEAD])}
    since = (home.clock().astimezone(UTC) - timedelta(days=NOTED_DAYS)).isoformat()
    body = (
        "A colleague sealed a picture that, they thought, should not exist. It is locked away and"
        " nobody can open it. Please do not look for it, and do not answer this message with"
        " details.\n\nLog in and open the page Sealed: it says what to do and whom to call."
    )
    return sum(
        _send_once(
            home, f"sealed:{entry.sequence}", "Please log in: safeguarding", body, sorted(to)
        )
        for entry in AuditEntry.objects.filter(action="item.sealed", at__gte=since)
    )


def _ask_second_persons(home: Home) -> int:
    body = (
        "A colleague asks for something that takes two people. Please log in, open the page"
        " Confirm, and talk to them before you answer."
    )
    return sum(
        _send_once(home, f"second:{row.pk}", "Your confirmation is asked for", body, to)
        for row in open_requests(home)
        if (to := _addresses(CONFIRMATION_ROLES, but=row.asked_by))
    )


def _daily_summaries(home: Home) -> int:
    """One to each reviewer with an address, from the hour of the settings."""
    mail, now = home.settings.mail, home.now()
    if not mail.digest or now.hour < mail.digest_hour:
        return 0
    due = [
        (user, code)
        for user in User.objects.filter(is_active=True, role__in=REVIEW_ROLES).exclude(email="")
        if not _was_sent(code := f"digest:{now:%Y-%m-%d}:{user.pk}")
    ]
    text = summary(home) if due else ""
    return sum(
        _send_once(home, code, "Held pictures", text, [user.email]) for user, code in due if text
    )


def summary(home: Home) -> str:
    """What waits for a decision, by event and reason; empty when nothing does."""
    waiting = events(QueueFilter())
    if not waiting:
        return ""
    total = sum(event.held for event in waiting)
    oldest = min(event.oldest for event in waiting)
    lines = [
        f"{_pictures(total)} for a decision, the oldest since {home.local_time(oldest):%-d %B}.",
        "",
    ]
    reasons = _reasons()
    for event in waiting[:MAX_EVENTS]:
        why = ", ".join(f"{LABELS[reason]}: {n}" for reason, n in reasons[event.name].most_common())
        lines.append(f"- {_title(home, event.name)}: {event.held} ({why})")
    if len(waiting) > MAX_EVENTS:
        lines.append(f"- and {len(waiting) - MAX_EVENTS} more events")
    return "\n".join([*lines, "", "They are on the page Held pictures."])


def _pictures(count: int) -> str:
    return "One picture waits" if count == 1 else f"{count} pictures wait"


def _title(home: Home, event: str) -> str:
    """The event's name, unless somebody called the folder after a child."""
    title = event_title(event)
    return "An event" if contains_pupil_name(home, title) else title


def _reasons() -> dict[str, Counter[Reason]]:
    """Of each event, in how many pictures each reason holds somewhere."""
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


def _addresses(roles: Iterable[Role], but: str = "") -> list[str]:
    people = User.objects.filter(is_active=True, role__in=list(roles)).exclude(email="")
    return sorted(people.exclude(username=but).values_list("email", flat=True))


def _send_once(home: Home, code: str, subject: str, body: str, to: list[str]) -> bool:
    """Whether the letter went out now; never twice."""
    if not to or _was_sent(code) or not send(home, subject, body, to):
        return False
    SentReminder.objects.create(code=code, sent_at=home.now())
    return True


def _was_sent(code: str) -> bool:
    return SentReminder.objects.filter(code=code).exists()


def _delete_old_codes(home: Home) -> None:
    old = SentReminder.objects.filter(sent_at__lt=home.now() - timedelta(days=NOTED_DAYS + 1))
    for kind in ("digest", "sealed", "second"):
        old.filter(code__startswith=f"{kind}:").delete()
