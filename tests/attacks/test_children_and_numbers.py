"""Random orders of exports, portraits, pictures and answers, and a model of who may be shown.

Children keep their faces, whatever numbers the exports give them. The office accepts every question
of an import. A picture must not be out where the last export does not allow a child in it.
"""

from __future__ import annotations

import os
import random

import pytest
from PIL import Image

from consent_gate.db.models import (
    EnrolmentPhoto,
    Item,
    ItemState,
    Publication,
    PupilEntry,
    Template,
)
from consent_gate.home.home import Home
from consent_gate.model import Identity, Match, Tag, TagKind, Unknown
from consent_gate.publication import OPEN
from consent_gate.register.gallery_version import gallery_version
from consent_gate.register.repository import photos_in_force
from consent_gate.register.template_vectors import encrypt_vector
from consent_gate.review import service as review
from consent_gate.review.validation import CannotBeReleased, NotReviewable
from consent_gate.subject_rights.erase import erase_pupil
from ingest.examinations import record_examination
from ingest.workers.examination import Examination
from sims_import.applying.apply import ExportFile, apply_import, preview_import
from sims_import.applying.history import undo_grants
from tests.support.factories import World, make_evidence

CHANNELS = ("website", "mag", "displays")
USES = (*CHANNELS, "biometric")
HEADER = (
    "Adno,UPN,Legal Forename,Legal Surname,DOB,Reg Group,Photograph - Website,"
    "Photograph - Millfields Mag,Photograph - Displays,Biometric Consent"
)
CHILDREN = {
    "ann": ("Ann", "Archer", "2016-01-02", "A823432117001"),
    "ben": ("Ben", "Archer", "2016-01-02", "B823432117002"),
    "cat": ("Cat", "Crane", "2017-05-06", "C823432117003"),
    "dan": ("Dan", "Archer", "2018-03-04", "D823432117004"),
    "eve": ("Eve", "Ellis", "2018-07-08", "E823432117005"),
}
NAMES = sorted(CHILDREN)
PHOTO = Image.new("RGB", (64, 64), (120, 160, 190))


