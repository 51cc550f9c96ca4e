"""Load what staff entered about a picture, as values of the core."""

from __future__ import annotations

from typing import Any

from consent_gate.db.event_folders import with_folders_above
from consent_gate.db.models import (
    EventClasses,
    EventPupil,
    Item,
    ItemState,
    PupilEntry,
    SeenBefore,
    StaffApproval,
    StaffTag,
)
from consent_gate.model import (
    Approval,
    Box,
    FilmEdit,
    FilmSpan,
    SoundReview,
    StaffInput,
    Tag,
    TagKind,
)


def load_staff_input(item: Item) -> StaffInput:
    """All tags, approvals and refusals of an item, its crop or cuts, and the pupils named for its
    event."""
    tags = sorted(item.tags.all(), key=lambda tag: tag.face)
    answers = list(item.approvals.all())
    copies = list(item.seen_before.all())
    named = roster_for(item.event)
    return StaffInput(
        tags={t.face: Tag(TagKind(t.kind), t.admission_number or None, t.basis) for t in tags},
        added_faces=tuple(Box(*t.box) for t in tags if t.box),
        approvals={
            a.channel: Approval(a.actor, a.basis, a.second_person or None)
            for a in answers
            if not a.refused
        },
        refused=frozenset(a.channel for a in answers if a.refused),
        crop=Box(*item.crop) if item.crop else None,
        film_edit=_film_edit(item.film_edit) if item.film_edit else None,
        sound_review=_sound_review(item.sound_review) if item.sound_review else None,
        sealed=item.state == ItemState.SEALED or any(is_sealed_copy(row) for row in copies),
        roster=_roster(named) if named and not named.unknown else None,  # rule 15 holds then
        roll_threshold=named is not None and not named.restored,
        roll_is_whole=named is not None and _is_whole(named),
        roll_unclear=named is not None and bool(named.unknown),
        seen_before=frozenset(channel for row in copies for channel in closed_channels(row)),
        shows_sealed=any(_is_of_sealed(row) and not row.is_certain for row in copies),
    )


def _film_edit(stored: dict[str, Any]) -> FilmEdit:
    return FilmEdit(tuple(FilmSpan(*span) for span in stored["kept"]), stored["frames"])


def _sound_review(stored: dict[str, Any]) -> SoundReview:
    heard, muted = (tuple(FilmSpan(*span) for span in stored[key]) for key in ("heard", "muted"))
    return SoundReview(stored["frames"], stored["sound"], stored["off"], heard, muted)


def drawn_faces(item: Item) -> list[Box]:
    """Faces that staff drew, in pixels of the upright original, without the places they covered."""
    drawn = item.tags.filter(box__isnull=False).exclude(kind=TagKind.BLURRED.value)
    return [Box(*tag.box) for tag in drawn if tag.box]


def is_sealed_copy(row: SeenBefore) -> bool:
    """Whether it is a copy of a picture that is sealed, or was when it was erased."""
    return row.is_certain and _is_of_sealed(row)


def _is_of_sealed(row: SeenBefore) -> bool:
    return row.earlier.sealed if row.earlier is not None else row.sealed


def closed_channels(row: SeenBefore) -> list[str]:
    """Channels in which the earlier picture is closed, or was when it was erased."""
    return list(row.earlier.channels if row.earlier is not None else row.channels)


def roster_for(event: str) -> EventClasses | None:
    """The classes named for the event, or else for the nearest folder above it."""
    named = EventClasses.objects.filter(event__in=with_folders_above(event))
    rows = [row for row in named if row.names_anybody]
    return max(rows, key=lambda row: len(row.event), default=None)


def _roster(named: EventClasses) -> frozenset[str]:
    """Admission numbers, current and former, of the pupils who were named for an event.

    A former number that the school gave to another child means that child.
    """
    pupils = EventPupil.objects.filter(roll=named).values_list(
        "pupil__admission_number", "pupil__former_numbers"
    )
    rows = list(pupils)
    former = {number for _, numbers in rows for number in numbers}
    taken = PupilEntry.objects.filter(admission_number__in=former) if former else ()
    others = {entry.admission_number for entry in taken}
    return frozenset({current for current, _ in rows} | (former - others))


def _is_whole(named: EventClasses) -> bool:
    """Whether no pupil marked "never publish" is missing from the roll who may have been there.

    The roll has who was in the classes when they were named. Somebody may have joined or left them
    since. Where no pupil is in a class any more, the school renamed it: then every class counts in
    which a pupil of the roll is now.
    """
    if named.restored or named.unknown:
        return False
    there = EventPupil.objects.filter(roll=named).values("pupil")
    on_roll = PupilEntry.objects.filter(on_roll=True)
    groups = set(named.reg_groups)
    if not groups <= set(on_roll.filter(reg_group__in=groups).values_list("reg_group", flat=True)):
        groups |= set(PupilEntry.objects.filter(pk__in=there).values_list("reg_group", flat=True))
    marked = PupilEntry.objects.filter(never_publish=True, reg_group__in=groups)
    return not named.reg_groups or not marked.exclude(pk__in=there).exists()


def signed_channels(item: Item) -> frozenset[str]:
    """Channels for which a person approved the item."""
    signed = StaffApproval.objects.filter(item=item, refused=False)
    return frozenset(signed.values_list("channel", flat=True))


def delete_approvals(item: Item) -> None:
    """Delete the approvals of an item. Refusals stay."""
    StaffApproval.objects.filter(item=item, refused=False).delete()


def delete_staff_input(item: Item) -> None:
    """Delete tags, crop, cuts and approvals, because the picture's faces have changed. Refusals
    stay, and what was said of the sound: what is muted must stay muted."""
    StaffTag.objects.filter(item=item).delete()
    delete_approvals(item)
    item.crop = item.film_edit = None
    item.save(update_fields=["crop", "film_edit"])


def delete_film_edit(item: Item) -> None:
    """Delete the cuts of a film, because it has other frames than those that staff saw."""
    item.film_edit = None
    item.save(update_fields=["film_edit"])
