"""The thresholds in force: those of the package until a person accepts the school's own.

They are for SFace and dlib. ``school_model`` has those of the school's own face model.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict

from django.db import transaction

from consent_gate.db import audit_log
from consent_gate.db.models import ThresholdSet
from consent_gate.errors import ItemNotFound
from consent_gate.home.home import Home
from consent_gate.matching.shipped_thresholds import shipped_thresholds
from consent_gate.matching.thresholds import Thresholds

ACCEPTED = "thresholds.accepted"

_FITTED = ("versions", "fused_tail", "sface_tail")
"""Fields that a calibration changes (``calibration.refit``), and the models they are valid for."""


def thresholds_in_force() -> Thresholds:
    """Return the thresholds that faces are matched with today.

    Accepted thresholds are ignored if they are for other models or cannot be read. Then those of
    the package apply, which are stricter because they do not depend on the school's data.
    """
    shipped = shipped_thresholds()
    accepted_sets = ThresholdSet.objects.filter(school_model="").exclude(accepted_at=None)
    newest = accepted_sets.order_by("-accepted_at").first()
    if newest is None:
        return shipped
    try:
        accepted = Thresholds.from_json(newest.values)
    except ValueError:
        return shipped
    return accepted if dict(accepted.versions) == dict(shipped.versions) else shipped


def propose(home: Home, proposed: Thresholds, report: str, actor: str) -> ThresholdSet:
    """Store proposed thresholds for a person to accept. ``report`` is the HTML of the report."""
    with transaction.atomic():
        row = ThresholdSet.objects.create(
            values=proposed.to_json(), report=report, proposed_at=home.now(), proposed_by=actor
        )
        detail = {"fitted_on": proposed.fitted_on, "rate": proposed.false_accept_rate}
        audit_log.record(home, "thresholds.proposed", f"thresholds:{row.pk}", detail, actor)
    return row


def accept(home: Home, number: int, actor: str) -> ThresholdSet:
    """Put a proposal into force.

    Raises:
        ItemNotFound: There is no proposal with this number.
    """
    with transaction.atomic():
        own = ThresholdSet.objects.select_for_update().filter(school_model="")
        row = own.filter(pk=number).first()
        if row is None:
            raise ItemNotFound(f"There is no proposal {number}.")
        row.accepted_at, row.accepted_by = home.now(), actor
        row.save(update_fields=["accepted_at", "accepted_by"])
        audit_log.record(home, ACCEPTED, f"thresholds:{row.pk}", _fitted(row), actor)
    return row


def replay_acceptance(home: Home, fitted: Mapping[str, object], actor: str) -> None:
    """Put thresholds into force, after a restore, that a person accepted since the backup.

    ``fitted`` is the detail of the audit entry. Does nothing if a field is missing. Call inside a
    transaction.
    """
    if all(name in fitted for name in _FITTED):
        values = asdict(shipped_thresholds()) | {name: fitted[name] for name in _FITTED}
        now = home.now()
        ThresholdSet.objects.create(
            values=json.dumps(values, indent=1, sort_keys=True),
            proposed_at=now,
            proposed_by=actor,
            accepted_at=now,
            accepted_by=actor,
        )


def _fitted(row: ThresholdSet) -> dict[str, object]:
    values = json.loads(row.values)
    return {name: values[name] for name in _FITTED if name in values}
