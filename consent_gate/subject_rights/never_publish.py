"""Lifting a never-publish mark takes two people: one asks, another confirms.

An import whose export no longer carries the mark only asks. The mark beats every consent, so one
tired person, or one report without its column, must not be enough to show a child who is hidden
from somebody.
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
    next_step = "One person asks, and another one who may do so confirms. The mark stays till then."


def ask_to_lift(home: Home, number: str, actor: str) -> NeverPublishLift:
    """The first person asks. Asking again changes nothing. Raises ItemNotFound or LiftRefused."""
    if not actor.strip():
        raise LiftRefused("Who asks for it has to be said.")
    with transaction.atomic():
        entry = _marked_pupil(number)
        lift, is_new = NeverPublishLift.objects.get_or_create(
            pupil=entry, defaults={"asked_by": actor, "asked_at": home.now()}
        )
        if is_new:
            _record(home, entry, "never_publish.lift_asked", {}, actor)
    return lift


def confirm_lift(home: Home, number: str, actor: str) -> None:
    """The second person agrees: the mark goes, and pictures of the pupil are looked at again.

    ``actor`` is the log-in name of an account. Raises ItemNotFound or LiftRefused.
    """
    with transaction.atomic():
        entry = _marked_pupil(number)
        lift = NeverPublishLift.objects.select_for_update().filter(pupil=entry).first()
        if lift is None:
            raise LiftRefused("Nobody has asked for this mark to be lifted.")
        _refuse_unfit(actor, lift.asked_by)
        entry.never_publish = False
        entry.save(update_fields=["never_publish"])
        lift.delete()
        _record(home, entry, "never_publish.lifted", {"asked_by": lift.asked_by}, actor)
        redecide(home, {entry.admission_number}, actor)
    sync_folders(home)


def refuse_lift(home: Home, number: str, actor: str) -> None:
    """Somebody says that the mark stays. Raises ItemNotFound."""
    with transaction.atomic():
        entry = find_pupil(number)
        lift = NeverPublishLift.objects.filter(pupil=entry).first()
        if lift is not None:
            lift.delete()
            detail: dict[str, object] = {"asked_by": lift.asked_by}
            _record(home, entry, "never_publish.lift_refused", detail, actor)


def open_lifts() -> list[NeverPublishLift]:
    """What waits for a second person, oldest first."""
    return list(NeverPublishLift.objects.select_related("pupil").order_by("asked_at", "pk"))


def _marked_pupil(number: str) -> PupilEntry:
    entry = find_pupil(number)
    if not entry.never_publish:
        raise LiftRefused("This pupil carries no never-publish mark.")
    return entry


def _refuse_unfit(actor: str, asked_by: str) -> None:
    """Raises LiftRefused unless ``actor`` is somebody else than the one who asked, and may
    confirm."""
    user = User.objects.filter(username=actor, is_active=True).first()
    if user is None or user.role not in CONFIRMATION_ROLES:
        titles = " or ".join(sorted(role.label.lower() for role in CONFIRMATION_ROLES))
        raise LiftRefused(f"Only a person with an account as {titles} can confirm it.")
    if _names_of(actor) & _names_of(asked_by):
        raise LiftRefused("The person who asked cannot confirm it as well.")


def _names_of(name: str) -> set[str]:
    """Every way in which this person may have been written down."""
    user = User.objects.filter(username=name).first()
    names = [name, user.username, user.get_full_name(), user.email] if user else [name]
    return {" ".join(text.casefold().split()) for text in names if text.strip()}


def _record(
    home: Home, entry: PupilEntry, action: str, detail: dict[str, object], actor: str
) -> None:
    subject = audit_log.pupil_subject(home, entry.admission_number)
    audit_log.record(home, action, subject, detail, actor)
