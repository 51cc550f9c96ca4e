"""Load the register and the gallery from the database, as values of ``model`` and ``gallery``."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np
from django.db.models import QuerySet, prefetch_related_objects

from consent_gate.db.models import (
    ConsentAnswer,
    EnrolmentPhoto,
    ImportRun,
    Lookalike,
    PupilEntry,
    Restore,
    SuspendedPurpose,
)
from consent_gate.errors import AwaitingExport
from consent_gate.home.home import Home
from consent_gate.matching.gallery import MODELS, SCHOOL, Gallery, gallery_of
from consent_gate.matching.gallery import Template as GalleryTemplate
from consent_gate.model import BIOMETRIC, Answer, Consent, Pupil, Register
from consent_gate.register.template_vectors import decrypt_vector

PAIR_FIELDS = ("first", "second")
"""Foreign keys of ``Lookalike``, for ``select_related``."""


def load_register(today: date) -> Register:
    """Return the register of all pupils."""
    entries = list(PupilEntry.objects.all())
    answers, pairs = ConsentAnswer.objects.all(), Lookalike.objects.select_related(*PAIR_FIELDS)
    return build_register(entries, entries, answers, lawful_photos(today), pairs)


def build_register(
    entries: Iterable[PupilEntry],
    families: Iterable[PupilEntry],
    answers: Iterable[ConsentAnswer],
    photos: QuerySet[EnrolmentPhoto],
    pairs: Iterable[Lookalike],
) -> Register:
    """Return a register of these pupils, from the rows about them.

    ``families`` has all possible brothers and sisters of the pupils, and the pupils themselves.
    ``photos`` has the enrolment photos of ``families`` that may lawfully be compared.
    """
    enrolled, consents, lookalikes = _enrolled(photos), _consents(answers), _lookalikes(pairs)
    confirmed = {key for key, enrolment in enrolled.items() if enrolment.confirmed}
    guarded = _unenrolled_siblings(families, confirmed)
    pupils: dict[str, Pupil] = {}
    for entry in entries:
        pupil = Pupil(
            admission_number=entry.admission_number,
            consents=consents.get(entry.pk, {}),
            biometric_objection=entry.biometric_objection,
            never_publish=entry.never_publish,
            on_roll=entry.on_roll,
            has_unenrolled_sibling=entry.pk in guarded or entry.erased_relative,
            unenrolled_siblings=guarded.get(entry.pk, frozenset()),
            enrolled_on=enrolled[entry.pk].newest if entry.pk in enrolled else None,
            enrolment_confirmed=entry.pk in confirmed,
            lookalikes=tuple(sorted(lookalikes.get(entry.pk, ()))),
        )
        for former in entry.former_numbers:
            pupils.setdefault(former, replace(pupil, admission_number=former))
        pupils[entry.admission_number] = pupil
    suspended = frozenset(SuspendedPurpose.objects.values_list("purpose", flat=True))
    return Register(pupils, last_exported_on(), suspended, _never_published())


def _never_published() -> frozenset[str]:
    """Admission numbers of all pupils marked "never publish"."""
    marked = PupilEntry.objects.filter(never_publish=True)
    return frozenset(marked.values_list("admission_number", flat=True))


def last_exported_on() -> date | None:
    """Return the run date of the newest export of the whole school that was applied and not undone.

    After a restore only an export of that day or later counts. None if there is none.
    """
    applied = ImportRun.objects.filter(
        status=ImportRun.Status.APPLIED,
        exported_on__isnull=False,
        complete=True,
        undone_at=None,
    )
    restored = Restore.objects.order_by("-pk").first()
    if restored is not None:  # only a fresh export has the withdrawals since the backup
        applied = applied.filter(pk__gt=restored.newest_import, exported_on__gte=restored.on)
    newest = applied.order_by("-exported_on").first()
    return newest.exported_on if newest else None


def refuse_unconfirmed_templates() -> None:
    """Check that a fresh export was imported after a restore.

    Until then it is unknown who withdrew consent since the backup, so no template may be used
    (Protection of Freedoms Act 2012 s.27).

    Raises:
        AwaitingExport: The home was restored and no export of that day or later was imported.
    """
    if Restore.objects.exists() and last_exported_on() is None:
        raise AwaitingExport("This home was restored from a backup, so no faces are compared yet.")


def load_gallery(
    home: Home, *, with_waiting: bool = False, only: Collection[str] | None = None
) -> Gallery:
    """Return the templates that may be compared today.

    Templates of pupils who left or lost biometric consent are normally deleted already. They are
    not loaded in any case (Protection of Freedoms Act 2012 s.27: stop processing at once).

    Args:
        home: The school's home.
        with_waiting: Also return unconfirmed templates of pupils who have confirmed ones. They are
            compared with new portraits, but not with pictures.
        only: Admission numbers of the pupils whose templates are wanted; None for all.

    Raises:
        DecryptionError: A stored template was altered.
        ModelUnavailable: The templates come from different models.
        AwaitingExport: The home was restored and no fresh export was imported.
    """
    refuse_unconfirmed_templates()
    photos = compared_photos(home, with_waiting=with_waiting, only=only)
    prefetch_related_objects(photos, "templates")
    used = _usable_models(home, photos)
    return gallery_of(
        GalleryTemplate(
            pupil=photo.pupil.admission_number,
            vectors={
                t.model: np.frombuffer(
                    decrypt_vector(home, photo.pupil.admission_number, t), dtype=np.float32
                )
                for t in photo.templates.all()
                if t.model in used
            },
            versions={t.model: t.model_version for t in photo.templates.all() if t.model in used},
            remembered=photo.item_id is not None,
        )
        for photo in photos
    )


def _usable_models(home: Home, photos: Sequence[EnrolmentPhoto]) -> set[str]:
    """The package's models, and the school's own if every photo has a vector of it as it is set."""
    model = home.settings.recognition.model
    wanted = (SCHOOL, model.version) if model else None
    has_all = all(
        wanted in {(t.model, t.model_version) for t in photo.templates.all()} for photo in photos
    )
    return {*MODELS, SCHOOL} if has_all else set(MODELS)


def compared_photos(
    home: Home, *, with_waiting: bool = False, only: Collection[str] | None = None
) -> list[EnrolmentPhoto]:
    """Return the enrolment photos whose templates may be compared today, as ``load_gallery``."""
    today = home.now().date()
    rows = (lawful_photos if with_waiting else photos_in_force)(today)
    if only is not None:
        rows = rows.filter(pupil__admission_number__in=only)
    rows = rows.filter(templates__isnull=False).distinct()
    photos = list(rows.select_related("pupil"))
    days = home.settings.recognition.portraits_kept_days
    return (
        photos
        if with_waiting or not days
        else without_old(photos, today - timedelta(days=days), today)
    )


def without_old(
    photos: Sequence[EnrolmentPhoto], oldest: date, today: date
) -> list[EnrolmentPhoto]:
    """Leave out the photos of before a day, of pupils who have an imported photo of since then.

    A photo that is dated in the future replaces none. A face remembered from a picture alone
    replaces no portrait: it never decides alone.
    """
    recent = {p.pupil_id for p in photos if p.item_id is None and oldest <= day_of(p) <= today}
    return [p for p in photos if p.pupil_id not in recent or day_of(p) >= oldest]


def day_of(photo: EnrolmentPhoto) -> date:
    """The day from which the age of an enrolment photo counts."""
    return photo.taken_on or photo.first_imported_on


def lawful_pupils(today: date) -> QuerySet[PupilEntry]:
    """Return the pupils who are on roll and have biometric consent today."""
    given = ConsentAnswer.objects.filter(purpose=BIOMETRIC, answer=Answer.GIVEN)
    live = given.exclude(expires_on__lt=today).exclude(given_on__gt=today)
    return PupilEntry.objects.filter(
        on_roll=True, biometric_objection=False, pk__in=live.values("pupil")
    )


def lawful_photos(today: date) -> QuerySet[EnrolmentPhoto]:
    """Return the enrolment photos of pupils who are on roll and have biometric consent today."""
    pupils = lawful_pupils(today).values("pk")
    return EnrolmentPhoto.objects.filter(pupil__in=pupils).order_by("pk")


def without_enrolment_photo(today: date) -> QuerySet[PupilEntry]:
    """Return the pupils of ``lawful_pupils`` who have no template."""
    enrolled = EnrolmentPhoto.objects.filter(templates__isnull=False)
    return lawful_pupils(today).exclude(pk__in=enrolled.values("pupil"))


def photos_in_force(today: date) -> QuerySet[EnrolmentPhoto]:
    """Return the lawful photos with templates that are compared with pictures.

    These are the confirmed photos of a pupil. Only where there is none, they are the unconfirmed
    photos; a match to such a pupil is held.
    """
    photos = lawful_photos(today).filter(templates__isnull=False).distinct()
    return photos.exclude(confirmed_at=None, pupil__in=_confirmed_photos().values("pupil"))


def _confirmed_photos() -> QuerySet[EnrolmentPhoto]:
    return EnrolmentPhoto.objects.filter(templates__isnull=False).exclude(confirmed_at=None)


@dataclass(frozen=True)
class _Enrolment:
    """The enrolment photos in force of one pupil."""

    newest: date
    confirmed: bool


def _enrolled(photos: QuerySet[EnrolmentPhoto]) -> dict[int, _Enrolment]:
    """The enrolment of each pupil with templates, by primary key of the pupil."""
    found: dict[int, _Enrolment] = {}
    for photo in photos.filter(templates__isnull=False).distinct():
        confirmed = photo.confirmed_at is not None
        old = found.get(photo.pupil_id)
        day = day_of(photo)
        if old is None or (confirmed and not old.confirmed):
            found[photo.pupil_id] = _Enrolment(day, confirmed)
        elif confirmed == old.confirmed:
            found[photo.pupil_id] = _Enrolment(max(day, old.newest), confirmed)
    return found


def _consents(answers: Iterable[ConsentAnswer]) -> dict[int, dict[str, Consent]]:
    consents: dict[int, dict[str, Consent]] = defaultdict(dict)
    for row in answers:
        consents[row.pupil_id][row.purpose] = Consent(
            Answer(row.answer), row.given_on, row.expires_on
        )
    return consents


def _lookalikes(pairs: Iterable[Lookalike]) -> dict[int, set[str]]:
    found: dict[int, set[str]] = defaultdict(set)
    for pair in pairs:
        found[pair.first_id].add(pair.second.admission_number)
        found[pair.second_id].add(pair.first.admission_number)
    return found


def _unenrolled_siblings(
    entries: Iterable[PupilEntry], enrolled: Iterable[int]
) -> dict[int, frozenset[str]]:
    """Admission numbers of each pupil's brothers and sisters on roll who have no template.

    By primary key; only pupils on roll with such a brother or sister are in it.
    """
    families: dict[str, list[PupilEntry]] = defaultdict(list)
    for entry in entries:
        if entry.family_group and entry.on_roll:
            families[entry.family_group].append(entry)
    has_template = set(enrolled)
    guarded: dict[int, frozenset[str]] = {}
    for family in families.values():
        unenrolled = [entry for entry in family if entry.pk not in has_template]
        for entry in family:
            siblings = [other for other in unenrolled if other.pk != entry.pk]
            if siblings:
                guarded[entry.pk] = frozenset(
                    n for other in siblings for n in (other.admission_number, *other.former_numbers)
                )
    return guarded
