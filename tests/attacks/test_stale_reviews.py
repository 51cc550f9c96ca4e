"""What staff said about one state of a picture or film must not count for another state."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse

from consent_gate.db.evidence_json import from_json
from consent_gate.db.models import Item, ItemState, Publication, StaffApproval, StaffTag, User
from consent_gate.decisions.staff_input import load_staff_input
from consent_gate.home.home import Home
from consent_gate.model import Evidence, Examined, Match, Tag, TagKind
from consent_gate.publication import OPEN
from consent_gate.register.gallery_version import gallery_version
from consent_gate.review import service as review
from consent_gate.review.film_cuts import FilmCut, cut_film
from consent_gate.review.validation import CannotBeReleased, EditConflict
from consent_gate.vault.originals import read_part, save_film_view
from ingest.examinations import record_examination
from ingest.workers.examination import Examination
from tests.support.factories import STRANGER, World
from tests.support.film_items import make_film_item
from tests.support.web_fixtures import logged_in, world

__all__ = ["logged_in", "world"]

ANN, BEN = "000001", "000002"


def acts(world: World, item: Item) -> review.ReviewAction:
    return review.at_current_revision(world.home, "j.shaw", item.pk)


def evidence_of(item: Item) -> Examined:
    evidence = from_json(item.evidence)
    assert isinstance(evidence, Examined)
    return evidence


def examine_again(world: World, item: Item, evidence: Evidence, view: bytes | None = None) -> None:
    Item.objects.filter(pk=item.pk).update(state=ItemState.RECEIVED)
    result = Examination(evidence, None, b"", (), view)
    record_examination(world.home, item.pk, result, gallery_version(world.home))


def is_open(item: Item) -> bool:
    return Publication.objects.filter(item=item, state__in=OPEN).exists()


def test_a_page_from_before_an_examination_names_nobody(world: World) -> None:
    """The page shows a visitor. Meanwhile the face is recognised as a child who refused."""
    world.make_pupil(BEN, said_no_to=["website", "mag", "displays"])
    item = world.make_item(STRANGER)
    page, seen = acts(world, item), evidence_of(item)
    box = replace(seen.faces[0].box, x=seen.faces[0].box.x + 7)
    face = replace(seen.faces[0], box=box, identity=Match(BEN, 0.3, 0.2))
    examine_again(world, item, replace(seen, faces=(face,)))
    with pytest.raises(EditConflict):
        review.tag_face(page, 0, Tag(TagKind.ADULT_WITH_AGREEMENT, basis="form"))
    assert not is_open(item)


@pytest.mark.parametrize(
    "tag",
    [
        Tag(TagKind.ADULT_WITH_AGREEMENT, basis="form"),
        Tag(TagKind.NOT_A_FACE),
        Tag(TagKind.PUPIL, ANN),
    ],
)
def test_an_approval_ends_where_a_tagged_face_is_recognised_as_another_child(
    world: World, tag: Tag
) -> None:
    """Nobody knew Ben's face when the picture was approved. His portrait came later."""
    world.make_pupil(ANN, "Ann")
    world.make_pupil(BEN, "Ben", said_no_to=["website", "mag", "displays"])
    item = world.make_item(STRANGER)
    review.tag_face(acts(world, item), 0, tag)
    review.release(acts(world, item), ["website"], "Asked in the office")
    seen = evidence_of(item)
    examine_again(world, item, seen)
    assert is_open(item), "nothing new was found"
    face = replace(seen.faces[0], identity=Match(BEN, 0.3, 0.2))
    examine_again(world, item, replace(seen, faces=(face,)))
    assert not is_open(item)
    page = acts(world, item)
    review.release(page, ["website"], "It is not Ben")
    examine_again(world, item, replace(seen, faces=(face,)))
    assert is_open(item), "the person knew what the machine says"


def test_an_approval_ends_where_the_picture_has_another_size(world: World) -> None:
    item = world.make_item()
    review.release(acts(world, item), ["website"], "Nobody is in it")
    item.refresh_from_db()
    seen = evidence_of(item)
    examine_again(world, item, replace(seen, width=seen.width + 200))
    assert not StaffApproval.objects.filter(item=item).exists()
    assert not is_open(item)


