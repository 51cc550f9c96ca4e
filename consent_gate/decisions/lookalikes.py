"""Which pupils the models confuse, noted before any picture is decided on it."""

from __future__ import annotations

from django.db import transaction

from consent_gate.db import audit_log
from consent_gate.db.models import AuditEntry, Lookalike, PupilEntry, Template, ThresholdSet
from consent_gate.decisions.apply import redecide_pupils
from consent_gate.decisions.ledger import DecisionContext
from consent_gate.home.home import Home
from consent_gate.matching.gallery import Gallery, lookalikes
from consent_gate.register.gallery_version import GalleryVersion, gallery_version
from consent_gate.register.repository import load_gallery, load_register
from consent_gate.register.thresholds import thresholds_in_force

COMPARED = "gallery.compared"
"""Action in the audit trail; its newest entry tells which templates were compared with which
thresholds."""


def record_doubt(enrolled: str, refused: PupilEntry) -> None:
    """The photo of one pupil was refused because it looks like the enrolled one (admission
    number): the gate would take the one child for the other. Call inside a transaction."""
    first, second = PupilEntry.objects.get(admission_number=enrolled), refused
    Lookalike.objects.get_or_create(first=first, second=second)


def update_lookalikes(home: Home) -> tuple[tuple[tuple[str, str], ...], set[str]]:
    """Work out anew which pupils the models confuse. Call inside a transaction.

    A doubt stays until the first of the two is enrolled after all. Returns all pairs, and
    everybody of a pair that came or went. Raises what ``load_gallery`` does.
    """
    # First: whoever works this out at the same moment waits for the end of the trail.
    audit_log.record(home, COMPARED, "gallery", _state())
    before = set(
        Lookalike.objects.values_list("first__admission_number", "second__admission_number")
    )
    gallery = load_gallery(home)
    enrolled = set(gallery.pupils)
    here = set(PupilEntry.objects.filter(on_roll=True).values_list("admission_number", flat=True))
    doubts = {
        pair for pair in before if len(enrolled.intersection(pair)) == 1 and here.issuperset(pair)
    }
    pairs = {*lookalikes(gallery, thresholds_in_force()), *doubts}
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
    """What a new set of workers compares faces with, who looks like whom noted before; its stamp.

    Raises what ``load_gallery`` does.
    """
    stamp = gallery_version(home)
    update_lookalikes_if_stale(home)
    return load_gallery(home), stamp


def update_lookalikes_if_stale(home: Home) -> int:
    """Note them where templates came or went, or thresholds changed, and nobody compared since.

    A program that was killed while it enrolled leaves it so. Returns how many pictures were
    recalled. Raises what ``load_gallery`` does.
    """
    last = AuditEntry.objects.filter(action=COMPARED).order_by("-sequence").first()
    if _state() == (last.detail if last else {"template": 0, "thresholds": 0}):
        return 0
    with transaction.atomic():
        _, moved = update_lookalikes(home)
        ctx = DecisionContext(home, load_register(home.now().date()), home.now())
        return redecide_pupils(ctx, moved)


def _state() -> dict[str, int]:
    """Keys of the newest template and of the thresholds in force; 0: none, or the shipped ones."""
    newest = Template.objects.order_by("-pk").values_list("pk", flat=True).first()
    accepted = ThresholdSet.objects.exclude(accepted_at=None).order_by("-accepted_at").first()
    return {"template": newest or 0, "thresholds": accepted.pk if accepted else 0}
