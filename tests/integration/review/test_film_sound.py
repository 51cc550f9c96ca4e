"""A film is published with its sound once somebody has listened to it, and without before that."""

from __future__ import annotations

import io
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace

import numpy as np
import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse

from consent_gate.db import audit_log
from consent_gate.db.evidence_json import from_json, to_json
from consent_gate.db.models import Item, ItemState, Publication, User
from consent_gate.decisions.rules.rules_change import apply_rule_changes
from consent_gate.decisions.rules.rules_in_force import rules_in_force
from consent_gate.decisions.staff_input import load_staff_input
from consent_gate.matching.gallery import gallery_of
from consent_gate.model import Box, Examined, FilmSound, FilmSpan, Sound
from consent_gate.policy import published_sound
from consent_gate.publication import OPEN
from consent_gate.register.gallery_version import gallery_version
from consent_gate.review import service as review
from consent_gate.review.film_cuts import FilmCut, cut_film
from consent_gate.review.film_sound import mark_heard, mute, publish_without_sound, start_again
from consent_gate.review.validation import CannotBeReleased, InvalidInput
from consent_gate.vault.originals import read_part, save_film_view, vault_of
from ingest.examinations import record_examination
from ingest.film.sound import SoundReader
from ingest.scheduling.reexamine import requeue_batch
from ingest.workers.examination import Examination
from publish.release import publish_pending
from publish.verification.mp4 import plain_structure
from tests.conftest import Clock
from tests.support.cached_analysis import CachedPool
from tests.support.factories import STRANGER, World, matches
from tests.support.film_items import make_film_item
from tests.support.settings_override import with_channel
from tests.support.web_fixtures import logged_in, world

__all__ = ["logged_in", "world"]

ANN = "000001"
SPEECH = (FilmSpan(200, 700), FilmSpan(1300, 1800))


def publish_sound(world: World) -> None:
    world.home = with_channel(world.home, "website", film_sound=FilmSound.REVIEWED)
    settings.CONSENT_GATE_HOME = world.home


@pytest.fixture
def film(world: World) -> Item:
    """Ann is recognised in a film in which somebody speaks twice. The website publishes sound."""
    publish_sound(world)
    world.make_pupil(ANN)
    return make_film_item(world, matches(ANN), sound=Sound("", SPEECH))


def action(world: World, item: Item) -> review.ReviewAction:
    item.refresh_from_db()
    return review.ReviewAction(world.home, "j.shaw", item.pk, item.revision)


def reasons(item: Item) -> list[str]:
    return list(item.decisions.get(channel="website").reasons)


def published(world: World, clock: Clock) -> Publication:
    clock.pass_minutes(5)
    with CachedPool(world.home, gallery_of([])) as pool:
        publish_pending(world.home, pool)
    (row,) = Publication.objects.filter(channel="website", state__in=OPEN)
    return row


def sound_of(world: World, row: Publication) -> list[float] | None:
    """The largest sample of each fifth of a second; None for a silent film."""
    data = (world.home.approved("website") / row.file).with_suffix(".mp4").read_bytes()
    structure = plain_structure(data)
    assert structure is not None
    if not structure.channels:
        return None
    with closing(SoundReader(io.BytesIO(data), 0.0)) as reader:
        samples = reader.read_until(10)
    return [float(np.abs(samples[:, i : i + 9600]).max()) for i in range(0, 96_000, 9600)]


def test_a_film_is_published_with_sound_once_each_part_is_heard_or_muted(
    world: World, film: Item, clock: Clock
) -> None:
    assert reasons(film) == ["not_listened"]
    with pytest.raises(CannotBeReleased):
        review.release(action(world, film), ["website"], "I know everyone shown")
    mark_heard(action(world, film), 200, 700)
    assert reasons(film) == ["not_listened"]
    mute(action(world, film), 1300, 1800)
    row = published(world, clock)
    assert row.sound is not None
    assert row.sound["muted"] == [[1300, 1800]]
    loud = sound_of(world, row)
    assert loud is not None
    assert min(loud[:6]) > 0.2
    assert max(loud[7:9]) < 1e-4
    assert audit_log.verify(world.home) == []
    mute(action(world, film), 200, 700)
    row.refresh_from_db()
    assert row.state == "removed"  # its sound says more than staff want now
    again = published(world, clock)
    assert again.sound is not None
    assert again.sound["muted"] == [[200, 700], [1300, 1800]]


def test_a_film_is_published_without_sound_at_once(world: World, film: Item, clock: Clock) -> None:
    publish_without_sound(action(world, film))
    row = published(world, clock)
    assert row.sound is None
    assert sound_of(world, row) is None
    mark_heard(action(world, film), 0, 2000)
    row.refresh_from_db()
    assert row.state == "removed"  # now with sound
    assert sound_of(world, published(world, clock)) is not None
    start_again(action(world, film))
    assert reasons(film) == ["not_listened"]
    open_rows = Publication.objects.filter(item=film, state__in=OPEN)
    assert not open_rows.filter(channel="website").exists()


