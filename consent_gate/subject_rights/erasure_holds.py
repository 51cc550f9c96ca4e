"""Keep an erasure from releasing a picture that the erased pupil held.

A pupil's entry holds pictures: the mark "never publish", a brother or sister without an enrolment
photo, a likeness to another pupil, a place on the roll of an event. When the entry is erased, these
reasons end, although the pictures still show the same people. So each such picture waits for a
person: the faces concerned are tagged "cannot tell", and earlier approvals no longer count.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace

from django.db.models import Q

from consent_gate.db.event_folders import in_folder
from consent_gate.db.evidence_json import from_json
from consent_gate.db.models import (
    EventPupil,
    Item,
    ItemState,
    Lookalike,
    PupilEntry,
    PupilInItem,
    StaffTag,
)
from consent_gate.decisions.apply import verdicts_of
from consent_gate.decisions.ledger import DecisionContext
from consent_gate.decisions.staff_input import delete_approvals, load_staff_input
from consent_gate.model import (
    Evidence,
    Examined,
    Hold,
    Reason,
    Register,
    Rules,
    StaffInput,
    Tag,
    TagKind,
    Uncleared,
    Verdict,
)
from consent_gate.register.relevant import pupils_of
from consent_gate.subject_rights.access import numbers_of

CANNOT_TELL = Tag(TagKind.CANNOT_TELL)


@dataclass(frozen=True)
class LostReasons:
    """What no longer holds a picture after an erasure."""

    any: bool
    """Whether any channel has fewer reasons than before."""
    faces: frozenset[int]
    """Indices of the faces that have fewer reasons in any channel."""


def lost_reasons(
    before: Mapping[str, Verdict],
    after: Mapping[str, Verdict],
    named: Collection[int] = (),
) -> LostReasons:
    """Compare a picture's verdicts of before and after an erasure, by channel.

    Args:
        before: The verdicts with the pupil.
        after: The verdicts without the pupil.
        named: Indices of the faces that were named as the pupil. They count as faces that lost a
            reason.
    """
    lost, faces = False, set(named)
    for channel, was in before.items():
        now = after.get(channel)
        reasons = now.reasons if isinstance(now, Hold) else ()
        lost |= isinstance(was, Hold) and not set(was.reasons) <= set(reasons)
        by_face = _reasons_by_face(now)
        for face, found in _reasons_by_face(was).items():
            if not set(found) <= set(by_face.get(face, ())):
                faces.add(face)
        if isinstance(was, Hold) and now is not None:
            faces.update(was.faces.keys() & now.covered.keys())  # it is merely covered now
    return LostReasons(lost or bool(faces), frozenset(faces))


def _reasons_by_face(verdict: Verdict | None) -> Mapping[int, Collection[Reason]]:
    """Why faces are not cleared, by index, also those that the gate covers."""
    if verdict is None:
        return {}
    return verdict.covered | (verdict.faces if isinstance(verdict, Hold) else {})


def for_a_person(staff: StaffInput, lost: LostReasons) -> StaffInput:
    """What staff said, as far as it still counts after an erasure."""
    if not lost.any:
        return staff
    tags = {**staff.tags, **dict.fromkeys(lost.faces, CANNOT_TELL)}
    return replace(staff, tags=tags, approvals={})


def relatives_of(entry: PupilEntry) -> list[int]:
    """Primary keys of brothers, sisters and lookalikes of a pupil who stays at the school.

    Empty for a pupil who left.
    """
    if not entry.on_roll:
        return []
    pairs = Lookalike.objects.filter(Q(first=entry) | Q(second=entry))
    like = Q(pk__in={pk for pair in pairs.values_list("first", "second") for pk in pair})
    if entry.family_group:
        like |= Q(family_group=entry.family_group)
    return list(PupilEntry.objects.filter(like).exclude(pk=entry.pk).values_list("pk", flat=True))


def guard_relatives(keys: Collection[int]) -> None:
    """Hold new pictures of these pupils until the next import of the whole school.

    The erased pupil may be in new pictures, and the machine may take the face for one of theirs.
    Nothing else is left that could hold such a picture. Call after ``hold_for_a_person``, which
    holds the pictures that are there, for longer.
    """
    PupilEntry.objects.filter(pk__in=keys).update(erased_relative=True)


def pictures_held_by(entry: PupilEntry, register: Register, rules: Rules) -> list[Item]:
    """The pictures whose verdict may rest on a pupil's entry.

    Args:
        entry: The pupil who will be erased.
        register: The register with the pupil.
        rules: The school's rules. Where a channel covers who is not cleared, a pupil marked "never
            publish" holds every picture of a stranger (rule 18d).
    """
    numbers = set(numbers_of(entry))
    siblings = PupilEntry.objects.exclude(pk=entry.pk).exclude(family_group="")
    near = {
        other.admission_number
        for other in register.pupils.values()
        if numbers & {*other.lookalikes, *other.unenrolled_siblings}
    }
    for other in siblings.filter(family_group=entry.family_group):
        near.update(numbers_of(other))
    shown = PupilInItem.objects.filter(admission_number__in=numbers | near).values("item")
    tagged = StaffTag.objects.filter(admission_number__in=numbers).values("item")
    wanted = Q(pk__in=shown) | Q(pk__in=tagged)
    for event in EventPupil.objects.filter(pupil=entry).values_list("roll__event", flat=True):
        wanted |= in_folder(event)
    if entry.never_publish and any(c.uncleared is Uncleared.COVER for c in rules.channels):
        wanted = Q()
    open_items = Item.objects.filter(state__in=(ItemState.DECIDED, ItemState.RECEIVED))
    return list(open_items.filter(wanted).exclude(evidence=None).order_by("received_at", "pk"))


@dataclass(frozen=True)
class BeforeErasure:
    """A picture before an erasure."""

    verdicts: Mapping[str, Verdict]
    """By channel."""
    named: frozenset[int]
    """Indices of the faces that the machine takes, or may take, for the pupil."""


def before_erasure(
    ctx: DecisionContext, items: Iterable[Item], numbers: Collection[str]
) -> dict[str, BeforeErasure]:
    """What is known of these pictures, by item.

    Args:
        ctx: The register with the pupil.
        items: The pictures.
        numbers: The pupil's admission numbers, current and former.
    """
    return {
        item.pk: BeforeErasure(
            verdicts_of(ctx, item, load_staff_input(item)),
            faces_named(from_json(item.evidence), numbers),
        )
        for item in items
    }


def faces_named(evidence: Evidence, numbers: Collection[str]) -> frozenset[int]:
    """The faces whose match, or possible match, is one of these admission numbers.

    Without the pupil's templates such a face may match somebody else at the next examination.
    """
    faces = evidence.faces if isinstance(evidence, Examined) else ()
    return frozenset(i for i, face in enumerate(faces) if pupils_of(face.identity) & {*numbers})


def hold_for_a_person(ctx: DecisionContext, before: Mapping[str, BeforeErasure]) -> list[Item]:
    """Make each picture that an erasure would release wait for a person.

    Call it after the pupil's rows are deleted, in the same transaction, and decide the pictures
    again afterwards.

    Args:
        ctx: The register without the pupil.
        before: What ``before_erasure`` gave.

    Returns:
        The pictures that have fewer reasons than before, and those with a face that was named as
        the pupil.
    """
    held = []
    for item in Item.objects.filter(pk__in=before.keys()).exclude(evidence=None):
        staff = load_staff_input(item)
        earlier = before[item.pk]
        lost = lost_reasons(earlier.verdicts, verdicts_of(ctx, item, staff), earlier.named)
        if not lost.any:
            continue
        held.append(item)
        delete_approvals(item)
        counts = for_a_person(staff, lost)
        for face in sorted(lost.faces):
            values = {"kind": counts.tags[face].kind.value, "admission_number": "", "basis": ""}
            said = {**values, "actor": ctx.actor, "created_at": ctx.now}
            StaffTag.objects.update_or_create(item=item, face=face, defaults=said)
    return held
