"""What the stored pictures say of a pupil by admission number, when the number goes or changes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from consent_gate.db.evidence_json import from_json, to_json
from consent_gate.db.models import ChannelDecision, Item, PupilInItem, StaffTag
from consent_gate.model import Ambiguous, Evidence, Examined, Identity, Match, NotMatched, Reason

ERASED_PUPIL = NotMatched(Reason.NOT_EXAMINED, "The pupil recognised here was erased.")
"""Holds where "unknown" might not: a channel may let tiny unknown faces pass."""


def pictures_of(numbers: Iterable[str]) -> list[Item]:
    """Every item in which a pupil was recognised, perhaps recognised, or named by staff."""
    wanted = list(numbers)
    shown = PupilInItem.objects.filter(admission_number__in=wanted).values("item")
    tagged = StaffTag.objects.filter(admission_number__in=wanted).values("item")
    items = Item.objects.filter(pk__in=shown) | Item.objects.filter(pk__in=tagged)
    return list(items.order_by("received_at", "pk"))


def renumber_in_pictures(old: str, new: str | None) -> None:
    """Let every picture speak of a pupil by a new number; None leaves nobody there.

    A number may be given to another child one day: an old picture must not become theirs. Call
    inside a transaction, and decide the pictures again afterwards.
    """
    for item in pictures_of([old]):
        if item.evidence is not None:
            item.evidence = to_json(_renumbered(from_json(item.evidence), old, new))
            item.save(update_fields=["evidence"])
        for decision in ChannelDecision.objects.filter(item=item):
            decision.basis = [
                {**basis, "pupil": new} if basis.get("pupil") == old else basis
                for basis in decision.basis
            ]
            decision.save(update_fields=["basis"])
    shown = PupilInItem.objects.filter(admission_number=old)
    tags = StaffTag.objects.filter(admission_number=old)
    if new is None:
        shown.delete()
        tags.filter(box=None).delete()
        tags.update(kind="cannot_tell", admission_number="")
    else:
        shown.update(admission_number=new)
        tags.update(admission_number=new)


def _renumbered(evidence: Evidence, old: str, new: str | None) -> Evidence:
    if not isinstance(evidence, Examined):
        return evidence
    faces = tuple(replace(f, identity=_identity(f.identity, old, new)) for f in evidence.faces)
    return replace(evidence, faces=faces)


def _identity(identity: Identity, old: str, new: str | None) -> Identity:
    if isinstance(identity, Match) and identity.pupil == old:
        return replace(identity, pupil=new) if new else ERASED_PUPIL
    if isinstance(identity, Ambiguous) and old in identity.pupils:
        others = tuple(pupil for pupil in identity.pupils if pupil != old)
        pupils = (*others, new) if new else others
        return Ambiguous(pupils) if pupils else ERASED_PUPIL
    return identity
