"""The picture and the film of a live photo are closed together, and held by each other."""

from __future__ import annotations

from dataclasses import replace

import pytest
from django.db import transaction

from consent_gate.db.evidence_json import to_json
from consent_gate.db.models import Item, ItemState, Publication, PublicationState, PupilEntry
from consent_gate.decisions import live_photos
from consent_gate.decisions.apply import apply_decision, redecide_pupils
from consent_gate.decisions.ledger import DecisionContext
from consent_gate.model import (
    Evidence,
    Film,
    Identity,
    NotExamined,
    Reason,
    Shown,
    Tag,
    TagKind,
    Uncleared,
)
from consent_gate.publication import OPEN
from consent_gate.register.gallery_version import gallery_version
from consent_gate.register.repository import load_register
from consent_gate.review import service as review
from ingest.examinations import record_examination
from ingest.workers.examination import Examination
from publish.live_photo_wait import MAX_WAIT
from publish.recall.by_hand import RecallSelection, recall_selection
from publish.release import publications_to_render
from tests.support.factories import STRANGER, World, make_evidence, matches
from tests.support.fake_renderer import refuse_in_register
from tests.support.settings_override import with_channel
from tests.support.web_fixtures import world

__all__ = ["world"]

ANN, BEN = "000001", "000002"
LIVE, OTHER = "a" * 64, "b" * 64
VISITOR = Tag(TagKind.ADULT_WITH_AGREEMENT, basis="signed the visitors' form")


@pytest.fixture(autouse=True)
def _pupils(world: World) -> None:
    world.make_pupil(ANN)
    world.make_pupil(BEN, forename="Ben")


def film_of(*identities: Identity) -> Evidence:
    """Evidence of a film that shows these people one after another."""
    picture = make_evidence(*identities)
    faces = []
    for number, face in enumerate(picture.faces):
        box = (face.box.x, face.box.y, face.box.width, face.box.height)
        faces.append(replace(face, shown=Shown(number, number + 0.5, number, ((number, *box),))))
    film = Film(3.0, 90, 0, 3, 1, ("video h264",), is_viewable=True)
    return replace(picture, pixels_sha256="f" * 64, faces=tuple(faces), film=film)


def decide(world: World, item: Item) -> None:
    with transaction.atomic():
        now = world.home.now()
        item = Item.objects.get(pk=item.pk)
        register = load_register(now.date())
        apply_decision(DecisionContext(world.home, register, now, may_open=True), item)


def live_photo(world: World, picture: Evidence, film: Evidence) -> tuple[Item, Item]:
    """Both halves, examined. The picture was examined first."""
    halves = []
    for name, evidence in (("IMG_1.HEIC", picture), ("IMG_1.MOV", film)):
        item = world.make_item(evidence=NotExamined(Reason.NOT_EXAMINED, "not yet"), name=name)
        Item.objects.filter(pk=item.pk).update(evidence=to_json(evidence), live_photo=LIVE)
        item.refresh_from_db()
        decide(world, item)
        halves.append(item)
    return halves[0], halves[1]


def reasons(item: Item) -> list[str]:
    return list(item.decisions.get(channel="website").reasons)


def is_out(item: Item) -> bool:
    return Publication.objects.filter(item=item, channel="website", state__in=OPEN).exists()


def action(world: World, item: Item) -> review.ReviewAction:
    item.refresh_from_db()
    return review.ReviewAction(world.home, "j.shaw", item.pk, item.revision)


def test_two_cleared_halves_are_both_released(world: World) -> None:
    picture, film = live_photo(world, make_evidence(matches(ANN)), film_of(matches(ANN)))
    assert is_out(picture)
    assert is_out(film)


def test_a_stranger_in_the_picture_holds_the_film_and_the_other_way_round(world: World) -> None:
    both = make_evidence(matches(ANN), STRANGER), film_of(matches(ANN))
    picture, film = live_photo(world, *both)
    assert (reasons(picture), reasons(film)) == (["unknown_face"], ["seen_before"])
    assert not is_out(film)
    Item.objects.filter(pk__in=(picture.pk, film.pk)).update(live_photo="")
    picture, film = live_photo(world, make_evidence(matches(ANN)), film_of(matches(ANN), STRANGER))
    assert (reasons(picture), reasons(film)) == (["seen_before"], ["unknown_face"])
    assert not is_out(picture)


def test_a_stranger_whom_the_gate_covers_in_the_picture_still_holds_the_film(world: World) -> None:
    world.home = with_channel(world.home, "website", uncleared=Uncleared.COVER)
    both = make_evidence(matches(ANN), STRANGER), film_of(matches(ANN))
    picture, film = live_photo(world, *both)
    decide(world, picture)
    assert is_out(picture)
    assert reasons(film) == ["seen_before"]
    assert not is_out(film)


