"""Records that a person has confirmed which pupils enrolment photos show, or has rejected a photo.

A photo may arrive under the wrong name, and no comparison finds two first portraits that were
swapped. So a photo clears nobody until a person who knows the children has looked at it (rule 7g of
``consent_gate.policy``). Only photos that the person was shown are confirmed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass

from django.db import transaction

from consent_gate.db import audit_log
from consent_gate.db.models import EnrolmentPhoto, Item, ItemState, PupilEntry
from consent_gate.decisions.enrolments import flag_for_reexamination
from consent_gate.decisions.lookalikes import update_lookalikes
from consent_gate.decisions.redecide import redecide
from consent_gate.home.home import Home
from consent_gate.register.display import class_of
from consent_gate.register.repository import lawful_photos
from ingest.scheduling.reexamine import flag_unrecognised
from publish.recall.by_hand import RecallSelection, recall_selection
from publish.recall.withdraw import sync_folders


@dataclass(frozen=True)
class ConfirmationResult:
    """What ``confirm_photos`` did."""

    confirmed: tuple[str, ...]
    """Admission numbers of the pupils whose photos count now."""
    left_out: tuple[str, ...]
    """Admission numbers of pupils with photos in doubt, which are confirmed one by one."""


def waiting_photos(
    home: Home, pupils: Collection[PupilEntry] | None = None
) -> list[EnrolmentPhoto]:
    """The photos with templates that nobody has confirmed yet.

    ``pupils`` limits them to these pupils; None means all pupils.
    """
    photos = lawful_photos(home.now().date()).filter(templates__isnull=False, confirmed_at=None)
    found = photos.distinct().select_related("pupil")
    keys = None if pupils is None else {pupil.pk for pupil in pupils}
    return [photo for photo in found if keys is None or photo.pupil_id in keys]


def waiting_in_class(home: Home, class_name: str) -> list[EnrolmentPhoto]:
    """The unconfirmed photos of the pupils of one class."""
    return [photo for photo in waiting_photos(home) if class_of(photo.pupil) == class_name]


def confirm_photos(
    home: Home, photos: Collection[int], actor: str, *, one_by_one: bool = False
) -> ConfirmationResult:
    """Record that a person has looked at these photos and that they show their pupils.

    Pictures that could newly be published are examined again first. Safe to repeat.

    Args:
        home: The school's home.
        photos: Primary keys of enrolment photos. Confirmed photos and photos that are gone are
            left out.
        actor: Who looked at them, for the audit.
        one_by_one: Whether the person named each photo or pupil. Only then a photo in doubt is
            confirmed, and only if it is the pupil's only one among ``photos``.
    """
    now, wanted = home.now(), set(photos)
    with transaction.atomic():
        rows = [photo for photo in waiting_photos(home) if photo.pk in wanted]
        doubtful = Counter(photo.pupil_id for photo in rows if photo.in_doubt)
        chosen = [
            photo
            for photo in rows
            if not photo.in_doubt or (one_by_one and doubtful[photo.pupil_id] == 1)
        ]
        left_out = {photo.pupil.admission_number for photo in rows if photo not in chosen}
        for photo in chosen:
            photo.confirmed_by, photo.confirmed_at, photo.in_doubt = actor, now, False
            photo.save(update_fields=["confirmed_by", "confirmed_at", "in_doubt"])
            subject = audit_log.pupil_subject(home, photo.pupil.admission_number)
            audit_log.record(home, "enrolment.confirmed", subject, {"photo": photo.pk}, actor)
        numbers = {photo.pupil.admission_number for photo in chosen}
        if numbers:
            redecide(home, numbers, actor)
            _reexamine_matches_to_waiting_photos(home, numbers)
            flag_unrecognised()
    return ConfirmationResult(tuple(sorted(numbers)), tuple(sorted(left_out)))


def _reexamine_matches_to_waiting_photos(home: Home, numbers: Collection[str]) -> None:
    """Examine again the pictures that may match a photo which counts no longer.

    A pupil without a confirmed photo is compared by the waiting ones. Once one photo is confirmed,
    stored matches to the others must clear nobody.
    """
    for photo in waiting_photos(home):
        number = photo.pupil.admission_number
        if number in numbers:
            flag_for_reexamination(home, number, photo.first_imported_on)


def reject_photo(home: Home, photo: EnrolmentPhoto, actor: str) -> int:
    """Destroy a photo's templates, because a person says that it shows somebody else.

    A confirmed photo may have cleared the wrong child. So every published picture in which the
    pupil was recognised since then is recalled, and a person has to approve it again. Whether the
    photo was confirmed or not, these pictures are examined again.

    Returns:
        How many publications were recalled.
    """
    number, since = photo.pupil.admission_number, photo.first_imported_on
    was_confirmed = photo.confirmed_at is not None
    shown = Item.objects.filter(shown__admission_number=number, decided_at__date__gte=since)
    decided = shown.filter(state__in=(ItemState.DECIDED, ItemState.RECEIVED))
    items = list(decided.values_list("pk", flat=True))
    recalled = 0
    if was_confirmed and items:  # an empty selection would mean every picture
        recalled = len(recall_selection(home, RecallSelection(items=items), actor).publications)
    with transaction.atomic():
        photo.delete()
        others = EnrolmentPhoto.objects.filter(pupil=photo.pupil, templates__isnull=False)
        if others.distinct().count() == 1:  # no second photo is left that could differ
            EnrolmentPhoto.objects.filter(pk__in=others.values("pk")).update(in_doubt=False)
        subject = audit_log.pupil_subject(home, number)
        audit_log.record(home, "templates.destroyed", subject, {"cause": "not_this_pupil"}, actor)
        _, pairs = update_lookalikes(home)
        redecide(home, {number} | pairs, actor)
        flag_for_reexamination(home, number, since)
    sync_folders(home)
    return recalled
