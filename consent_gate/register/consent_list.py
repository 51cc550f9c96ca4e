"""Lists every pupil with the consents that the gate acts on, as ``pupil list`` prints them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

from consent_gate.db.models import PupilEntry
from consent_gate.model import BIOMETRIC, Answer, Consent, Pupil, Register, is_live
from consent_gate.register.repository import load_register

_NOT_STATED = Consent(Answer.NOT_STATED)


def list_pupils(purposes: Sequence[str], today: date) -> Iterator[dict[str, Any]]:
    """One object for each pupil of the register, leavers included, by admission number.

    Args:
        purposes: The consents to publish that the school's channels need.
        today: The day for which ``live`` is told.
    """
    register = load_register(today)
    for entry in PupilEntry.objects.order_by("admission_number"):
        pupil = register.pupils[entry.admission_number]
        yield {
            "pupil": entry.admission_number,
            "upn": entry.upn,
            "on_roll": pupil.on_roll,
            "never_publish": pupil.never_publish,
            "consents": {
                purpose: _consent(pupil, purpose, register, today)
                for purpose in dict.fromkeys((*purposes, BIOMETRIC))
            },
            "enrolled": pupil.enrolled_on is not None,
        }


def _consent(pupil: Pupil, purpose: str, register: Register, today: date) -> dict[str, Any]:
    consent = pupil.consents.get(purpose, _NOT_STATED)
    objected = purpose == BIOMETRIC and pupil.biometric_objection
    return {
        # An objection beats every consent to face matching.
        "answer": str(Answer.REFUSED if objected else consent.answer),
        "given_on": _iso(consent.given_on),
        "expires_on": _iso(consent.expires_on),
        "live": is_live(consent, today)
        and pupil.on_roll
        and not objected
        and purpose not in register.suspended,
    }


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day else None
