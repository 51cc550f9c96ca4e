"""The album of an event: a public title that staff chose, and that never names a pupil."""

from __future__ import annotations

import json
from collections.abc import Callable

import jsonschema
import pytest
from django.conf import settings
from django.test import Client
from typer.testing import CliRunner

from consent_gate.cli.app import app
from consent_gate.db.models import Album, AuditEntry, Item, Publication
from consent_gate.errors import ItemNotFound
from consent_gate.home.home import Home
from consent_gate.review.descriptions import describe_event
from consent_gate.review.service import at_current_revision, describe
from consent_gate.review.validation import InvalidInput
from publish import albums
from publish.albums import AlbumRefused, remove_albums_with_names, set_album
from publish.channel.manifest import build_current, manifest_path
from publish.pull.manifest import parse
from publish.recall.withdraw import sync_folders
from publish.release import publish_pending
from tests.conftest import ROOT, HomeAfter
from tests.support.factories import World
from tests.support.fake_renderer import (
    FakeRenderer,
    make_photo,
    make_world_with_ann,
    read_manifest,
)
from tests.support.web_fixtures import logged_in

__all__ = ["logged_in"]

SCHEMA = json.loads((ROOT / "docs" / "manifest.schema.json").read_text())


def make_events_out(home: Home) -> None:
    make_world_with_ann(home)
    make_photo(home, "000001", event="sports-day")
    make_photo(home, "000001", event="sports-day/morning")
    make_photo(home, "000001", event="ann-archer")
    publish_pending(home, FakeRenderer())


@pytest.fixture
def out(home_after: HomeAfter) -> Home:
    """Pictures of two events are out: sports-day, and sports-day/morning."""
    home = home_after(make_events_out)
    settings.CONSENT_GATE_HOME = home
    return home


def listed_albums(home: Home) -> dict[str, str]:
    """The album of each event's picture, as the manifest in the folder has it."""
    items = {entry["id"]: entry.get("album", "") for entry in read_manifest(home)["items"]}
    rows = Publication.objects.filter(pk__in=items).select_related("item")
    return {row.item.event: items[row.pk] for row in rows}


def test_without_a_chosen_title_the_list_has_no_album_and_no_folder_name(out: Home) -> None:
    manifest = read_manifest(out)
    assert len(manifest["items"]) == 3
    assert all("album" not in entry for entry in manifest["items"])
    assert "archer" not in json.dumps(manifest)
    assert "sports" not in json.dumps(manifest)


@pytest.mark.dialect
def test_the_title_reaches_the_list_at_once_with_a_new_sequence_number(out: Home) -> None:
    before = read_manifest(out)["sequence"]
    assert set_album(out, "sports-day", "  Sports\nday \x00 2026 ", "t.smith") == "Sports day 2026"
    manifest = read_manifest(out)
    jsonschema.validate(manifest, SCHEMA)
    parse(json.dumps(manifest).encode(), "website")
    assert manifest["sequence"] > before
    assert listed_albums(out) == {
        "sports-day": "Sports day 2026",
        "sports-day/morning": "Sports day 2026",
        "ann-archer": "",
    }
    entry = AuditEntry.objects.filter(action="event.album_set").get()
    assert (entry.actor, entry.detail) == ("t.smith", {})


def test_the_nearest_folder_with_a_title_counts(out: Home) -> None:
    set_album(out, "sports-day", "Sports day", "t.smith")
    set_album(out, "sports-day/morning", "The morning", "t.smith")
    assert listed_albums(out)["sports-day/morning"] == "The morning"
    set_album(out, "sports-day/morning", "", "t.smith")
    assert listed_albums(out)["sports-day/morning"] == "Sports day"
    set_album(out, "sports-day", "", "t.smith")
    assert set(listed_albums(out).values()) == {""}


@pytest.mark.parametrize(
    "title",
    [
        "Ann Archer wins",
        "archer, ANN",
        "A n n  A r c h e r",
        "AnnArcher",
        "Ann\u200b Archer",
        "Ánn\u2019s Archer",
    ],
)
def test_a_title_with_a_pupils_name_is_refused(out: Home, title: str) -> None:
    with pytest.raises(AlbumRefused, match="leave out"):
        set_album(out, "sports-day", title, "t.smith")
    assert not Album.objects.exists()
    assert set(listed_albums(out).values()) == {""}


