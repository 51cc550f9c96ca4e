"""Staff watch a film, name its faces, and release it; or cannot, because they cannot see it."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pytest
from django.test import Client
from django.urls import reverse

from consent_gate.db import audit_log
from consent_gate.db.evidence_json import from_json, to_json
from consent_gate.db.models import Item, Publication, User
from consent_gate.decisions.staff_input import load_staff_input
from consent_gate.matching.gallery import gallery_of
from consent_gate.model import (
    Ambiguous,
    Box,
    Examined,
    FilmSpan,
    NamePart,
    Reason,
    Shown,
    Tag,
    TagKind,
    TextCheck,
    VisibleName,
)
from consent_gate.publication import OPEN
from consent_gate.review import service as review
from consent_gate.review.covering import (
    CoverPlan,
    cover_and_release,
    plan_covers,
    published_or_refused_channels,
    undo_answers,
)
from consent_gate.review.film_cuts import FilmCut, cut_film, keep_whole_film
from consent_gate.review.transaction import judge_of
from consent_gate.review.validation import CannotBeReleased, InvalidInput, examined_picture
from consent_gate.vault.interface import PartReader
from consent_gate.vault.originals import read_part, vault_of
from ingest.examinations import _with_stored_view
from ingest.faces.protocols import RGB
from ingest.film.decode import FilmReader
from ingest.film.staff_view import TILE, ViewEncoder, packed, unpacked
from publish.release import publish_pending
from publish.renditions.rendition import FilmRequest, Rendition, RenditionRefused
from publish.retention import retention_round
from tests.conftest import Clock
from tests.support.cached_analysis import CachedPool
from tests.support.factories import CHANNELS, STRANGER, World, matches
from tests.support.film_items import make_film_item
from tests.support.films import drawn_frames, make_film
from tests.support.web_fixtures import logged_in, world

__all__ = ["logged_in", "world"]

ANN = "000001"
VISITOR = Tag(TagKind.ADULT_WITH_AGREEMENT, basis="signed the visitors' form")


def action(world: World, item: Item) -> review.ReviewAction:
    item.refresh_from_db()
    return review.ReviewAction(world.home, "j.shaw", item.pk, item.revision)


def reasons(item: Item) -> list[str]:
    return list(item.decisions.get(channel="website").reasons)


def is_open(item: Item) -> bool:
    return Publication.objects.filter(item=item, state__in=OPEN).exists()


def name_everybody(world: World, item: Item) -> None:
    review.tag_face(action(world, item), 1, VISITOR)


@pytest.fixture
def film(world: World) -> Item:
    """Ann is recognised, a visitor is not."""
    world.make_pupil(ANN)
    return make_film_item(world, matches(ANN), STRANGER)


def test_a_film_goes_out_once_staff_have_named_everybody(
    world: World, film: Item, clock: Clock
) -> None:
    assert reasons(film) == ["unknown_face"]
    with pytest.raises(CannotBeReleased):
        review.release(action(world, film), ["website"], "I know everyone shown")
    name_everybody(world, film)
    assert not is_open(film)  # a tag alone releases nothing
    review.release(action(world, film), ["website"], "I know everyone shown")
    assert is_open(film)
    clock.pass_minutes(5)  # the release can be undone no more
    with CachedPool(world.home, gallery_of([])) as pool:
        publish_pending(world.home, pool)
    (row,) = Publication.objects.filter(item=film, channel="website")
    assert [file["kind"] for file in row.siblings] == ["mp4"]
    assert (world.home.approved("website") / row.file).with_suffix(".mp4").exists()


def test_a_stranger_is_cut_out_of_a_film_and_the_rest_goes_out(
    world: World, film: Item, clock: Clock
) -> None:
    cut_film(action(world, film), FilmCut.ONLY, 1000, 2000)
    assert reasons(film) == ["no_faces_found", "unknown_face"]  # a cut alone releases nothing
    review.release(action(world, film), ["website"], "I know everyone shown")
    clock.pass_minutes(5)
    with CachedPool(world.home, gallery_of([])) as pool:
        publish_pending(world.home, pool)
    (row,) = Publication.objects.filter(item=film, channel="website")
    assert (row.kept, row.siblings[0]["seconds"]) == ([[1000, 2000]], pytest.approx(1.0, abs=0.05))
    assert audit_log.verify(world.home) == []
    cut_film(action(world, film), FilmCut.OUT, 1000, 1400)
    row.refresh_from_db()
    assert row.state == "removed"  # it shows more than staff want now
    assert not is_open(film)
    assert not list(world.home.approved("website").glob("*/*.mp4"))


def test_cuts_add_up_and_are_taken_back_and_each_ends_the_approvals(
    world: World, film: Item
) -> None:
    name_everybody(world, film)
    review.release(action(world, film), ["website"], "I know everyone shown")
    assert is_open(film)
    cut_film(action(world, film), FilmCut.OUT, 600, 1000)
    assert not is_open(film)
    cut_film(action(world, film), FilmCut.OUT, 0, 60)
    film.refresh_from_db()
    edit = load_staff_input(film).film_edit
    assert edit is not None
    assert edit.kept == (FilmSpan(60, 600), FilmSpan(1000, 2001))
    keep_whole_film(action(world, film))
    film.refresh_from_db()
    assert film.film_edit is None


@pytest.mark.parametrize(
    ("cut", "part"),
    [
        (FilmCut.ONLY, (900, 900)),
        (FilmCut.ONLY, (1900, 1000)),
        (FilmCut.ONLY, (3000, 4000)),
        (FilmCut.ONLY, (1000, 1400)),
        (FilmCut.OUT, (0, 9000)),
        (FilmCut.OUT, (300, 1700)),
    ],
)
def test_a_cut_that_leaves_too_little_or_nothing_is_not_saved(
    world: World, film: Item, cut: FilmCut, part: tuple[int, int]
) -> None:
    with pytest.raises(InvalidInput):
        cut_film(action(world, film), cut, *part)
    film.refresh_from_db()
    assert film.film_edit is None


def test_a_photo_has_no_parts(world: World) -> None:
    photo = world.make_item(STRANGER)
    with pytest.raises(InvalidInput):
        cut_film(action(world, photo), FilmCut.ONLY, 0, 1000)


def test_the_page_says_what_would_go_out_before_it_is_saved(
    world: World, film: Item, logged_in: Callable[[User], Client]
) -> None:
    client = logged_in(world.make_user())
    page = reverse("picture", args=[film.pk])
    assert "No part is cut out" in client.get(page).content.decode()
    marked = client.get(page + "?from=0:00.8&to=2").content.decode()
    said = " ".join(marked.split())
    assert "0:00.8 to 0:02.0 (1.2 s) would be published. Cut away: faces 1, 2." in said
    assert "Cut this part out</b>: 0:00.0 to 0:00.8 (0.8 s) would be published." in said
    part = client.get(reverse("picture_cut_preview", args=[film.pk]) + "?from=0.5&to=2.0")
    assert "Not wholly cut away: face 2." in " ".join(part.content.decode().split())
    film.refresh_from_db()
    assert film.film_edit is None


def test_a_film_is_cut_with_a_form_that_needs_no_script(
    world: World, film: Item, logged_in: Callable[[User], Client]
) -> None:
    client, address = logged_in(world.make_user()), reverse("picture_cut", args=[film.pk])
    form = {"revision": film.revision, "cut": "only", "from": "0:01", "to": "2.001"}
    shown = client.post(address, form, follow=True).content.decode()
    assert "Only these parts are kept: <b>0:01.0 to 0:02.0 (1.0 s)</b>" in shown
    assert shown.count("Cut out") >= 2  # the marks of both faces
    again = client.post(address, {**form, "from": "0"}, follow=True).content.decode()
    assert "Somebody else changed this picture" in again
    film.refresh_from_db()
    form["revision"] = film.revision
    for wrong in ({"from": "now"}, {"to": ""}, {"cut": "all"}, {"cut": ""}):
        refused = client.post(address, {**form, **wrong}, follow=True).content.decode()
        assert "notice error" in refused
    client.post(address, {"revision": film.revision, "cut": "whole"})
    film.refresh_from_db()
    assert film.film_edit is None


def test_a_film_whose_stored_view_was_deleted_cannot_be_released(world: World, film: Item) -> None:
    name_everybody(world, film)
    vault_of(world.home).remove(film.pk, "film")
    with pytest.raises(CannotBeReleased, match="watch"):
        review.release(action(world, film), ["website"], "I know everyone shown")
    assert not is_open(film)


def test_a_film_that_was_examined_before_staff_could_see_it_stays_held(world: World) -> None:
    world.make_pupil(ANN)
    film = make_film_item(world, matches(ANN), STRANGER, is_viewable=False)
    name_everybody(world, film)
    with pytest.raises(CannotBeReleased):
        review.release(action(world, film), ["website"], "I know everyone shown")


def test_a_pupil_who_may_never_be_published_holds_a_film_whatever_staff_say(world: World) -> None:
    world.make_pupil(ANN, never_publish=True)
    film = make_film_item(world, matches(ANN))
    review.tag_face(action(world, film), 0, VISITOR)
    with pytest.raises(CannotBeReleased):
        review.release(action(world, film), ["website"], "I know everyone shown")


GLIMPSE = Shown(1.4, 1.4, 1.4, ((1.4, 200, 20, 40, 40),), (-2.6, 5.4))


class FindsGlimpse(CachedPool):
    """Its workers find a possible face in the finished film that only ``GLIMPSE`` explains."""

    def make_films(
        self, original: PartReader, orders: Sequence[FilmRequest]
    ) -> list[Rendition | RenditionRefused]:
        refused = RenditionRefused(Reason.POSSIBLE_FACE, "new", shown=(GLIMPSE,))
        made = super().make_films(original, orders)
        known = [GLIMPSE in order.tracks for order in orders]
        return [one if is_known else refused for one, is_known in zip(made, known, strict=True)]


def test_staff_answer_for_a_face_that_only_the_finished_film_shows(
    world: World, clock: Clock, logged_in: Callable[[User], Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    world.make_pupil(ANN)
    film = make_film_item(world, matches(ANN))
    cut_film(action(world, film), FilmCut.ONLY, 0, 1800)
    review.release(action(world, film), ["website"], "I know everyone shown")
    clock.pass_minutes(5)
    with FindsGlimpse(world.home, gallery_of([])) as pool:
        publish_pending(world.home, pool)
        publish_pending(world.home, pool)
    assert reasons(film) == ["possible_face"]
    monkeypatch.setattr("consent_gate.web.pages.picture_film.COLUMNS", 1)
    page = logged_in(world.make_user()).get(reverse("picture", args=[film.pk])).content.decode()
    assert "0:01.4 to 0:01.4" in page
    assert f'height="{TILE}"' in page  # the strip has no picture of it, and keeps its size
    review.tag_face(action(world, film), 1, Tag(TagKind.NOT_A_FACE))
    review.release(action(world, film), ["website"], "I know everyone shown")
    clock.pass_minutes(5)
    with FindsGlimpse(world.home, gallery_of([])) as pool:
        publish_pending(world.home, pool)
    (row,) = Publication.objects.filter(item=film, channel="website", state__in=OPEN)
    assert row.kept == [[0, 1800]]


def test_the_page_shows_the_strip_and_the_film_and_no_crop(
    world: World, film: Item, logged_in: Callable[[User], Client]
) -> None:
    client = logged_in(world.make_user())
    page = client.get(reverse("picture", args=[film.pk])).content.decode()
    assert reverse("picture_film", args=[film.pk]) in page
    assert reverse("picture_strip", args=[film.pk]) in page
    assert page.count('class="tile') == 2
    assert "0:00.3 to 0:00.5" in page
    for absent in ('data-draw="crop"', 'data-draw="draw"', 'id="crop"'):
        assert absent not in page
    panel = client.get(reverse("picture_face", args=[film.pk]) + "?face=2").content.decode()
    assert "#t=0.30,0.85" in panel
    assert "Cover it" in panel


def test_a_face_that_was_not_followed_from_frame_to_frame_has_no_cover(
    world: World, film: Item, logged_in: Callable[[User], Client]
) -> None:
    stored = film.evidence
    assert stored is not None
    stored["examined"]["faces"][1]["shown"]["is_followed"] = False
    film.save(update_fields=["evidence"])
    page = reverse("picture_face", args=[film.pk]) + "?face=2"
    assert "Cover it" not in logged_in(world.make_user()).get(page).content.decode()
    review.tag_face(action(world, film), 1, Tag(TagKind.BLURRED))
    with pytest.raises(CannotBeReleased):
        review.release(action(world, film), ["website"], "I know everyone shown")


def test_a_face_is_covered_in_all_frames_and_another_answer_recalls_the_film(
    world: World, film: Item, clock: Clock, logged_in: Callable[[User], Client]
) -> None:
    review.tag_face(action(world, film), 1, Tag(TagKind.BLURRED))
    page = logged_in(world.make_user()).get(reverse("picture", args=[film.pk])).content.decode()
    assert '<rect class="cover" fill="#606060" data-path="0.3,80,40,40,50;0.55,80,40,40,50"' in page
    review.release(action(world, film), ["website"], "I know everyone shown")
    clock.pass_minutes(5)
    with CachedPool(world.home, gallery_of([])) as pool:
        publish_pending(world.home, pool)
    (row,) = Publication.objects.filter(item=film, channel="website")
    assert (row.covered, row.redactions, row.state) == ([1], [], "live")
    data = (world.home.approved("website") / row.file).with_suffix(".mp4").read_bytes()
    with FilmReader(io.BytesIO(data)) as reader:
        grey = [frame.time for frame in reader.frames() if is_grey(frame.rgb[50:80, 90:110])]
    assert len(grey) == 27  # from the beginning until half a second after it was seen
    review.tag_face(action(world, film), 1, VISITOR)
    row.refresh_from_db()
    assert row.state == "removed"


def offered_cover(world: World, film: Item) -> CoverPlan | None:
    """What one key would cover on the page as it is now."""
    film.refresh_from_db()
    picture, staff = examined_picture(film), load_staff_input(film)
    judge = judge_of(world.home, film, "j.shaw")
    return plan_covers(picture, staff, judge, published_or_refused_channels(film))


def test_one_key_covers_every_track_that_is_not_cleared_and_releases_the_film(
    world: World, logged_in: Callable[[User], Client]
) -> None:
    """The preview has a cover for each of these tracks. Undoing it brings every answer back."""
    world.make_pupil(ANN)
    film = make_film_item(world, matches(ANN), STRANGER, STRANGER, Ambiguous((ANN, "000002")))
    plan = offered_cover(world, film)
    assert plan == CoverPlan((1, 2, 3), (), CHANNELS)
    page = logged_in(world.make_user()).get(reverse("picture", args=[film.pk])).content.decode()
    assert page.count("cover would-cover") == 3
    assert "while the film plays" in page
    cover_and_release(action(world, film), plan)
    (row,) = Publication.objects.filter(item=film, channel="website", state__in=OPEN)
    assert (row.covered, row.redactions) == ([1, 2, 3], [])
    assert set(film.tags.values_list("face", "kind")) == {(i, "blurred") for i in (1, 2, 3)}
    undo_answers(action(world, film), CHANNELS)
    assert not is_open(film)
    assert not film.tags.exists()


def test_a_track_that_is_cut_away_or_answered_needs_no_cover(world: World) -> None:
    world.make_pupil(ANN)
    film = make_film_item(world, matches(ANN), STRANGER, matches(ANN), STRANGER)
    cut_film(action(world, film), FilmCut.ONLY, 0, 650)
    assert offered_cover(world, film) == CoverPlan((1,), (), CHANNELS)
    review.tag_face(action(world, film), 1, VISITOR)
    assert offered_cover(world, film) is None  # an ordinary approval is enough


@pytest.mark.parametrize(
    "spoil",
    [
        {"faces": {"is_followed": False}},
        {"film": {"is_viewable": False}},
        {"name": True},
        {"never_publish": True},
    ],
    ids=["not followed", "cannot be watched", "a name can be read", "never to be published"],
)
def test_a_film_that_covers_do_not_clear_is_not_offered_them(
    world: World, film: Item, spoil: dict[str, object]
) -> None:
    evidence = from_json(film.evidence)
    assert isinstance(evidence, Examined)
    assert offered_cover(world, film) is not None
    if "name" in spoil:
        name = VisibleName(Box(10, 10, 40, 10), ANN, NamePart.FULL)
        evidence = replace(evidence, names=(name,), text_check=TextCheck.COMPARED)
    if "film" in spoil and evidence.film is not None:
        evidence = replace(evidence, film=replace(evidence.film, is_viewable=False))
    if "faces" in spoil:
        shown = evidence.faces[1].shown
        assert shown is not None
        lost = replace(evidence.faces[1], shown=replace(shown, is_followed=False))
        evidence = replace(evidence, faces=(evidence.faces[0], lost))
    if "never_publish" in spoil:
        world.make_pupil("000009", never_publish=True)
        lost = replace(evidence.faces[1], identity=matches("000009"))
        evidence = replace(evidence, faces=(evidence.faces[0], lost))
    film.evidence = to_json(evidence)
    film.save(update_fields=["evidence"])
    assert offered_cover(world, film) is None
    with pytest.raises(CannotBeReleased):
        cover_and_release(action(world, film), CoverPlan((1,), (), CHANNELS))
    assert not is_open(film)


def is_grey(rgb: RGB) -> bool:
    return bool(np.abs(rgb.astype(np.int16) - 96).max() < 20)


def test_the_film_is_sent_in_ranges_to_reviewers_alone_and_never_cached(
    world: World, film: Item, logged_in: Callable[[User], Client]
) -> None:
    address = reverse("picture_film", args=[film.pk])
    assert Client(SERVER_NAME="localhost").get(address).status_code == 302
    client = logged_in(world.make_user())
    whole = client.get(address)
    data = b"".join(whole)
    assert len(data) == int(whole.headers["Content-Length"])
    assert whole.headers["Content-Type"] == "video/mp4"
    assert whole.headers["Cache-Control"] == "no-store"
    assert "media-src 'self'" in whole.headers["Content-Security-Policy"]
    part = client.get(address, headers={"Range": "bytes=100-199"})
    assert (part.status_code, part.content) == (206, data[100:200])
    assert client.get(address, headers={"Range": "bytes=99999999-"}).status_code == 416
    assert client.get(reverse("picture_strip", args=[film.pk])).content[:2] == b"\xff\xd8"
    photo = world.make_item(STRANGER)
    assert client.get(reverse("picture_film", args=[photo.pk])).status_code == 404


def test_what_staff_see_of_a_film_goes_when_it_is_sealed(world: World, film: Item) -> None:
    vault = vault_of(world.home)
    assert vault.exists(film.pk, "film")
    review.seal(action(world, film))
    assert not vault.exists(film.pk, "film")


def test_what_staff_see_of_a_film_goes_with_its_preview(
    world: World, film: Item, clock: Clock
) -> None:
    review.refuse(action(world, film), world.home.settings.channels)
    clock.pass_days(800)
    retention_round(world.home)
    vault = vault_of(world.home)
    assert not vault.exists(film.pk, "preview")
    assert not vault.exists(film.pk, "film")


def test_films_without_faces_are_not_released_in_a_batch_that_nobody_watched(
    world: World, logged_in: Callable[[User], Client]
) -> None:
    film = make_film_item(world)
    assert reasons(film) == ["no_faces_found"]
    form = {"item": [film.pk], "answer": "release", "basis": "Nobody is in it"}
    client = logged_in(world.make_user())
    page = client.post(reverse("queue_batch"), form, follow=True).content.decode()
    assert "open them one by one" in page
    assert not is_open(film)
    review.release(action(world, film), ["website"], "I watched it")
    assert is_open(film)


def test_a_view_that_is_no_plain_film_of_all_judged_frames_is_not_stored(
    world: World, film: Item
) -> None:
    """A film that took the worker over could show staff something else."""
    evidence = from_json(film.evidence)
    assert isinstance(evidence, Examined)
    vault = vault_of(world.home)
    strip, whole = unpacked(read_part(world.home, film, "film"))
    shorter = ViewEncoder()
    with FilmReader(io.BytesIO(whole)) as reader:
        for frame in list(reader.frames())[:-1]:
            shorter.add(frame)
    for shown in (make_film(drawn_frames(50), sound=True), shorter.finish() or b"", b"", None):
        vault.remove(film.pk, "film")
        view = None if shown is None else packed(strip, shown)
        stored = _with_stored_view(world.home, film, evidence, view)
        assert isinstance(stored, Examined)
        assert stored.film is not None
        assert not stored.film.is_viewable
        assert not vault.exists(film.pk, "film")
    again = _with_stored_view(world.home, film, evidence, packed(strip, whole))
    assert again == evidence
    assert vault.exists(film.pk, "film")


def test_no_face_of_a_film_becomes_an_enrolment_photo(
    world: World, film: Item, logged_in: Callable[[User], Client]
) -> None:
    review.tag_face(action(world, film), 1, Tag(TagKind.PUPIL, ANN))
    client = logged_in(world.make_user())
    page = client.get(reverse("picture", args=[film.pk]) + "?face=2").content.decode()
    assert "cannot become an enrolment photo" in page
    assert "Remember this face" not in page