class School:
    """The record system, the office, the staff and the gate."""

    def __init__(self, home: Home, seed: int) -> None:
        self.home, self.random = home, random.Random(seed)  # noqa: S311
        self.numbers = {child: f"{1001 + i:06d}" for i, child in enumerate(NAMES)}
        self.yes = {child: set(USES) for child in NAMES}
        self.listed, self.columns = set(NAMES), {"UPN", "DOB"}
        self.allowed = {child: set[str]() for child in NAMES}
        self.shown: dict[str, list[str]] = {}
        self.last_number, self.last_import = 5000, 0
        self.before_import = self.allowed
        self.import_export()
        for child in NAMES:
            self.enrol(child)
        for children in (["ann"], ["ben"], ["cat", "dan"]):
            self.take_picture(children)

    def any_child(self) -> str:
        return self.random.choice(NAMES)

    def new_number(self) -> str:
        self.last_number += 1
        return f"{self.last_number:06d}"

    def step(self) -> None:
        """Something happens, then nobody may be out who must not be."""
        steps = (
            self.change_the_record_system,
            self.undo_the_import,
            lambda: self.enrol(self.any_child()),
            lambda: self.take_picture(self.random.sample(NAMES, self.random.choice([1, 1, 2]))),
            self.examine_waiting,
            self.name_and_release,
            self.erase_somebody,
        )
        self.random.choices(steps, weights=[5, 1, 2, 1, 2, 1, 0.4])[0]()
        for row in Publication.objects.filter(state__in=OPEN):
            for child in self.shown[row.item_id]:
                assert row.channel in self.allowed[child], (child, row.channel, self.numbers)

    def change_the_record_system(self) -> None:
        child, other = self.random.sample(NAMES, 2)
        match self.random.randrange(6):
            case 0:
                self.yes[child] ^= {self.random.choice(USES)}
            case 1:
                self.listed ^= {child}
            case 2:
                self.numbers[child] = self.new_number()
            case 3:
                swapped = self.numbers[other], self.numbers[child]
                self.numbers[child], self.numbers[other] = swapped
            case 4 if other not in self.listed:
                self.numbers[child], self.numbers[other] = self.numbers[other], self.new_number()
            case _:
                self.columns = self.random.choice([{"UPN", "DOB"}, {"UPN"}, {"DOB"}])
        if self.random.random() < 0.8:
            self.import_export()

    def import_export(self) -> None:
        rows = [self.row_of(child) for child in NAMES if child in self.listed]
        if not rows:
            return
        export = ExportFile("export.csv", "\n".join([HEADER, *rows]).encode())
        codes = [block.code for block in preview_import(self.home, export).blocks]
        done = apply_import(self.home, export, codes, "office")
        assert done.report["status"] == "applied"
        self.last_import, self.before_import = done.run.pk, self.allowed
        self.allowed = {
            child: self.yes[child] & {*CHANNELS} if child in self.listed else set()
            for child in NAMES
        }

    def row_of(self, child: str) -> str:
        forename, surname, born, upn = CHILDREN[child]
        upn = upn if "UPN" in self.columns else ""
        born = born if "DOB" in self.columns else ""
        answers = ("T" if use in self.yes[child] else "F" for use in USES)
        return ",".join([self.numbers[child], upn, forename, surname, born, "3W", *answers])

    def undo_the_import(self) -> None:
        if self.last_import:
            undo_grants(self.home, self.last_import, "office")
            self.last_import = 0
            self.allowed = {c: self.allowed[c] & self.before_import[c] for c in NAMES}

    def entry_of(self, child: str) -> PupilEntry | None:
        """Who has the child's name on the register, as the office sees it."""
        forename, surname, *_ = CHILDREN[child]
        rows = PupilEntry.objects.filter(forename=forename, surname=surname, on_roll=True)
        return rows.first()

    def enrol(self, child: str) -> None:
        """A portrait of the child, confirmed, where that is lawful and there is none."""
        entry = self.entry_of(child)
        if entry is None or EnrolmentPhoto.objects.filter(pupil=entry).exists():
            return
        if not entry.consents.filter(purpose="biometric", answer="given").exists():
            return
        now = self.home.now()
        photo = EnrolmentPhoto.objects.create(
            pupil=entry,
            sha256=f"{child:0>64}",
            first_imported_on=now.date(),
            confirmed_by="office",
            confirmed_at=now,
        )
        template = Template(photo=photo, model="sface", model_version="test")
        encrypt_vector(self.home, entry.admission_number, template, os.urandom(512))
        template.save()

    def identity_of(self, child: str) -> Identity:
        """What the machine says of the child's face: who has the template of it."""
        for photo in photos_in_force(self.home.now().date()).filter(sha256=f"{child:0>64}"):
            return Match(photo.pupil.admission_number, distance=0.3, margin=0.2)
        return Unknown()

    def take_picture(self, children: list[str]) -> None:
        item = World(self.home).make_item(*map(self.identity_of, children), photo=PHOTO)
        self.shown[item.pk] = children

    def examine_waiting(self) -> None:
        for item in Item.objects.filter(state=ItemState.RECEIVED):
            evidence = make_evidence(*map(self.identity_of, self.shown[item.pk]))
            result = Examination(evidence, None, b"", ())
            record_examination(self.home, item.pk, result, gallery_version(self.home))

    def name_and_release(self) -> None:
        """Staff know the children, and pick their names from the register."""
        item = self.random.choice(list(self.shown))
        named = [self.entry_of(child) for child in self.shown[item]]
        try:
            for face, entry in enumerate(named):
                if entry is not None:
                    tag = Tag(TagKind.PUPIL, entry.admission_number)
                    review.tag_face(self.page(item), face, tag)
            for channel in CHANNELS:
                review.release(self.page(item), [channel], "We know them")
        except (CannotBeReleased, NotReviewable):
            return

    def page(self, item: str) -> review.ReviewAction:
        return review.at_current_revision(self.home, "j.shaw", item)

    def erase_somebody(self) -> None:
        if entry := self.entry_of(self.any_child()):
            erase_pupil(self.home, entry.admission_number, "office")


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("seed", range(12))
def test_no_child_is_shown_where_the_last_export_does_not_allow_it(home: Home, seed: int) -> None:
    school = School(home, seed)
    assert Publication.objects.filter(state__in=OPEN).exists()
    for _ in range(16):
        school.step()