def test_an_approval_ends_where_a_film_is_decoded_to_other_frames(world: World) -> None:
    film = make_film_item(world)
    view = read_part(world.home, film, "film")
    page = acts(world, film)
    review.release(page, ["website"], "Nobody is in it")
    assert is_open(film)
    examine_again(world, film, replace(evidence_of(film), pixels_sha256="f" * 64), view)
    assert not StaffApproval.objects.filter(item=film).exists()
    assert not is_open(film)
    with pytest.raises(EditConflict):
        review.release(page, ["website"], "Nobody is in it")


def test_a_cut_ends_where_a_film_is_decoded_to_other_frames(world: World) -> None:
    """The stranger whom staff cut out may be at another moment of the new frames."""
    film = make_film_item(world)
    view, page = read_part(world.home, film, "film"), acts(world, film)
    cut_film(page, FilmCut.ONLY, 1000, 2000)
    review.release(acts(world, film), ["website"], "Nobody is in it")
    assert is_open(film)
    examine_again(world, film, replace(evidence_of(film), pixels_sha256="f" * 64), view)
    film.refresh_from_db()
    assert film.film_edit is None
    assert not is_open(film)
    with pytest.raises(EditConflict):
        cut_film(page, FilmCut.ONLY, 1000, 2000)
    assert load_staff_input(film).film_edit is None


def test_a_cover_ends_where_a_new_examination_follows_other_faces(world: World) -> None:
    """The number of the covered face means another person then."""
    film = make_film_item(world, STRANGER, STRANGER)
    view = read_part(world.home, film, "film")
    for face in (0, 1):
        review.tag_face(acts(world, film), face, Tag(TagKind.BLURRED))
    cut_film(acts(world, film), FilmCut.OUT, 1500, 2001)
    page = acts(world, film)
    review.release(page, ["website"], "Both are covered")
    assert is_open(film)
    film.refresh_from_db()
    seen = evidence_of(film)
    examine_again(world, film, replace(seen, faces=seen.faces[::-1]), view)
    assert not StaffTag.objects.filter(item=film).exists()
    film.refresh_from_db()
    assert film.film_edit is None
    assert not is_open(film)
    with pytest.raises(EditConflict):
        review.tag_face(page, 0, Tag(TagKind.BLURRED))


def test_a_cut_stays_where_a_new_examination_shows_the_same_frames(world: World) -> None:
    film = make_film_item(world)
    cut_film(acts(world, film), FilmCut.ONLY, 1000, 2000)
    review.release(acts(world, film), ["website"], "Nobody is in it")
    view = read_part(world.home, film, "film")
    examine_again(world, film, evidence_of(film), view)
    film.refresh_from_db()
    assert load_staff_input(film).film_edit is not None
    assert is_open(film)


def test_a_cut_that_was_saved_for_other_frames_releases_nothing(world: World) -> None:
    """As if an older version, or a restored backup, had left it there."""
    film = make_film_item(world)
    Item.objects.filter(pk=film.pk).update(film_edit={"kept": [[0, 1000]], "frames": "f" * 64})
    with pytest.raises(CannotBeReleased):
        review.release(acts(world, film), ["website"], "Nobody is in it")
    assert not is_open(film)


def files_of_vault(home: Home) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in home.vault.rglob("*") if path.is_file()}


@pytest.mark.parametrize("kept", ["half", "nothing", "changed"])
def test_a_film_that_cannot_be_watched_cannot_be_released(world: World, kept: str) -> None:
    film, before = make_film_item(world), files_of_vault(world.home)
    save_film_view(world.home, film, read_part(world.home, film, "film"))
    (stored,) = [path for path, data in files_of_vault(world.home).items() if data != before[path]]
    data = stored.read_bytes()
    stored.chmod(0o600)
    changed = data[:50] + b"XXXX" + data[54:]
    stored.write_bytes({"half": data[: len(data) // 2], "nothing": b"", "changed": changed}[kept])
    with pytest.raises(CannotBeReleased):
        review.release(acts(world, film), ["website"], "Nobody is in it")
    assert not is_open(film)


def test_a_batch_releases_only_what_was_shown(
    world: World, logged_in: Callable[[User], Client]
) -> None:
    shown, other = world.make_item(), world.make_item()
    form = {
        "answer": "release",
        "item": [shown.pk, other.pk],
        "shown": [f"{shown.pk}:{shown.revision}"],
        "basis": "Nobody is in it",
    }
    logged_in(world.make_user()).post(reverse("queue_batch"), form)
    assert is_open(shown)
    assert not is_open(other)
