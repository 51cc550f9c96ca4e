"""Pictures and names that stay published although they should be gone.

Nobody withdrew anything by hand here: a name joins the register later, the consent of a lookalike
ends by its date, or a command is given in another spelling than the gate's own.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from datetime import timedelta

import pytest

from consent_gate.db.models import AuditEntry, ConsentAnswer, Item, Lookalike, PupilEntry
from consent_gate.errors import ItemNotFound
from consent_gate.home.home import Home
from ingest.pipeline import recall_lapsed
from publish.recall.by_hand import RecallSelection, recall_selection
from publish.recall.withdraw import sync_folders
from publish.release import publish_pending
from tests.conftest import Clock
from tests.support.factories import World
from tests.support.fake_renderer import (
    FakeRenderer,
    make_photo,
    make_world_with_ann,
    published_counts,
    read_manifest,
)
from tests.support.imports import run_here
from tests.support.settings_override import with_section

ANN, BEN, ZOE = "000001", "000002", "000003"


@pytest.fixture
def world(home: Home) -> World:
    return make_world_with_ann(home)


def make_captioned_photo(home: Home, title: str, alt: str = "") -> Item:
    """A published picture of Ann with these texts."""
    item = make_photo(home, ANN, title=title)
    Item.objects.filter(pk=item.pk).update(alt=alt)
    item.publications.update(alt=alt)
    publish_pending(home, FakeRenderer())
    assert published_counts(home)["website"] == 1
    return item


@pytest.mark.parametrize("follow", [sync_folders, lambda home: publish_pending(home, None)])
@pytest.mark.parametrize(
    ("title", "alt"),
    [
        ("Well done Zoe Quill", ""),
        ("", "Zoe Quill with the cup"),
        ("Zoe wins", "Two runners, Quill in front"),
    ],
)
def test_the_name_of_a_pupil_who_joins_later_leaves_the_captions(
    world: World, title: str, alt: str, follow: Callable[[Home], object]
) -> None:
    item = make_captioned_photo(world.home, title, alt)
    world.make_pupil(ZOE, "Zoe", "Quill", enrolled=False)
    follow(world.home)
    for channel in world.home.settings.channels:
        [entry] = read_manifest(world.home, channel)["items"]
        assert (entry["title"], entry["alt"]) == ("", "")
    item.refresh_from_db()
    assert (item.title, item.alt) == ("", ""), "it would come back with the next release"
    assert AuditEntry.objects.filter(action="item.text_removed").count() == 1


@pytest.mark.dialect
def test_the_new_name_of_a_pupil_leaves_the_captions(world: World) -> None:
    make_captioned_photo(world.home, "Well done Zoe Quill")
    PupilEntry.objects.filter(admission_number=ANN).update(forename="Zoe", surname="Quill")
    sync_folders(world.home)
    assert [entry["title"] for entry in read_manifest(world.home)["items"]] == [""]


def test_forenames_leave_the_captions_when_the_school_refuses_them(world: World) -> None:
    make_captioned_photo(world.home, "Ann wins")
    stricter = with_section(world.home, "publishing", first_names="refuse")
    publish_pending(stricter, None)
    assert [entry["title"] for entry in read_manifest(world.home)["items"]] == [""]


def test_other_captions_stay_as_they_are(world: World) -> None:
    make_captioned_photo(world.home, "The cup", "Runners on the field")
    world.make_pupil(ZOE, "Zoe", "Quill", enrolled=False)
    sync_folders(world.home)
    [entry] = read_manifest(world.home)["items"]
    assert (entry["title"], entry["alt"]) == ("The cup", "Runners on the field")
    assert not AuditEntry.objects.filter(action="item.text_removed").exists()


def test_a_picture_goes_when_the_consent_of_a_lookalike_expires(world: World, clock: Clock) -> None:
    """The face that counts as Ann's may be Ben's."""
    world.make_pupil(BEN, "Ben")
    first, second = (PupilEntry.objects.get(admission_number=number) for number in (ANN, BEN))
    Lookalike.objects.create(first=first, second=second)
    last_day = world.home.now().date() + timedelta(days=3)
    ConsentAnswer.objects.filter(pupil=second, purpose="website").update(expires_on=last_day)
    make_photo(world.home, ANN)
    publish_pending(world.home, FakeRenderer())
    recall_lapsed(world.home)
    assert published_counts(world.home)["website"] == 1
    clock.pass_days(4)
    recall_lapsed(world.home)
    assert published_counts(world.home) == {"website": 0, "mag": 1, "displays": 1}


def test_a_recalled_event_takes_the_folders_below_it_along(world: World) -> None:
    for event in ("sports-day", "sports-day/morning", "sports-day/morning/race", "sports-day-2"):
        make_photo(world.home, ANN, event=event)
    publish_pending(world.home, FakeRenderer())
    recall_selection(world.home, RecallSelection(events=["sports-day"]), "office")
    assert published_counts(world.home)["website"] == 1


FETE = "F\u00eate 50%_off"


@pytest.mark.parametrize(
    "arguments",
    [
        ("--pupil", "1"),
        ("--event", FETE),
        ("--event", f"{FETE}/"),
        ("--event", unicodedata.normalize("NFD", FETE)),
    ],
)
def test_a_recall_in_another_spelling_takes_the_pictures_back(
    world: World, arguments: tuple[str, str]
) -> None:
    for event in (f"{FETE}/morning", f"{unicodedata.normalize('NFD', FETE)}/noon"):
        make_photo(world.home, ANN, event=event)
    publish_pending(world.home, FakeRenderer())
    code, _ = run_here(world.home, "recall", *arguments, "--confirm")
    assert (code, published_counts(world.home)["website"]) == (0, 0)


@pytest.mark.parametrize(
    "arguments",
    [("--pupil", "7"), ("--event", "fete"), ("--item", "a" * 26), ("--channel", "web")],
)
def test_a_recall_of_what_does_not_exist_is_an_error(
    world: World, arguments: tuple[str, str]
) -> None:
    make_photo(world.home, ANN, event=FETE)
    code, _ = run_here(world.home, "recall", *arguments, "--confirm")
    assert code == ItemNotFound.exit_code
