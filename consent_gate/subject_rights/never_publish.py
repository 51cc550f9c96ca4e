"""Lift a never-publish mark, which takes two people: one asks, another confirms.

The mark overrides every consent, and may hide a child from somebody dangerous. One person's
mistake, or one export without the column, must not lift it. An import whose export no longer
carries the mark therefore only asks.
"""

from __future__ import annotations

from django.db import transaction

from consent_gate.db import audit_log
from consent_gate.db.models import NeverPublishLift, PupilEntry, User
from consent_gate.db.models.roles import CONFIRMATION_ROLES
from consent_gate.decisions.redecide import redecide
from consent_gate.errors import GateError
from consent_gate.home.home import Home
from consent_gate.subject_rights.access import find_pupil
from publish.recall.withdraw import sync_folders


class LiftRefused(GateError):
    """A never-publish mark stays, because lifting it takes two people."""

    exit_code = 29
    next_step = "One person asks, and a second person confirms. The mark stays until then."


def ask_to_lift(home: Home, number: str, actor: str) -> NeverPublishLift:
    """Save the request of the first person. Asking again changes nothing.

    ``number`` is an admission number; ``actor`` names who asks.

    Raises:
        ItemNotFound: No pupil has the admission number.
        LiftRefused: The pupil has no mark, or ``actor`` is empty.
    """
    if not actor.strip():
        raise LiftRefused("Say who asks for the mark to be lifted.")
    with transaction.atomic():
        entry = _marked_pupil(number)
        lift, is_new = NeverPublishLift.objects.get_or_create(
            pupil=entry, defaults={"asked_by": actor, "asked_at": home.now()}
        )
        if is_new:
            _record(home, entry, "never_publish.lift_asked", {}, actor)
    return lift


def confirm_lift(home: Home, number: str, actor: str) -> None:
    """Lift the mark after the second person's confirmation, and decide the pupil's pictures again.

    ``actor`` is the log-in name of an account.

    Raises:
        ItemNotFound: No pupil has the admission number.
        LiftRefused: Nobody asked, the pupil has no mark, or ``actor`` may not confirm.
    """
    with transaction.atomic():
        entry = _marked_pupil(number)
        lift = NeverPublishLift.objects.select_for_update().filter(pupil=entry).first()
        if lift is None:
            raise LiftRefused("Nobody has asked for this mark to be lifted.")
        _check_may_confirm(actor, lift.asked_by)
        entry.never_publish = False
        entry.save(update_fields=["never_publish"])
        lift.delete()
        _record(home, entry, "never_publish.lifted", {"asked_by": lift.asked_by}, actor)
        redecide(home, {entry.admission_number}, actor)
    sync_folders(home)


def refuse_lift(home: Home, number: str, actor: str) -> None:
    """Delete the request: the mark stays.

    Raises:
        ItemNotFound: No pupil has the admission number.
    """
    with transaction.atomic():
        entry = find_pupil(number)
        lift = NeverPublishLift.objects.filter(pupil=entry).first()
        if lift is not None:
            lift.delete()
            detail: dict[str, object] = {"asked_by": lift.asked_by}
            _record(home, entry, "never_publish.lift_refused", detail, actor)


def open_lifts() -> list[NeverPublishLift]:
    """Requests that wait for a second person, oldest first."""
    return list(NeverPublishLift.objects.select_related("pupil").order_by("asked_at", "pk"))


def _marked_pupil(number: str) -> PupilEntry:
    entry = find_pupil(number)
    if not entry.never_publish:
        raise LiftRefused("This pupil has no never-publish mark.")
    return entry


def _check_may_confirm(actor: str, asked_by: str) -> None:
    """Raise LiftRefused unless ``actor`` has a role that may confirm and did not ask."""
    user = User.objects.filter(username=actor, is_active=True).first()
    if user is None or user.role not in CONFIRMATION_ROLES:
        titles = " or ".join(sorted(role.label.lower() for role in CONFIRMATION_ROLES))
        raise LiftRefused(f"Only a person with an account as {titles} can confirm it.")
    if _names_of(actor) & _names_of(asked_by):
        raise LiftRefused("The person who asked cannot confirm the request.")


def _names_of(name: str) -> set[str]:
    """Every name under which this person may have been recorded, in small letters."""
    user = User.objects.filter(username=name).first()
    names = [name, user.username, user.get_full_name(), user.email] if user else [name]
    return {" ".join(text.casefold().split()) for text in names if text.strip()}


def _record(
    home: Home, entry: PupilEntry, action: str, detail: dict[str, object], actor: str
) -> None:
    subject = audit_log.pupil_subject(home, entry.admission_number)
    audit_log.record(home, action, subject, detail, actor)
