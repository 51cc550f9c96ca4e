"""Whether the school's own face model may decide: its accepted thresholds, or why there are none.

An acceptance is valid only in the home in which it was given, for the model with its input form,
and while most of the enrolment photos that were measured are the ones that are compared.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Collection

from django.db import transaction
from django.db.models import QuerySet

from consent_gate.db import audit_log
from consent_gate.db.models import EnrolmentPhoto, Template, ThresholdSet
from consent_gate.errors import GateError
from consent_gate.home.home import Home
from consent_gate.matching.gallery import SCHOOL
from consent_gate.matching.school_model import SchoolModelUse
from consent_gate.matching.thresholds import Thresholds
from consent_gate.messages import counted
from consent_gate.register.repository import compared_photos, lawful_photos

ACCEPTED = "school_model.accepted"

MEASURED_SHARE = 0.5
"""An acceptance ends when fewer than this share of the compared photos were measured for it, or
fewer than this share of the measured photos are still compared. About three years' intake."""

NOT_ACCEPTED = (
    "The school's own face model decides nothing yet, because nobody accepted a calibration with"
    " it. Until then a person names every face. Ask your technician to run 'consent-gate"
    " calibrate'; somebody then reads the report and accepts it."
)
OF_ANOTHER_HOME = (
    "The acceptance of the school's own face model was not given in this home, or was altered."
    " Until it is calibrated again a person names every face: 'consent-gate calibrate'."
)
PORTRAITS_CHANGED = (
    "Most enrolment photos are others than those with which the school's own face model was"
    " accepted. Until it is calibrated again a person names every face: 'consent-gate calibrate'."
)


class ProposalRefused(GateError):
    """A proposal for the school's own face model cannot be accepted."""

    next_step = "Run 'consent-gate calibrate' again, read the report and accept that proposal."


def photos_to_measure(home: Home) -> QuerySet[EnrolmentPhoto]:
    """Lawful photos with templates that have no vector of the school's model as it is set today.

    None where no model is set.
    """
    model = home.settings.recognition.model
    if model is None:
        return EnrolmentPhoto.objects.none()
    measured = Template.objects.filter(model=SCHOOL, model_version=model.version)
    photos = lawful_photos(home.now().date()).filter(templates__isnull=False)
    return photos.exclude(pk__in=measured.values("photo")).distinct()


def school_model_use(home: Home) -> SchoolModelUse | None:
    """How the school's own model decides today; None where no model is set."""
    model = home.settings.recognition.model
    if model is None:
        return None
    missing = photos_to_measure(home).count()
    if missing:
        return SchoolModelUse(None, _not_measured(missing))
    rows = ThresholdSet.objects.filter(school_model=model.version).exclude(accepted_at=None)
    row = rows.order_by("-accepted_at", "-pk").first()
    if row is None:
        return SchoolModelUse(None, NOT_ACCEPTED)
    thresholds = _thresholds_of(home, row)
    if thresholds is None:
        return SchoolModelUse(None, OF_ANOTHER_HOME)
    if not _are_measured(row.measured_photos, {photo.pk for photo in compared_photos(home)}):
        return SchoolModelUse(None, PORTRAITS_CHANGED)
    return SchoolModelUse(thresholds, beside=model.run == "beside")


def propose_school_model(
    home: Home, proposed: Thresholds, report: str, photos: Collection[int], actor: str
) -> ThresholdSet:
    """Store proposed thresholds of the school's own model for a person to accept.

    Args:
        home: The school's home.
        proposed: Thresholds for the model that is set.
        report: The calibration report, as HTML.
        photos: Keys of the enrolment photos that were measured.
        actor: Who ran the calibration.
    """
    with transaction.atomic():
        row = ThresholdSet(
            values=proposed.to_json(),
            report=report,
            proposed_at=home.now(),
            proposed_by=actor,
            school_model=proposed.versions[SCHOOL],
            measured_photos=sorted(photos),
        )
        row.signature = _signature(home, row)
        row.save()
        detail = {"model": row.school_model, "fitted_on": proposed.fitted_on}
        audit_log.record(home, "school_model.proposed", f"thresholds:{row.pk}", detail, actor)
    return row


def accept_school_model(home: Home, number: int, actor: str) -> None:
    """Let the school's own model decide by the figures of a proposal. Call inside a transaction.

    Raises:
        ProposalRefused: The proposal is for another model, of another home, or of other portraits,
            or nobody gives a name.
    """
    row = ThresholdSet.objects.select_for_update().get(pk=number)
    model = home.settings.recognition.model
    if model is None or row.school_model != model.version:
        raise ProposalRefused(
            f"Proposal {number} is for another face model than that of the settings."
        )
    if _thresholds_of(home, row) is None:
        raise ProposalRefused(f"Proposal {number} was not made in this home, or was altered.")
    if not _are_measured(row.measured_photos, {photo.pk for photo in compared_photos(home)}):
        raise ProposalRefused(f"Proposal {number} was measured on other enrolment photos.")
    if not actor.strip():
        raise ProposalRefused("An acceptance needs the name of the person who read the report.")
    row.accepted_at, row.accepted_by = home.now(), actor
    row.save(update_fields=["accepted_at", "accepted_by"])
    detail = {
        "model": row.school_model,
        "sha256": model.sha256,
        "licence": model.licence,
        "run": model.run,
        "signature": row.signature,
    }
    audit_log.record(home, ACCEPTED, f"thresholds:{row.pk}", detail, actor)


def _not_measured(missing: int) -> str:
    return (
        counted(missing, "enrolment photo was", "enrolment photos were") + " not measured with the"
        " school's own face model, so a person names every face. Ask your technician to run"
        " 'consent-gate calibrate', which measures the stored portraits."
    )


def _thresholds_of(home: Home, row: ThresholdSet) -> Thresholds | None:
    """The figures of a proposal; None if they are not for its model or were signed elsewhere."""
    if not hmac.compare_digest(row.signature, _signature(home, row)):
        return None
    try:
        thresholds = Thresholds.from_json(row.values)
    except ValueError:
        return None
    return thresholds if dict(thresholds.versions) == {SCHOOL: row.school_model} else None


def _signature(home: Home, row: ThresholdSet) -> str:
    """HMAC-SHA256 under the audit key, which is never replaced. 64 hexadecimal digits."""
    body = json.dumps(["school model", row.school_model, row.values, row.measured_photos])
    return hmac.new(home.keys.audit, body.encode(), hashlib.sha256).hexdigest()


def _are_measured(measured: Collection[int], compared: Collection[int]) -> bool:
    both = len(set(measured).intersection(compared))
    return both > 0 and both >= MEASURED_SHARE * max(len(set(measured)), len(compared))
