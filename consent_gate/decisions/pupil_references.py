"""Find and rewrite the admission numbers of pupils in the stored evidence of pictures."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from consent_gate.db.evidence_json import from_json, to_json
from consent_gate.db.models import ChannelDecision, Item, PupilInItem, StaffTag
from consent_gate.model import (
    Ambiguous,
    Evidence,
    Examined,
    Identity,
    Match,
    NearMatch,
    NotMatched,
    Reason,
    TagKind,
)

ERASED_PUPIL = NotMatched(Reason.NOT_EXAMINED, "The pupil recognised here was erased.")
"""Holds in every channel; "unknown" does not: a channel may ignore tiny unknown faces."""


def pictures_of(numbers: Iterable[str]) -> list[Item]:
    """Every item in which one of these pupils was matched, possibly matched, or tagged by staff.

    ``numbers`` are admission numbers. Items come in the order of their arrival.
    """
    wanted = list(numbers)
    shown = PupilInItem.objects.filter(admission_number__in=wanted).values("item")
    tagged = StaffTag.objects.filter(admission_number__in=wanted).values("item")
    items = Item.objects.filter(pk__in=shown) | Item.objects.filter(pk__in=tagged)
    return list(items.order_by("received_at", "pk"))


def renumber_in_pictures(old: str, new: str | None) -> None:
    """Replace a pupil's admission number in every picture; None removes the pupil.

    The school may give the number to another child, to whom the old pictures must not belong. Call
    inside a transaction, and decide the pictures again afterwards.
    """
    for item in pictures_of([old]):
        if item.evidence is not None:
            item.evidence = to_json(renumbered(from_json(item.evidence), old, new))
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
        # Not deleted: without the tag, a face that the machine takes for another would be cleared.
        tags.update(kind=TagKind.CANNOT_TELL.value, admission_number="", before=None)
    else:
        shown.update(admission_number=new)
        tags.update(admission_number=new)


def renumbered(evidence: Evidence, old: str, new: str | None) -> Evidence:
    """The evidence of a picture with another admission number for a pupil; None removes it."""
    if not isinstance(evidence, Examined):
        return evidence
    faces = tuple(replace(f, identity=_identity(f.identity, old, new)) for f in evidence.faces)
    names = tuple(
        replace(name, pupil=new) if name.pupil == old else name for name in evidence.names
    )
    return replace(evidence, faces=faces, names=names)


def _identity(identity: Identity, old: str, new: str | None) -> Identity:
    if isinstance(identity, Match | NearMatch) and identity.pupil == old:
        return replace(identity, pupil=new) if new else ERASED_PUPIL
    if isinstance(identity, Ambiguous) and old in identity.pupils:
        others = tuple(pupil for pupil in identity.pupils if pupil != old)
        return Ambiguous((*others, new)) if new else ERASED_PUPIL
    return identity