def test_a_name_split_over_album_and_title_is_refused(out: Home) -> None:
    item = Item.objects.get(event="sports-day")
    action = at_current_revision(out, "j.shaw", item.pk)
    describe(action, "Ann runs", "")
    with pytest.raises(AlbumRefused, match="full name"):
        set_album(out, "sports-day", "The Archer cup", "t.smith")
    set_album(out, "sports-day/morning", "The Archer cup", "t.smith")
    other = Item.objects.get(event="sports-day/morning")
    action = at_current_revision(out, "j.shaw", other.pk)
    for title, alt in (("Ann runs", ""), ("A race", "Ann runs")):
        with pytest.raises(InvalidInput, match="full name"):
            describe(action, title, alt)
    with pytest.raises(InvalidInput, match="full name"):
        describe_event(out, "sports-day/morning", "Ann runs", "j.shaw")
    describe(action, "A race", "Year 5")


def test_a_name_split_over_title_and_description_is_refused(out: Home) -> None:
    item = Item.objects.get(event="sports-day")
    action = at_current_revision(out, "j.shaw", item.pk)
    with pytest.raises(InvalidInput, match="full name"):
        describe(action, "Ann at sports day", "The winner of the day is called Archer")


def test_a_written_picture_with_a_name_split_over_its_texts_is_held(home: Home) -> None:
    """As after a pupil of that name joined."""
    make_world_with_ann(home)
    item = make_photo(home, "000001", title="Ann at sports day")
    Publication.objects.filter(item=item).update(alt="The winner of the day is called Archer")
    publish_pending(home, FakeRenderer())
    assert read_manifest(home)["items"] == []


def test_the_list_leaves_out_an_album_that_completes_a_name(out: Home) -> None:
    """As when a pupil of that name joins after the texts were chosen."""
    set_album(out, "sports-day", "The Garden cup", "t.smith")
    item = Item.objects.get(event="sports-day")
    describe(at_current_revision(out, "j.shaw", item.pk), "Rose runs", "")
    World(out).make_pupil("000009", forename="Rose", surname="Garden")
    entries = build_current(out, "website")["items"]
    assert {(entry["title"], entry.get("album")) for entry in entries} == {
        ("Rose runs", None),
        ("", "The Garden cup"),
        ("", None),
    }
    publish_pending(out, None)
    assert "Garden" not in manifest_path(out, "website").read_text()
    assert not Album.objects.exists()


def test_a_first_name_alone_is_refused_where_the_school_says_so(out: Home) -> None:
    set_album(out, "sports-day", "Ann wins", "t.smith")
    strict = out.settings.publishing.model_copy(update={"first_names": "refuse"})
    out.settings.__dict__["publishing"] = strict
    with pytest.raises(AlbumRefused):
        set_album(out, "sports-day", "Ann wins", "t.smith")
    assert all("album" not in entry for entry in build_current(out, "website")["items"])


def test_the_feed_leaves_out_a_title_as_soon_as_a_pupil_of_that_name_joins(out: Home) -> None:
    set_album(out, "sports-day", "Rose Garden", "t.smith")
    assert listed_albums(out)["sports-day"] == "Rose Garden"
    World(out).make_pupil("000009", forename="Rose", surname="Garden")
    assert "Garden" not in json.dumps(build_current(out, "website"))


@pytest.mark.parametrize("follow", [sync_folders, lambda home: publish_pending(home, None)])
def test_the_folder_follows_when_a_pupil_of_that_name_joins(
    out: Home, follow: Callable[[Home], object]
) -> None:
    set_album(out, "sports-day", "Rose Garden", "t.smith")
    set_album(out, "ann-archer", "Summer", "t.smith")
    World(out).make_pupil("000009", forename="Rose", surname="Garden")
    follow(out)
    assert "Garden" not in manifest_path(out, "website").read_text()
    assert listed_albums(out)["ann-archer"] == "Summer"
    assert AuditEntry.objects.filter(action="event.album_removed").count() == 1


