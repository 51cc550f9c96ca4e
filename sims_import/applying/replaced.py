"""An admission number that was given to another child: nothing of the first child counts."""

from __future__ import annotations

from collections.abc import Collection

from django.db.models import Q

from consent_gate.db import audit_log
from consent_gate.db.models import (
    ConsentAnswer,
    EnrolmentPhoto,
    EventPupil,
    ImportRun,
    Item,
    Lookalike,
    NeverPublishLift,
    PupilChange,
    PupilEntry,
)
from consent_gate.decisions.apply import apply_decisions
from consent_gate.decisions.ledger import DecisionContext
from consent_gate.decisions.pupil_references import pictures_of, renumber_in_pictures
from consent_gate.home.home import Home
from consent_gate.register.repository import load_register
from consent_gate.register.snapshot import TEXT_FIELDS
from consent_gate.register.snapshot_loader import column_of
from sims_import.roster.records import PupilRecord


def start_afresh(home: Home, entry: PupilEntry, record: PupilRecord, run: ImportRun) -> list[Item]:
    """Remove everything about the child who had the number before. Returns that child's pictures.

    Templates, answers and history are deleted, and pictures are no longer linked to anybody. The
    marks "never publish" and "objection" stay: they can only hold pictures. Call inside a
    transaction; ``entry`` is not saved. Call ``decide_again`` when the import is written.
    """
    number = entry.admission_number
    pictures = pictures_of([number])
    renumber_in_pictures(number, None)
    if EnrolmentPhoto.objects.filter(pupil=entry).delete()[0]:
        subject, detail = audit_log.pupil_subject(home, number), {"cause": "another_child"}
        audit_log.record(home, "templates.destroyed", subject, detail, run.actor)
    Lookalike.objects.filter(Q(first=entry) | Q(second=entry)).delete()
    for model in (EventPupil, ConsentAnswer, PupilChange, NeverPublishLift):
        model._default_manager.filter(pupil=entry).delete()
    entry.former_numbers = []
    entry.date_of_birth = record.date_of_birth
    for name in TEXT_FIELDS:
        setattr(entry, column_of(name), getattr(record, name) or "")
    return pictures


def decide_again(home: Home, pictures: Collection[Item], run: ImportRun) -> None:
    """Decide the pictures of children whose numbers were given to others."""
    if pictures:
        keys = {item.pk for item in pictures}
        ctx = DecisionContext(home, load_register(home.now().date()), home.now(), run.actor)
        apply_decisions(ctx, Item.objects.filter(pk__in=keys).exclude(evidence=None))
