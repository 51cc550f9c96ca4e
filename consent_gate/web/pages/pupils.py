"""What the pupils' pages show: consents, face matching, pictures. Never a template itself."""

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
from consent_gate.db.models.publications import OPEN
from consent_gate.home.home import Home
from consent_gate.model import BIOMETRIC, Answer
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
    """One purpose and what the family answered."""

    title: str
    answer: str
    given: bool
    """Whether it holds today."""
    given_on: date | None
    expires_on: date | None
    source: str
    """File name and day of the import it came from."""


@dataclass(frozen=True)
class TemplateRow:
    """One enrolment photo of which encrypted templates are kept."""

    day: date
    """When it was taken, or first brought in where nobody knows."""
    origin: str
    """In words; empty for a photo that came with an import."""
    models: str
    too_old: bool
    """Whether it cannot clear a picture alone any more."""


@dataclass(frozen=True)
class HistoryEntry:
    """What one import changed about the pupil."""

    at: datetime
    source: str
    sentences: tuple[str, ...]
    undone_at: datetime | None
    """When somebody undid what the import allowed; None: nobody did."""


def consent_rows(home: Home, pupil: PupilEntry) -> list[ConsentRow]:
    """Every purpose of the school's channels, and face matching; unanswered ones too."""
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
    begun = row.given_on is None or row.given_on <= today
    over = row.expires_on is not None and row.expires_on < today
    run = row.source
    source = f"{run.file_name}, {home.local_time(run.created_at):%-d %B %Y}" if run else ""
    return ConsentRow(
        title,
        "Has run out" if over else ANSWERS[Answer(row.answer)],
        row.answer == Answer.GIVEN and begun and not over,
        row.given_on,
        row.expires_on,
        source,
    )


def templates_of(home: Home, pupil: PupilEntry) -> list[TemplateRow]:
    """The enrolment photos there are templates of, newest first. Never a template itself."""
    photos = EnrolmentPhoto.objects.filter(pupil=pupil, templates__isnull=False).distinct()
    oldest = home.now().date() - timedelta(days=home.settings.rules.enrolment_max_age_days)
    rows = [_template_row(photo, oldest) for photo in photos.prefetch_related("templates")]
    return sorted(rows, key=lambda row: row.day, reverse=True)


def _template_row(photo: EnrolmentPhoto, oldest: date) -> TemplateRow:
    day = photo.taken_on or photo.first_imported_on
    origin = f"from a picture, by {full_name(photo.added_by)}" if photo.added_by else ""
    models = sorted(f"{t.model} {t.model_version}" for t in photo.templates.all())
    return TemplateRow(day, origin, ", ".join(models), day < oldest)


def history_of(home: Home, pupil: PupilEntry) -> list[HistoryEntry]:
    """What each import changed, newest first."""
    titles = home.settings.consent_titles
    by_run: dict[int, tuple[ImportRun, list[str]]] = {}
    for run, change in changes_about(pupil):
        by_run.setdefault(run.pk, (run, []))[1].append(describe_change(change, titles))
    return [
        HistoryEntry(run.created_at, run.file_name, tuple(sentences), run.undone_at)
        for run, sentences in reversed(by_run.values())
    ]


def numbers_of(pupil: PupilEntry) -> list[str]:
    """The admission numbers by which pictures may speak of the pupil."""
    return [pupil.admission_number, *pupil.former_numbers]


def pictures_of(pupil: PupilEntry) -> QuerySet[Item]:
    """Pictures the pupil was found or named in, newest first; sealed ones are not told."""
    shown = Item.objects.filter(shown__admission_number__in=numbers_of(pupil)).distinct()
    visible = shown.filter(state__in=(ItemState.DECIDED, ItemState.RECEIVED))
    return visible.order_by("-received_at")


def published_of(pupil: PupilEntry) -> list[Publication]:
    """What is out, or on its way, that shows the pupil."""
    rows = Publication.objects.filter(
        item__shown__admission_number__in=numbers_of(pupil), state__in=OPEN
    )
    return list(rows.select_related("item").distinct().order_by("channel", "-intended_at"))