def test_a_row_that_was_written_without_the_check_is_not_listed(out: Home) -> None:
    """As after a restore, or by another program."""
    Album.objects.create(event="sports-day", title="Ann Archer", actor="x", created_at=out.now())
    make_photo(out, "000001", event="sports-day")
    publish_pending(out, FakeRenderer())
    assert "Archer" not in manifest_path(out, "website").read_text()
    assert not Album.objects.exists()


def test_only_lists_with_pictures_of_the_event_are_written_again(out: Home) -> None:
    set_album(out, "sports-day", "Sports day", "t.smith")
    before = read_manifest(out)
    make_photo(out, event="empty")
    set_album(out, "empty", "Nobody", "t.smith")
    assert read_manifest(out) == before


def test_a_folder_without_pictures_has_no_album(out: Home) -> None:
    for event in ("", "sports", "no-such"):
        with pytest.raises(ItemNotFound):
            set_album(out, event, "Sports day", "t.smith")


def test_a_list_that_cannot_be_written_follows_in_the_next_round(
    out: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:

        def full(*_: object) -> None:
            raise OSError(28, "No space left on device")

        patched.setattr(albums, "write_manifest", full)
        set_album(out, "sports-day", "Sports day", "t.smith")
    assert listed_albums(out)["sports-day"] == ""
    publish_pending(out, FakeRenderer())
    assert listed_albums(out)["sports-day"] == "Sports day"


def test_the_command_sets_lists_and_removes(out: Home) -> None:
    def run(*arguments: str) -> str:
        result = CliRunner().invoke(app, ["--home", str(out.root), "event-album", *arguments])
        assert result.exit_code == 0, result.output
        return result.stdout

    assert "Sports day" in run("sports-day/", "Sports day", "--by", "j.shaw")
    assert json.loads(run("--json")) == {"albums": [{"event": "sports-day", "album": "Sports day"}]}
    assert json.loads(run("sports-day", "--json")) == {"event": "sports-day", "album": ""}
    refused = CliRunner().invoke(
        app, ["--home", str(out.root), "event-album", "sports-day", "Ann Archer"]
    )
    assert refused.exit_code != 0
    assert isinstance(refused.exception, AlbumRefused) or "names of pupils" in refused.output


@pytest.mark.dialect
def test_staff_set_the_album_and_the_descriptions_on_the_page(
    out: Home, logged_in: Callable[..., Client]
) -> None:
    client = logged_in(World(out).make_user())
    page = client.get("/published/?show=albums").content.decode()
    assert 'value="Photo from Sports day"' in page
    assert "Photo from Ann" not in page
    client.post("/published/album/", {"event": "sports-day", "title": "Sports day 2026"})
    assert listed_albums(out)["sports-day"] == "Sports day 2026"
    assert (
        'value="Photo from Sports day 2026"'
        in client.get("/published/?show=albums").content.decode()
    )
    refused = client.post(
        "/published/album/", {"event": "sports-day", "title": "Ann Archer"}, follow=True
    )
    assert "full names of pupils" in refused.content.decode()
    told = client.post(
        "/published/describe/", {"event": "sports-day", "alt": "A race"}, follow=True
    )
    assert "1 picture has it now." in told.content.decode()
    publish_pending(out, FakeRenderer())
    assert [entry["alt"] for entry in read_manifest(out)["items"]].count("A race") == 1
    client.post("/published/describe/", {"event": "sports-day", "alt": "Another"})
    assert Item.objects.get(event="sports-day").alt == "A race"
    for alt in ("", "Ann Archer runs"):
        client.post("/published/describe/", {"event": "ann-archer", "alt": alt})
    assert Item.objects.get(event="ann-archer").alt == ""


def test_the_manifest_is_replaced_as_a_whole(out: Home) -> None:
    """A reader that has the old file open reads the old list to its end."""
    with manifest_path(out, "website").open("rb") as reader:
        begin = reader.read(10)
        set_album(out, "sports-day", "Sports day", "t.smith")
        assert "album" not in json.dumps(json.loads(begin + reader.read()))
    remove_albums_with_names(out)
    assert listed_albums(out)["sports-day"] == "Sports day"
