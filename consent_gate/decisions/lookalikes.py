"""Pairs of pupils whom the face models confuse, stored before any picture is decided."""

from __future__ import annotations

from django.db import transaction

from consent_gate.db import audit_log
from consent_gate.db.models import AuditEntry, Lookalike, PupilEntry, Template, ThresholdSet
from consent_gate.decisions.apply import redecide_pupils
from consent_gate.decisions.ledger import DecisionContext
from consent_gate.home.home import Home
from consent_gate.matching.gallery import SCHOOL, Gallery
from consent_gate.matching.lookalike_pairs import lookalikes
from consent_gate.register.gallery_version import GalleryVersion, gallery_version
from consent_gate.register.repository import load_gallery, load_register
from consent_gate.register.school_model import school_model_use
from consent_gate.register.thresholds import thresholds_in_force

GALLERY_COMPARED = "gallery.compared"
"""Audit action. Its newest entry says which templates were compared, and with which thresholds."""


def record_doubt(enrolled: str, refused: PupilEntry) -> None:
    """Store two pupils as lookalikes because the photo of one was refused at enrolment.

    Matching would take the one child for the other. Call inside a transaction.

    Args:
        enrolled: admission number of the enrolled pupil whom the photo resembles.
        refused: the pupil whose photo was refused.
    """
    first, second = PupilEntry.objects.get(admission_number=enrolled), refused
    Lookalike.objects.get_or_create(first=first, second=second)


def update_lookalikes(home: Home) -> tuple[tuple[tuple[str, str], ...], set[str]]:
    """Compute again which pupils the models confuse, and store the pairs.

    A pair from ``record_doubt`` stays while exactly one of the two is enrolled and both are on
    roll. Call inside a transaction. Raises what ``load_gallery`` raises.

    Returns:
        All pairs, and the admission numbers of every pair that was added or removed.
    """
    # Recorded first: the lock on the end of the audit trail makes a concurrent update wait.
    audit_log.record(home, GALLERY_COMPARED, "gallery", _state(home))
    before = set(
        Lookalike.objects.values_list("first__admission_number", "second__admission_number")
    )
    gallery = load_gallery(home, with_waiting=True)
    enrolled = set(gallery.pupils)
    on_roll = set(
        PupilEntry.objects.filter(on_roll=True).values_list("admission_number", flat=True)
    )
    doubts = {
        pair
        for pair in before
        if len(enrolled.intersection(pair)) == 1 and on_roll.issuperset(pair)
    }
    pairs = {*lookalikes(gallery, thresholds_in_force()), *doubts}
    school = school_model_use(home)
    if school and school.thresholds:
        pairs |= set(lookalikes(gallery, school.thresholds))
    numbers = {number for pair in pairs for number in pair}
    keys = dict(
        PupilEntry.objects.filter(admission_number__in=numbers).values_list(
            "admission_number", "pk"
        )
    )
    Lookalike.objects.all().delete()
    Lookalike.objects.bulk_create(
        Lookalike(first_id=keys[first], second_id=keys[second]) for first, second in sorted(pairs)
    )
    return tuple(sorted(pairs)), {number for pair in before ^ pairs for number in pair}


def load_gallery_with_version(home: Home) -> tuple[Gallery, GalleryVersion]:
    """Update the lookalikes if they are stale, then return the gallery for new workers.

    The version is read first, so that a change in between makes it look old, not new. Raises what
    ``load_gallery`` raises.
    """
    version = gallery_version(home)
    update_lookalikes_if_stale(home)
    return load_gallery(home), version


def update_lookalikes_if_stale(home: Home) -> int:
    """Compare the gallery again if templates or thresholds changed since the last comparison.

    This happens when a program is killed while it enrols. Returns how many pictures were recalled.
    Raises what ``load_gallery`` raises.
    """
    last = AuditEntry.objects.filter(action=GALLERY_COMPARED).order_by("-sequence").first()
    if _state(home) == (last.detail if last else {"template": 0, "thresholds": 0}):
        return 0
    with transaction.atomic():
        _, affected = update_lookalikes(home)
        ctx = DecisionContext(home, load_register(home.now().date()), home.now())
        return redecide_pupils(ctx, affected)


def _state(home: Home) -> dict[str, object]:
    """Keys of the newest template and of the thresholds accepted last, and the model that decides.

    0 stands for no template, and for the shipped thresholds. Without the school's own model nothing
    is said of it.
    """
    newest = Template.objects.order_by("-pk").values_list("pk", flat=True).first()
    accepted = ThresholdSet.objects.exclude(accepted_at=None).order_by("-accepted_at").first()
    state: dict[str, object] = {
        "template": newest or 0,
        "thresholds": accepted.pk if accepted else 0,
    }
    school = school_model_use(home)
    if school and school.thresholds:
        state["school_model"] = school.thresholds.versions[SCHOOL]
    return state
