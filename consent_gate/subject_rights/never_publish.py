"""Lifting a never-publish mark takes two people: one asks, another confirms.

An import whose export no longer carries the mark only asks. The mark beats every consent, so one
tired person, or one report without its column, must not be enough to show a child who is hidden
from somebody.
"""

from __future__ import annotations

from django.db import transaction

from consent_gate.db import audit_log
from consent_gate.db.models import MarkLift, PupilEntry, User
from consent_gate.db.models.roles import CONFIRMATION_ROLES
from consent_gate.decisions.redecide import redecide
from consent_gate.errors import GateError
from consent_gate.home.home import Home
from consent_gate.subject_rights.access import find_pupil
from publish.recall.withdraw import sync_folders


class NotLifted(GateError):
    """A never-publish mark stays, because lifting it takes two people."""

    exit_code = 29
    next_step = "One person asks, and another one who may do so confirms. The mark stays till then."


def ask_to_lift(home: Home, number: str, by: str) -> MarkLift:
    """The first person asks. Asking again changes nothing. Raises ItemNotFound or NotLifted."""
    if not by.strip():
        raise NotLifted("Who asks for it has to be said.")
    with transaction.atomic():
        entry = _marked(number)
        lift, is_new = MarkLift.objects.get_or_create(
            pupil=entry, defaults={"asked_by": by, "asked_at": home.now()}
        )
        if is_new:
            _tell(home, entry, "never_publish.lift_asked", {}, by)
    return lift


def confirm_lift(home: Home, number: str, by: str) -> None:
    """The second person agrees: the mark goes, and pictures of the pupil are looked at again.

    ``by`` is the log-in name of an account. Raises ItemNotFound or NotLifted.
    """
    with transaction.atomic():
        entry = _marked(number)
        lift = MarkLift.objects.select_for_update().filter(pupil=entry).first()
        if lift is None:
            raise NotLifted("Nobody has asked for this mark to be lifted.")
        _refuse_unfit(by, lift.asked_by)
        entry.never_publish = False
        entry.save(update_fields=["never_publish"])
        lift.delete()
        _tell(home, entry, "never_publish.lifted", {"asked_by": lift.asked_by}, by)
        redecide(home, {entry.admission_number}, by)
    sync_folders(home)


def keep_mark(home: Home, number: str, by: str) -> None:
    """Somebody says that the mark stays. Raises ItemNotFound."""
    with transaction.atomic():
        entry = find_pupil(number)
        lift = MarkLift.objects.filter(pupil=entry).first()
        if lift is not None:
            lift.delete()
            detail: dict[str, object] = {"asked_by": lift.asked_by}
            _tell(home, entry, "never_publish.lift_refused", detail, by)


def open_lifts() -> list[MarkLift]:
    """What waits for a second person, oldest first."""
    return list(MarkLift.objects.select_related("pupil").order_by("asked_at", "pk"))


def _marked(number: str) -> PupilEntry:
    entry = find_pupil(number)
    if not entry.never_publish:
        raise NotLifted("This pupil carries no never-publish mark.")
    return entry


def _refuse_unfit(by: str, asked_by: str) -> None:
    """Raises NotLifted unless ``by`` is somebody else than the one who asked, and may confirm."""
    user = User.objects.filter(username=by, is_active=True).first()
    if user is None or user.role not in CONFIRMATION_ROLES:
        titles = " or ".join(sorted(role.label.lower() for role in CONFIRMATION_ROLES))
        raise NotLifted(f"Only a person with an account as {titles} can confirm it.")
    if _names_of(by) & _names_of(asked_by):
        raise NotLifted("The person who asked cannot confirm it as well.")


def _names_of(name: str) -> set[str]:
    """Every way in which this person may have been written down."""
    user = User.objects.filter(username=name).first()
    names = [name, user.username, user.get_full_name(), user.email] if user else [name]
    return {" ".join(text.casefold().split()) for text in names if text.strip()}


def _tell(home: Home, entry: PupilEntry, action: str, detail: dict[str, object], by: str) -> None:
    subject = audit_log.pupil_subject(home, entry.admission_number)
    audit_log.record(home, action, subject, detail, by)