def test_other_channels_get_the_film_without_sound(world: World, film: Item) -> None:
    rows = Publication.objects.filter(item=film, state__in=OPEN)
    mark_heard(action(world, film), 0, 2000)
    assert {row.channel: row.sound is not None for row in rows.all()} == {
        "website": True,
        "mag": False,
        "displays": False,
    }


def test_an_approval_ends_when_the_sound_changes(world: World) -> None:
    publish_sound(world)
    world.make_pupil(ANN)
    film = make_film_item(world, matches(ANN), STRANGER, sound=Sound("", SPEECH))
    cut_film(action(world, film), FilmCut.OUT, 0, 1000)
    mark_heard(action(world, film), 1300, 1800)
    review.release(action(world, film), ["website"], "I know everyone shown")
    assert film.approvals.filter(refused=False).exists()
    mute(action(world, film), 1300, 1400)
    assert not film.approvals.filter(refused=False).exists()
    assert not Publication.objects.filter(item=film, state__in=OPEN).exists()


def test_what_is_muted_stays_muted_when_the_film_is_examined_again(
    world: World, film: Item
) -> None:
    """Other faces are found, and the sound is decoded to other samples, in which nobody speaks."""
    mute(action(world, film), 800, 1200)
    evidence = from_json(film.evidence)
    assert isinstance(evidence, Examined)
    assert evidence.film is not None
    face = replace(evidence.faces[0], box=Box(3, 3, 40, 40))
    again = replace(evidence, faces=(face,), film=replace(evidence.film, sound=Sound("7" * 64, ())))
    Item.objects.filter(pk=film.pk).update(state=ItemState.RECEIVED)
    examined = Examination(again, None)
    record_examination(world.home, film.pk, examined, gallery_version(world.home))
    film.refresh_from_db()
    staff, rules = load_staff_input(film), rules_in_force(world.home)
    (website,) = [channel for channel in rules.channels if channel.name == "website"]
    kept = published_sound(again, staff, website)
    assert kept is None or kept.muted == (FilmSpan(800, 1200),)
    viewable = replace(
        again, film=replace(evidence.film, is_viewable=True, sound=Sound("7" * 64, ()))
    )
    Item.objects.filter(pk=film.pk).update(evidence=to_json(viewable))
    mark_heard(action(world, film), 0, 100)
    said = load_staff_input(film).sound_review
    assert said is not None
    assert said.muted == (FilmSpan(800, 1200),)


@pytest.mark.parametrize("part", [(700, 200), (0, 0), (0, 9000), (-5, 100)])
def test_a_part_beside_the_film_is_not_saved(
    world: World, film: Item, part: tuple[int, int]
) -> None:
    with pytest.raises(InvalidInput):
        mark_heard(action(world, film), *part)


def test_sound_that_nobody_can_hear_cannot_be_heard_or_muted(world: World, film: Item) -> None:
    vault_of(world.home).remove(film.pk, "film")
    with pytest.raises(InvalidInput, match="no longer stored"):
        mark_heard(action(world, film), 0, 2000)
    evidence = from_json(film.evidence)
    assert isinstance(evidence, Examined)
    assert evidence.film is not None
    unusable = replace(evidence, film=replace(evidence.film, sound=Sound("", None)))
    Item.objects.filter(pk=film.pk).update(evidence=to_json(unusable))
    with pytest.raises(InvalidInput, match="without sound"):
        mute(action(world, film), 0, 500)
    publish_without_sound(action(world, film))
    assert Publication.objects.get(channel="website", item=film).sound is None
    photo = world.make_item(STRANGER)
    with pytest.raises(InvalidInput):
        publish_without_sound(action(world, photo))


def test_the_page_lists_the_parts_and_answers_without_a_script(
    world: World, film: Item, logged_in: Callable[[User], Client]
) -> None:
    client, page = logged_in(world.make_user()), reverse("picture", args=[film.pk])
    shown = client.get(page).content.decode()
    assert shown.count("not heard yet") == 2
    assert shown.count('data-key="l"') == shown.count('data-key="a"') == 1
    assert 'without sound"' not in shown
    address = reverse("picture_sound", args=[film.pk])
    form = {"revision": film.revision, "said": "heard", "from": "0.200", "to": "0.700"}
    assert "has not loaded the sound" in client.post(address, form, follow=True).content.decode()
    client.get(reverse("picture_film", args=[film.pk])).getvalue()
    shown = client.post(address, form, follow=True).content.decode()
    assert "0:00.2 to 0:00.7: heard" in shown
    assert "Somebody else changed" in client.post(address, form, follow=True).content.decode()
    film.refresh_from_db()
    for wrong in ({"from": "now"}, {"said": ""}, {"to": "0.1"}):
        sent = {**form, "revision": film.revision, **wrong}
        assert "notice error" in client.post(address, sent, follow=True).content.decode()
    sent = {"revision": film.revision, "said": "off"}
    assert "published without sound" in client.post(address, sent, follow=True).content.decode()
    assert Client(SERVER_NAME="localhost").post(address, sent).status_code == 302


