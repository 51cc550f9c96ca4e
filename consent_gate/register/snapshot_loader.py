"""Read the register from the database as plain values."""

from __future__ import annotations

from collections import defaultdict

from django.db.models import Max

from consent_gate.db.models import (
    ConsentAnswer,
    ImportRun,
    NeverPublishLift,
    PupilEntry,
    SuspendedPurpose,
)
from consent_gate.model import Answer, Consent
from consent_gate.register.snapshot import TEXT_FIELDS, RegisterPupil, RegisterSnapshot

_FLAGS = ("biometric_objection", "never_publish", "on_roll")


def load_snapshot() -> RegisterSnapshot:
    """Return the whole register, with leavers."""
    consents: dict[int, dict[str, Consent]] = defaultdict(dict)
    rows = ConsentAnswer.objects.values_list(
        "pupil_id", "purpose", "answer", "given_on", "expires_on"
    )
    for pupil, purpose, answer, given_on, expires_on in rows.iterator():
        consents[pupil][purpose] = Consent(Answer(answer), given_on, expires_on)
    columns = ("pk", "admission_number", "date_of_birth", *_FLAGS, *map(column_of, TEXT_FIELDS))
    asked = set(NeverPublishLift.objects.values_list("pupil", flat=True))
    pupils = {}
    for pk, number, birth, *others in (
        PupilEntry.objects.order_by("pk").values_list(*columns).iterator()
    ):
        values = dict(zip((*_FLAGS, *TEXT_FIELDS), others, strict=True))
        pupils[number] = RegisterPupil(
            admission_number=number,
            date_of_birth=birth,
            consents=consents.get(pk, {}),
            lift_asked=pk in asked,
            **values,
        )
    return RegisterSnapshot(
        pupils=pupils,
        # A blocked import counts: an older export could undo the withdrawals that it applied.
        exported_on=ImportRun.objects.aggregate(newest=Max("exported_on"))["newest"],
        suspended=frozenset(SuspendedPurpose.objects.values_list("purpose", flat=True)),
    )


def column_of(field: str) -> str:
    """Return the database column of a field of ``RegisterPupil``."""
    return "year_group" if field == "year" else field
