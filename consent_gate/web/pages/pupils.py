"""View model of a pupil's page: consents, enrolment photos, import history and pictures."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import QuerySet

from consent_gate.db.models import (
    ConsentAnswer,
    EnrolmentPhoto,
    ImportRun,
    Item,
    ItemState,
    Publication,
    PupilEntry,
)
from consent_gate.home.home import Home
from consent_gate.model import BIOMETRIC, Answer
from consent_gate.publication import OPEN
from consent_gate.subject_rights.access import numbers_of
from consent_gate.web.pages.names import full_name
from sims_import.applying.history import changes_about
from sims_import.planning.change_text import describe_change

ANSWERS = {
    Answer.GIVEN: "Yes",
    Answer.REFUSED: "No",
    Answer.NOT_STATED: "Not stated",
}


@dataclass(frozen=True)
class ConsentRow:
    """One purpose with the family's answer."""

    title: str
    answer: str
    given: bool
    """Whether there is valid consent today."""
    given_on: date | None
    expires_on: date | None
    source: str
    """File name and date of the import that brought the answer."""


@dataclass(frozen=True)
class TemplateRow:
    """One enrolment photo that has face templates."""

    day: date
    """Date taken; the date of the first import when that is unknown."""
    origin: str
    """Where the photo came from; empty for a photo that came with an import."""
    models: str
    too_old: bool
    """Whether the photo is too old for a match to clear a picture by itself."""


@dataclass(frozen=True)
class HistoryEntry:
    """The changes of one import to the pupil."""

    created_at: datetime
    source: str
    sentences: tuple[str, ...]
    undone_at: datetime | None
    """When the consents that the import granted were undone; None if they were not."""


def consent_rows(home: Home, pupil: PupilEntry) -> list[ConsentRow]:
    """Return face matching and every purpose of the channels, answered or not."""
    titles = {BIOMETRIC: "Face matching"}
    for channel in home.settings.channels.values():
        titles.setdefault(channel.consent, channel.title)
    rows = {
        row.purpose: row
        for row in ConsentAnswer.objects.filter(pupil=pupil).select_related("source")
    }
    today = home.now().date()
    return [_row(home, title, rows.get(purpose), today) for purpose, title in titles.items()]


def _row(home: Home, title: str, row: ConsentAnswer | None, today: date) -> ConsentRow:
    if row is None:
        return ConsentRow(
            title,
            ANSWERS[Answer.NOT_STATED],
            given=False,
            given_on=None,
            expires_on=None,
            source="",
        )
    started = row.given_on is None or row.given_on <= today
    expired = row.expires_on is not None and row.expires_on < today
    run = row.source
    source = f"{run.file_name}, {home.local_time(run.created_at):%-d %B %Y}" if run else ""
    return ConsentRow(
        title,
        "Expired" if expired else ANSWERS[Answer(row.answer)],
        row.answer == Answer.GIVEN and started and not expired,
        row.given_on,
        row.expires_on,
        source,
    )


def template_rows(home: Home, pupil: PupilEntry) -> list[TemplateRow]:
    """Return the enrolment photos that have templates, newest first."""
    photos = EnrolmentPhoto.objects.filter(pupil=pupil, templates__isnull=False).distinct()
    oldest = home.now().date() - timedelta(days=home.settings.rules.enrolment_max_age_days)
    rows = [_template_row(photo, oldest) for photo in photos.prefetch_related("templates")]
    return sorted(rows, key=lambda row: row.day, reverse=True)


def _template_row(photo: EnrolmentPhoto, oldest: date) -> TemplateRow:
    day = photo.taken_on or photo.first_imported_on
    origin = ""
    if photo.item_id:
        origin = f"from an event picture, added by {full_name(photo.added_by)}"
    elif photo.added_by:
        origin = f"taken with the webcam by {full_name(photo.added_by)}"
    models = sorted(f"{t.model} {t.model_version}" for t in photo.templates.all())
    return TemplateRow(day, origin, ", ".join(models), day < oldest)


def import_history(home: Home, pupil: PupilEntry) -> list[HistoryEntry]:
    """Return what each import changed, newest first."""
    titles = home.settings.consent_titles
    by_run: dict[int, tuple[ImportRun, list[str]]] = {}
    for run, change in changes_about(pupil):
        by_run.setdefault(run.pk, (run, []))[1].append(describe_change(change, titles))
    return [
        HistoryEntry(run.created_at, run.file_name, tuple(sentences), run.undone_at)
        for run, sentences in reversed(by_run.values())
    ]


def pictures_showing(pupil: PupilEntry) -> QuerySet[Item]:
    """Return pictures that show the pupil, newest first, without sealed pictures."""
    shown = Item.objects.filter(shown__admission_number__in=numbers_of(pupil)).distinct()
    visible = shown.filter(state__in=(ItemState.DECIDED, ItemState.RECEIVED))
    return visible.order_by("-received_at")


def open_publications(pupil: PupilEntry) -> list[Publication]:
    """Return publications, published or being published, of pictures that show the pupil."""
    rows = Publication.objects.filter(
        item__shown__admission_number__in=numbers_of(pupil), state__in=OPEN
    )
    return list(rows.select_related("item").distinct().order_by("channel", "-intended_at"))