def without_examined_sound(item: Item) -> None:
    """As if the film had been examined while no channel published sound."""
    evidence = from_json(item.evidence)
    assert isinstance(evidence, Examined)
    assert evidence.film is not None
    silent = replace(evidence, film=replace(evidence.film, sound=None))
    Item.objects.filter(pk=item.pk).update(evidence=to_json(silent))


@pytest.mark.dialect
def test_the_sound_of_held_films_is_examined_once_a_channel_publishes_sound(
    world: World, logged_in: Callable[[User], Client]
) -> None:
    world.make_pupil(ANN)
    held = make_film_item(world, STRANGER, sound=Sound("", SPEECH))
    silent, photo = make_film_item(world, STRANGER), world.make_item(STRANGER)
    without_examined_sound(held)
    apply_rule_changes(world.home)
    assert not Item.objects.filter(needs_reexamination=True).exists()
    publish_sound(world)
    apply_rule_changes(world.home)
    assert list(Item.objects.filter(needs_reexamination=True)) == [held]
    assert "not_listened" in reasons(held)
    page = logged_in(world.make_user()).get(reverse("picture", args=[held.pk])).content.decode()
    assert "The gate examines it by itself" in page
    assert requeue_batch(world.home) == 1
    for item in (held, silent, photo):
        item.refresh_from_db()
        assert (item.state == ItemState.RECEIVED) == (item == held)


def test_a_film_that_is_out_stays_out_without_sound(world: World, clock: Clock) -> None:
    world.make_pupil(ANN)
    film = make_film_item(world, matches(ANN), sound=Sound("", SPEECH))
    without_examined_sound(film)
    row = published(world, clock)
    Publication.objects.exclude(pk=row.pk).update(state="live", released_at=world.home.now())
    publish_sound(world)
    assert apply_rule_changes(world.home) == 0
    row.refresh_from_db()
    assert row.state in OPEN
    assert row.sound is None
    film.refresh_from_db()
    assert not film.needs_reexamination


def test_a_film_without_its_original_is_not_examined_again(world: World) -> None:
    world.make_pupil(ANN)
    film = make_film_item(world, STRANGER, sound=Sound("", SPEECH))
    without_examined_sound(film)
    Item.objects.filter(pk=film.pk).update(wrapped_key=None)
    publish_sound(world)
    apply_rule_changes(world.home)
    film.refresh_from_db()
    assert not film.needs_reexamination


def test_nobody_says_heard_of_a_part_whose_sound_was_not_sent_to_them(
    world: World, film: Item, logged_in: Callable[[User], Client]
) -> None:
    ours, theirs = (logged_in(world.make_user(name)) for name in ("a.first", "b.second"))
    address = reverse("picture_sound", args=[film.pk])
    stream = reverse("picture_film", args=[film.pk])
    size = int(ours.head(stream)["Content-Length"])

    def is_heard(client: Client, begin: str, end: str) -> bool:
        film.refresh_from_db()
        form = {"revision": film.revision, "said": "heard", "from": begin, "to": end}
        client.post(address, form)
        film.refresh_from_db()
        span = [round(1000 * float(begin)), round(1000 * float(end))]
        return span in (film.sound_review or {}).get("heard", [])

    theirs.get(stream).getvalue()  # somebody else has played it
    ours.get(stream, headers={"range": f"bytes=0-{size // 4}"})
    assert not is_heard(ours, "0.2", "0.7")
    assert not is_heard(ours, "1.3", "1.8")
    half = size // 2
    ours.get(stream, headers={"range": f"bytes=0-{half}"})
    assert not is_heard(ours, "1.3", "1.8")
    ours.get(stream, headers={"range": f"bytes={half}-{size - 1}"})
    assert is_heard(ours, "1.3", "1.8")
    assert not is_heard(ours, "2.5", "2.9")  # behind the end of the sound nobody hears anything
    save_film_view(world.home, film, read_part(world.home, film, "film"))
    assert not is_heard(ours, "0.2", "0.7")  # another file of the same size
    theirs.get(stream).getvalue()
    vault_of(world.home).remove(film.pk, "film")
    assert not is_heard(theirs, "0.2", "0.7")


def test_a_school_that_publishes_no_sound_sees_nothing_of_it(
    world: World, logged_in: Callable[[User], Client]
) -> None:
    film = make_film_item(world, STRANGER, sound=Sound("", None))
    shown = logged_in(world.make_user()).get(reverse("picture", args=[film.pk])).content.decode()
    assert "film-sound" not in shown
    assert "The film has no sound here" in shown
