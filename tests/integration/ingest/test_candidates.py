"""Which pupils a face that was not recognised may be, when a person asks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pytest
from django.test import Client

from consent_gate.db.models import (
    AuditEntry,
    ConsentAnswer,
    Item,
    PupilEntry,
    Role,
    Template,
    User,
)
from consent_gate.decisions.event_classes import name_roll
from consent_gate.home.home import Home
from consent_gate.matching.gallery import MODELS, Gallery, gallery_of
from consent_gate.model import Box, Reason
from consent_gate.register.event_names import NamedRoll
from consent_gate.register.template_vectors import encrypt_vector
from consent_gate.review import service as review
from consent_gate.web.views import candidates as view
from ingest import candidates
from ingest.candidates import BUSY, AskedFace, CannotCompare, find_candidates
from ingest.faces.analyser import NearestPupils
from ingest.faces.enrolment_face import NotEnrollable, NotEnrollableReason
from ingest.workers import lent_pool
from ingest.workers.face_tasks import find_nearest_pupils
from publish.renditions.rendition import RenditionRefused
from tests.support.face_vectors import VERSIONS, someone
from tests.support.factories import STRANGER, World, matches

ANN, BEN, CAT, DEV = "000001", "000002", "000003", "000004"


@dataclass
class FakeWorkers:
    """Workers that answer with all pupils of the gallery, in the order of their numbers."""

    answer: object = None
    asked: list[tuple[Any, ...]] = field(default_factory=list)
    galleries: list[Gallery] = field(default_factory=list)
    size = 1

    @contextmanager
    def open(self, _home: Home, load_gallery: Callable[[], Gallery]) -> Iterator[Any]:
        self.galleries.append(load_gallery())
        yield self

    def submit(self, task: Callable[..., Any], *arguments: Any) -> Future[Any]:
        assert task is find_nearest_pupils
        self.asked.append(arguments)
        future: Future[Any] = Future()
        future.set_result(self.answer or NearestPupils(arguments[3][:3]))
        return future


def enrol(world: World, number: str, **fields: Any) -> PupilEntry:
    """A pupil with consent to face matching and real templates of made-up vectors."""
    pupil = world.make_pupil(number, f"Name{number[-1]}", "Archer", **fields)
    photo = pupil.photos.get()
    Template.objects.filter(photo=photo).delete()
    for model in MODELS:
        row = Template(photo=photo, model=model, model_version=VERSIONS[model])
        vector = np.asarray(someone(int(number))[model], "<f4").tobytes()
        encrypt_vector(world.home, number, row, vector)
        row.save()
    return pupil


@pytest.fixture
def workers(monkeypatch: pytest.MonkeyPatch) -> FakeWorkers:
    fake = FakeWorkers()
    monkeypatch.setattr(view, "borrow_workers", fake.open)
    monkeypatch.setattr(view, "_asked", {})
    return fake


def ask(world: World, item: Item, workers: FakeWorkers, face: int = 0) -> candidates.Candidates:
    item.refresh_from_db()
    asked = AskedFace(item, face, item.revision)
    return find_candidates(world.home, asked, "j.shaw", workers.open)


def test_pupils_of_the_whole_school_are_offered_where_no_roll_is_named(
    world: World, workers: FakeWorkers
) -> None:
    for number in (ANN, BEN):
        enrol(world, number)
    world.make_pupil(CAT, enrolled=False)
    found = ask(world, world.make_item(STRANGER), workers)
    assert found.nearest == (ANN, BEN)
    assert found.without_photo == ()


def test_only_pupils_of_the_roll_are_compared_and_those_without_a_photo_listed(
    world: World, workers: FakeWorkers
) -> None:
    enrol(world, ANN, reg_group="5B")
    enrol(world, BEN, reg_group="1A")
    world.make_pupil(CAT, enrolled=False, reg_group="5B")
    world.make_pupil(DEV, enrolled=False, reg_group="1A")
    item = world.make_item(STRANGER)
    name_roll(world.home, item.event, NamedRoll(("5B",), ()), "j.shaw")
    item.refresh_from_db()
    found = ask(world, item, workers)
    assert found.nearest == (ANN,)
    assert workers.asked[0][3] == (ANN,)
    assert workers.galleries[0].pupils == (ANN,)
    assert [entry.admission_number for entry in found.without_photo] == [CAT]


@pytest.mark.parametrize("lost", ["consent", "objection", "left"])
def test_a_pupil_without_consent_to_face_matching_is_not_compared(
    world: World, workers: FakeWorkers, lost: str
) -> None:
    """Their templates may still be stored for a moment."""
    enrol(world, ANN)
    pupil = enrol(world, BEN)
    if lost == "consent":
        ConsentAnswer.objects.filter(pupil=pupil, purpose="biometric").update(answer="refused")
    elif lost == "objection":
        PupilEntry.objects.filter(pk=pupil.pk).update(biometric_objection=True)
    else:
        PupilEntry.objects.filter(pk=pupil.pk).update(on_roll=False)
    assert ask(world, world.make_item(STRANGER), workers).nearest == (ANN,)
    assert BEN not in workers.asked[0][3]
    assert BEN not in workers.galleries[0].pupils


def test_a_worker_cannot_offer_anybody_who_was_not_sent_to_it(
    world: World, workers: FakeWorkers
) -> None:
    """The author of the photo may control the worker."""
    enrol(world, ANN)
    world.make_pupil(CAT, enrolled=False)
    workers.answer = NearestPupils((CAT, ANN, "999999"))
    assert ask(world, world.make_item(STRANGER), workers).nearest == (ANN,)


@pytest.mark.parametrize(
    "answer",
    [
        NotEnrollable(NotEnrollableReason.POOR_PICTURE, "The picture is not good enough."),
        RenditionRefused(Reason.NOT_EXAMINED, "The examination took too long."),
    ],
)
def test_a_face_that_cannot_be_measured_gets_nobody(
    world: World, workers: FakeWorkers, answer: object
) -> None:
    enrol(world, ANN)
    workers.answer = answer
    found = ask(world, world.make_item(STRANGER), workers)
    assert found.nearest == ()
    assert "Find the pupil by name" in found.problem


@pytest.mark.parametrize("face", [-1, 1, 999])
def test_a_face_that_is_not_in_the_picture_gets_nobody(
    world: World, workers: FakeWorkers, face: int
) -> None:
    enrol(world, ANN)
    with pytest.raises(CannotCompare):
        ask(world, world.make_item(STRANGER), workers, face)
    assert workers.asked == []


def test_altered_templates_and_no_templates_offer_nobody(
    world: World, workers: FakeWorkers
) -> None:
    item = world.make_item(STRANGER)
    assert "Nobody who may be compared" in ask(world, item, workers).problem
    enrol(world, ANN)
    Template.objects.update(ciphertext=b"not a vector")
    found = ask(world, item, workers)
    assert found.nearest == ()
    assert "could not be compared" in found.problem


def test_the_audit_names_who_asked_and_no_pupil(world: World, workers: FakeWorkers) -> None:
    enrol(world, ANN)
    item = world.make_item(STRANGER)
    before = AuditEntry.objects.count()
    ask(world, item, workers)
    (entry,) = AuditEntry.objects.order_by("sequence")[before:]
    assert (entry.action, entry.actor, entry.subject, entry.detail) == (
        "face.compared",
        "j.shaw",
        f"item:{item.pk}",
        {},
    )


def test_faces_are_measured_few_at_a_time(world: World, workers: FakeWorkers) -> None:
    enrol(world, ANN)
    item = world.make_item(STRANGER)
    for _ in range(candidates.MOST_AT_ONCE):
        assert candidates._places.acquire(blocking=False)
    try:
        with pytest.raises(CannotCompare, match=BUSY):
            ask(world, item, workers)
    finally:
        for _ in range(candidates.MOST_AT_ONCE):
            candidates._places.release()
    assert ask(world, item, workers).nearest == (ANN,)


def test_the_page_offers_them_to_reviewers_a_bounded_number_of_times(
    world: World, workers: FakeWorkers, logged_in: Callable[[User], Client]
) -> None:
    enrol(world, ANN, family_group="f1")
    world.make_pupil(CAT, "Cat", "Cole", enrolled=False)
    world.make_pupil(DEV, "Dev", "Archer", enrolled=False, family_group="f1")
    item = world.make_item(STRANGER, matches(ANN))
    name_roll(world.home, item.event, NamedRoll(("5B",), ()), "j.shaw")
    address = f"/pictures/{item.pk}/faces/0/candidates/"
    reviewer = logged_in(world.make_user())
    shown = {"revision": str(item.revision)}
    answer = reviewer.post(address, shown)
    page = answer.content.decode()
    assert "no-store" in answer["Cache-Control"]
    assert 'data-key="y"' in page
    assert page.index("Dev Archer") < page.index("Cat Cole")
    assert "family of Name1 Archer" in page
    assert reviewer.get(address).status_code == 405
    office = logged_in(world.make_user("office", Role.OFFICE))
    assert office.post(address, shown).status_code == 403
    for _ in range(view.MOST_A_MINUTE):
        last = reviewer.post(address, shown)
    assert "many faces" in last.content.decode()
    assert len(workers.asked) == view.MOST_A_MINUTE
    assert Item.objects.get(pk=item.pk).tags.count() == 0


def test_a_drawn_face_is_compared_at_its_place(world: World, workers: FakeWorkers) -> None:
    enrol(world, ANN)
    item = world.make_item(STRANGER)
    item.refresh_from_db()
    action = review.ReviewAction(world.home, "j.shaw", item.pk, item.revision)
    review.add_face(action, Box(500, 500, 60, 70))
    item.refresh_from_db()
    ask(world, item, workers, 1)
    assert workers.asked[0][1] == Box(500, 500, 60, 70)


def test_brothers_and_sisters_without_a_photo_are_listed_where_no_roll_is_named(
    world: World, workers: FakeWorkers
) -> None:
    """The unknown face is most likely one of them, and looks like the enrolled one."""
    enrol(world, ANN, family_group="f1")
    world.make_pupil(CAT, enrolled=False, family_group="f1")
    world.make_pupil(DEV, enrolled=False)
    found = ask(world, world.make_item(STRANGER), workers)
    assert [entry.admission_number for entry in found.without_photo] == [CAT]


def test_those_without_a_photo_are_listed_also_if_the_face_cannot_be_compared(
    world: World, workers: FakeWorkers
) -> None:
    enrol(world, ANN, reg_group="5B")
    world.make_pupil(CAT, enrolled=False, reg_group="5B")
    item = world.make_item(STRANGER)
    name_roll(world.home, item.event, NamedRoll(("5B",), ()), "j.shaw")
    workers.answer = NotEnrollable(NotEnrollableReason.POOR_PICTURE, "")
    found = ask(world, item, workers)
    assert found.nearest == ()
    assert found.problem == candidates.UNCLEAR
    assert [entry.admission_number for entry in found.without_photo] == [CAT]


def test_a_page_that_is_out_of_date_gets_nobody(world: World, workers: FakeWorkers) -> None:
    """The number of the face may mean another face by now."""
    enrol(world, ANN)
    item = world.make_item(STRANGER)
    item.refresh_from_db()
    stale = AskedFace(item, 0, item.revision - 1)
    with pytest.raises(CannotCompare, match="Open it again"):
        find_candidates(world.home, stale, "j.shaw", workers.open)
    assert workers.asked == []


def test_a_picture_that_changes_during_the_comparison_gets_nobody(
    world: World, workers: FakeWorkers
) -> None:
    enrol(world, ANN)
    item = world.make_item(STRANGER)

    class Slow(FakeWorkers):
        def submit(self, task: Callable[..., Any], *arguments: Any) -> Future[Any]:
            Item.objects.filter(pk=item.pk).update(revision=item.revision + 1)
            return super().submit(task, *arguments)

    with pytest.raises(CannotCompare, match="Open it again"):
        ask(world, item, Slow())


def test_a_comparison_that_takes_too_long_is_given_up(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    enrol(world, ANN)
    never: Future[Any] = Future()
    workers = FakeWorkers()
    monkeypatch.setattr(workers, "submit", lambda *_: never)
    monkeypatch.setattr(candidates, "SECONDS", 0.01)
    found = ask(world, world.make_item(STRANGER), workers)
    assert found.nearest == ()
    assert "took too long" in found.problem
    assert never.cancelled()
    assert candidates._places.acquire(blocking=False)
    candidates._places.release()


def test_the_workers_of_another_school_are_not_lent(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They have the faces of other children."""

    class Pool:
        def __init__(self, home: Home, gallery: Gallery) -> None:
            self.home, self.gallery = home, gallery

        def __enter__(self) -> Any:
            return self

        def __exit__(self, *_: object) -> None:
            pass

    monkeypatch.setattr(lent_pool, "AnalysisPool", Pool)
    other = replace(world.home, root=world.home.root / "another")
    gallery = gallery_of([])
    with lent_pool.lending(other, Pool(other, gallery)):
        with lent_pool.borrow_workers(world.home, lambda: gallery) as found:
            assert isinstance(found, Pool)
            assert found.home is world.home
        with lent_pool.borrow_workers(other, lambda: gallery) as lent:
            assert not isinstance(lent, Pool)