@pytest.mark.parametrize("held", ["picture", "film"])
def test_a_pupil_never_to_be_published_in_one_half_holds_both(world: World, held: str) -> None:
    PupilEntry.objects.filter(admission_number=BEN).update(never_publish=True)
    shown = [matches(ANN), matches(BEN)]
    picture, film = live_photo(
        world,
        make_evidence(*shown[: 2 if held == "picture" else 1]),
        film_of(*shown[: 2 if held == "film" else 1]),
    )
    assert not is_out(picture)
    assert not is_out(film)


def test_all_files_are_held_when_one_more_has_their_identifier_than_are_compared(
    world: World,
) -> None:
    files = []
    for number in range(live_photos.MAX_HALVES + 2):
        item = world.make_item(
            evidence=NotExamined(Reason.NOT_EXAMINED, "not yet"), name=f"IMG_{number}.HEIC"
        )
        evidence = to_json(make_evidence(matches(ANN)))
        Item.objects.filter(pk=item.pk).update(evidence=evidence, live_photo=LIVE)
        decide(world, item)
        files.append(item)
    assert not any(is_out(item) for item in files)


def test_two_held_halves_do_not_hold_each_other_for_ever(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each is named by staff. Then nothing holds either."""
    monkeypatch.setattr(review, "is_unseen_film", lambda *_: False)
    picture, film = live_photo(world, make_evidence(STRANGER), film_of(STRANGER))
    assert "unknown_face" in reasons(picture)
    for item in (picture, film):
        review.tag_face(action(world, item), 0, VISITOR)
    review.release(action(world, picture), ["website"], "I know everyone shown")
    review.release(action(world, film), ["website"], "I know everyone shown")
    assert is_out(picture)
    assert is_out(film)


def test_staff_may_release_a_half_that_the_other_one_holds(world: World) -> None:
    picture, _ = live_photo(world, make_evidence(matches(ANN)), film_of(matches(ANN), STRANGER))
    review.release(action(world, picture), ["website"], "the stranger is not in the picture")
    assert is_out(picture)


@pytest.mark.dialect
def test_a_withdrawal_that_concerns_one_half_recalls_both(world: World) -> None:
    picture, film = live_photo(
        world, make_evidence(matches(ANN), matches(BEN)), film_of(matches(ANN))
    )
    assert is_out(film)
    with transaction.atomic():
        refuse_in_register(BEN)
        now = world.home.now()
        redecide_pupils(DecisionContext(world.home, load_register(now.date()), now), [BEN])
    assert not is_out(picture)
    assert not is_out(film)
    assert reasons(film) == ["seen_before"]


def test_a_withdrawal_that_concerns_both_halves_recalls_each_once(world: World) -> None:
    """They are decided in one round, with what was loaded before the round."""
    halves = live_photo(world, make_evidence(matches(ANN)), film_of(matches(ANN)))
    now = world.home.now()
    Publication.objects.update(state=PublicationState.LIVE, released_at=now)
    with transaction.atomic():
        refuse_in_register(ANN)
        ctx = DecisionContext(world.home, load_register(now.date()), now)
        assert redecide_pupils(ctx, [ANN]) == 2
    for half in halves:
        assert not is_out(half)
        assert "consent_refused" in reasons(half)


@pytest.mark.parametrize("first", [0, 1])
def test_a_refusal_of_one_half_closes_the_other(world: World, first: int) -> None:
    halves = live_photo(world, make_evidence(matches(ANN)), film_of(matches(ANN)))
    review.refuse(action(world, halves[first]), ["website"], "the mother asked")
    assert not is_out(halves[0])
    assert not is_out(halves[1])
    assert reasons(halves[1 - first]) == ["seen_before"]


@pytest.mark.parametrize("first", [0, 1])
def test_both_halves_are_sealed_together(world: World, first: int) -> None:
    halves = live_photo(world, make_evidence(matches(ANN)), film_of(matches(ANN)))
    review.seal(action(world, halves[first]))
    for half in halves:
        half.refresh_from_db()
        assert half.state == ItemState.SEALED
        assert not is_out(half)


def test_a_recall_by_hand_of_one_half_recalls_the_other(world: World) -> None:
    picture, film = live_photo(world, make_evidence(matches(ANN)), film_of(matches(ANN)))
    recall_selection(world.home, RecallSelection(items=(picture.pk,)), "j.shaw")
    assert not is_out(picture)
    assert not is_out(film)


def test_a_half_that_comes_in_later_is_closed_at_once(world: World) -> None:
    """It is recognised by its examination, whatever the worker says of everything else."""
    picture = world.make_item(matches(ANN))
    Item.objects.filter(pk=picture.pk).update(live_photo=LIVE)
    review.seal(action(world, picture))
    film = world.make_item(evidence=NotExamined(Reason.NOT_EXAMINED, "not yet"))
    Item.objects.filter(pk=film.pk).update(state=ItemState.RECEIVED, evidence=None)
    examination = Examination(film_of(matches(ANN)), None, live_photo=LIVE)
    record_examination(world.home, film.pk, examination, gallery_version(world.home))
    film.refresh_from_db()
    assert film.live_photo == LIVE
    assert film.state == ItemState.SEALED


@pytest.mark.parametrize("digest", ["", "x", LIVE.upper(), LIVE + "0", "%" * 64])
def test_what_is_no_digest_is_not_stored(world: World, digest: str) -> None:
    item = world.make_item(evidence=NotExamined(Reason.NOT_EXAMINED, "not yet"))
    Item.objects.filter(pk=item.pk).update(state=ItemState.RECEIVED, evidence=None)
    examination = Examination(make_evidence(matches(ANN)), None, live_photo=digest)
    record_examination(world.home, item.pk, examination, gallery_version(world.home))
    item.refresh_from_db()
    assert item.live_photo == ""


@pytest.mark.parametrize("second", ["", OTHER])
def test_other_pictures_do_not_belong_together(world: World, second: str) -> None:
    items = []
    for digest, live in (("c" * 64, LIVE if second else ""), ("d" * 64, second)):
        evidence = replace(make_evidence(matches(ANN)), pixels_sha256=digest)
        items.append(world.make_item(evidence=evidence))
        Item.objects.filter(pk=items[-1].pk).update(live_photo=live)
    review.refuse(action(world, items[0]), ["website"], "blurred")
    decide(world, items[1])
    assert is_out(items[1])


def test_a_half_that_could_not_be_examined_holds_nothing(world: World) -> None:
    film = NotExamined(Reason.UNSUPPORTED_FORMAT, "This is a high dynamic range film.")
    picture, _ = live_photo(world, make_evidence(matches(ANN)), film)
    assert is_out(picture)


def test_many_files_with_one_identifier_hold_each_other(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody made the identifiers up; and nobody waits for thousands of comparisons."""
    monkeypatch.setattr(live_photos, "MAX_HALVES", 2)
    items = [world.make_item(matches(ANN)) for _ in range(4)]
    Item.objects.filter(pk__in=[item.pk for item in items]).update(live_photo=LIVE)
    decide(world, items[0])
    assert not is_out(items[0])


def make_waiting_film(world: World, name: str, event: str = "sports-day") -> Item:
    """A film that nobody has examined yet."""
    item = world.make_item(event=event, name=name, evidence=film_of(matches(ANN)))
    Item.objects.filter(pk=item.pk).update(state=ItemState.RECEIVED, evidence=None)
    Publication.objects.filter(item=item).delete()
    return item


def waits(world: World, picture: Item) -> bool:
    return not publications_to_render(world.home).filter(item=picture).exists()


@pytest.mark.dialect
@pytest.mark.parametrize(
    ("picture", "film"),
    [("IMG_1.HEIC", "IMG_1.MOV"), ("Img_1.jpg", "IMG_1.mov"), ("IMG_1.JPEG", "IMG_1.mp4")],
)
def test_a_picture_waits_until_its_film_was_examined(world: World, picture: str, film: str) -> None:
    """The film may show a stranger; the picture would be out for minutes before it is recalled."""
    half = world.make_item(name=picture, evidence=make_evidence(matches(ANN)))
    other = make_waiting_film(world, film)
    assert not waits(world, half), "it is no live photo"
    Item.objects.filter(pk=half.pk).update(live_photo=LIVE)
    assert waits(world, half)
    examined = Examination(film_of(matches(ANN), STRANGER), None, live_photo=LIVE)
    record_examination(world.home, other.pk, examined, gallery_version(world.home))
    half.refresh_from_db()
    assert reasons(half) == ["seen_before"]
    assert not is_out(half)


@pytest.mark.dialect
def test_a_picture_waits_for_its_own_film_only_and_not_for_ever(world: World) -> None:
    half = world.make_item(name="IMG_1.HEIC", evidence=make_evidence(matches(ANN)))
    Item.objects.filter(pk=half.pk).update(live_photo=LIVE)
    make_waiting_film(world, "IMG_11.MOV")
    make_waiting_film(world, "IMG_1.MOV", event="play")
    assert not waits(world, half)
    own = make_waiting_film(world, "IMG_1.MOV")
    assert waits(world, half)
    later = world.home.now() - MAX_WAIT
    Publication.objects.filter(item=half).update(intended_at=later)
    assert not waits(world, half), "ten minutes are over"
    Publication.objects.filter(item=half).update(intended_at=world.home.now() + MAX_WAIT)
    assert not waits(world, half), "the clock was set back"
    Publication.objects.filter(item=half).update(intended_at=world.home.now())
    record_examination(
        world.home,
        own.pk,
        Examination(NotExamined(Reason.NOT_EXAMINED, "damaged"), None),
        gallery_version(world.home),
    )
    assert not waits(world, half), "a film that cannot be examined holds nothing"
