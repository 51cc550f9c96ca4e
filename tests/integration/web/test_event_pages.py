"""The pages of events: photos in pieces, what is out and held, and the recall of an event."""

from __future__ import annotations

import json
from collections.abc import Callable
from urllib.parse import urlencode

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from consent_gate.db.models import EventClasses, Item, ItemState, Publication, Role, User
from consent_gate.home.home import Home
from consent_gate.publication import OPEN
from consent_gate.vault.originals import read_part, vault_of
from ingest.inbox import browser_uploads
from ingest.inbox.browser_uploads import (
    UNFINISHED,
    OfferedFile,
    UploadRefused,
    UploadState,
    append,
    begin,
    remove_expired,
)
from ingest.inbox.scanner import scan_inbox
from publish.channel.albums import album_of, all_titles
from tests.conftest import Clock
from tests.support.factories import STRANGER, World, matches

PHOTO = bytes(range(256)) * 40
FILE = OfferedFile("Sports day", "IMG_1.jpg", len(PHOTO), "1")


@pytest.fixture
def office(world: World, logged_in: Callable[[User], Client]) -> Client:
    (world.home.inbox / "Sports day").mkdir()
    return logged_in(world.make_user("office", Role.OFFICE))


def send(client: Client, offset: int, piece: bytes, **other: object) -> dict[str, object]:
    said = {"event": FILE.event, "name": FILE.name, "size": FILE.size, "modified": 1, **other}
    answer = client.post(
        f"/events/upload/?{urlencode({**said, 'offset': offset})}",
        data=piece,
        content_type="application/octet-stream",
    )
    return {**json.loads(answer.content), "status": answer.status_code}


def photos(home: Home) -> list[str]:
    return sorted(file.source for file in scan_inbox(home.inbox).files)


def test_a_photo_comes_in_pieces_and_is_no_file_of_the_inbox_before_the_last(
    world: World, office: Client
) -> None:
    assert send(office, 0, b"")["received"] == 0
    assert send(office, 0, PHOTO[:4000])["received"] == 4000
    assert photos(world.home) == []
    assert send(office, 0, b"")["received"] == 4000
    assert send(office, 4000, PHOTO[4000:])["state"] == "taken"
    assert photos(world.home) == ["Sports day/IMG_1.jpg"]
    assert (world.home.inbox / "Sports day" / "IMG_1.jpg").read_bytes() == PHOTO
    assert list((world.home.inbox / UNFINISHED).iterdir()) == []


@pytest.mark.parametrize("offset", [0, 3999, 4001])
@pytest.mark.dialect
def test_a_piece_that_comes_twice_or_too_early_changes_nothing(
    world: World, office: Client, offset: int
) -> None:
    send(office, 0, PHOTO[:4000])
    assert send(office, offset, b"wrong")["received"] == 4000
    assert send(office, 4000, PHOTO[4000:])["state"] == "taken"
    assert (world.home.inbox / "Sports day" / "IMG_1.jpg").read_bytes() == PHOTO


@pytest.mark.dialect
def test_the_same_photo_is_not_taken_twice(world: World, office: Client) -> None:
    assert send(office, 0, PHOTO)["state"] == "taken"
    assert send(office, 0, PHOTO)["state"] == "known"
    other = bytes(reversed(PHOTO))
    assert send(office, 0, other, modified=2)["state"] == "taken"
    assert photos(world.home) == ["Sports day/IMG_1 (2).jpg", "Sports day/IMG_1.jpg"]


def test_a_photo_that_the_gate_has_is_not_taken_again(world: World, office: Client) -> None:
    item = world.make_item()
    data = read_part(world.home, item)
    assert send(office, 0, data, size=len(data))["state"] == "known"
    assert photos(world.home) == []


def test_a_photo_whose_safe_copy_is_lost_is_taken_again(world: World, office: Client) -> None:
    item = world.make_item()
    data = read_part(world.home, item)
    vault_of(world.home).remove(item.pk)
    assert send(office, 0, data, size=len(data))["state"] == "taken"


def test_a_photo_whose_last_request_failed_is_completed_later(
    world: World, office: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> UploadState:
        raise OSError("the share is away")

    with monkeypatch.context() as broken:
        broken.setattr(browser_uploads, "_finish", fail)
        assert send(office, 0, PHOTO)["status"] == 503
    assert photos(world.home) == []
    assert send(office, len(PHOTO), b"")["state"] == "taken"
    assert (world.home.inbox / "Sports day" / "IMG_1.jpg").read_bytes() == PHOTO


@pytest.mark.parametrize("name", ["IMG_1.part", "IMG_1.tmp", "IMG_1.jpg.download"])
def test_a_name_that_no_scan_takes_is_refused(world: World, office: Client, name: str) -> None:
    assert send(office, 0, PHOTO, name=name)["status"] == 422


@pytest.mark.dialect
def test_two_people_do_not_write_into_one_file(
    world: World, office: Client, logged_in: Callable[[User], Client]
) -> None:
    send(office, 0, PHOTO[:4000])
    other = logged_in(world.make_user("reviewer"))
    assert send(other, 0, b"")["received"] == 0


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": "classes.txt"},
        {"name": "~$IMG.jpg"},
        {"name": ""},
        {"size": 0},
        {"size": 1 << 40},
        {"size": len(PHOTO) - 1},
    ],
)
def test_what_cannot_be_a_photo_is_refused(
    world: World, office: Client, wrong: dict[str, object]
) -> None:
    assert send(office, 0, PHOTO, **wrong)["status"] in (422, 200)
    assert all("classes.txt" not in name and "~" not in name for name in photos(world.home))


@pytest.mark.parametrize("event", ["..", "../secrets", ".uploads", "none", "Sports day/..", ""])
def test_a_photo_goes_into_no_other_folder(world: World, office: Client, event: str) -> None:
    said = {"event": event, "name": "x.jpg", "size": 3, "modified": 1, "offset": 0}
    answer = office.post(f"/events/upload/?{urlencode(said)}", b"abc", "application/octet-stream")
    assert answer.status_code == 404
    assert photos(world.home) == []


def test_a_link_in_the_photo_folder_is_not_followed(world: World, office: Client) -> None:
    outside = world.home.root / "outside"
    outside.mkdir()
    (world.home.inbox / UNFINISHED).symlink_to(outside)
    assert send(office, 0, PHOTO)["status"] == 422
    assert list(outside.iterdir()) == []


def test_unfinished_photos_are_few_and_expire(
    world: World, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(browser_uploads, "MAX_UNFINISHED", 2)
    (world.home.inbox / "Sports day").mkdir()
    for number in "12":
        append(world.home, "office", OfferedFile("Sports day", f"{number}.jpg", 9, "1"), 0, b"abc")
    third = OfferedFile("Sports day", "3.jpg", 9, "1")
    with pytest.raises(UploadRefused):
        begin(world.home, "office", third)
    assert begin(world.home, "another", third).state is UploadState.UNFINISHED
    clock.pass_days(2)
    assert remove_expired(world.home) == 2
    assert begin(world.home, "office", third).received == 0


def test_all_unfinished_photos_together_are_bounded(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(browser_uploads, "MAX_UNFINISHED_BYTES", 10)
    with pytest.raises(UploadRefused):
        begin(world.home, "office", OfferedFile("Sports day", "1.jpg", 11, "1"))


def test_a_form_without_a_script_brings_photos_in(world: World, office: Client) -> None:
    files = [SimpleUploadedFile("a.jpg", PHOTO), SimpleUploadedFile("b.jpg", PHOTO[::-1])]
    answer = office.post("/events/files/?event=Sports+day", {"photos": [*files]}, follow=True)
    assert "2 photos uploaded" in answer.content.decode()
    assert photos(world.home) == ["Sports day/a.jpg", "Sports day/b.jpg"]


def test_an_event_is_made_with_its_classes(world: World, office: Client) -> None:
    world.make_pupil("000001", reg_group="5B")
    answer = office.post(
        "/events/", {"name": "Zoo trip", "day": "2026-06-12", "class": ["5B", "9Z"]}, follow=True
    )
    assert (world.home.inbox / "2026-06-12 Zoo trip").is_dir()
    assert EventClasses.objects.get().reg_groups == ["5B"]
    assert "5B" in answer.content.decode()


def test_the_page_counts_what_is_out_and_held(world: World, office: Client) -> None:
    world.make_pupil("000001")
    world.make_item(matches("000001"))
    world.make_item(STRANGER)
    world.make_item(STRANGER, event="sports-day/morning")
    page = office.get("/events/show/?event=sports-day").content.decode()
    assert "3 pictures" in page
    assert "Someone not recognised: 2" in page
    assert page.count(": 1</li>") == 6  # also where everything can be taken back


def test_everything_of_an_event_is_taken_back_if_the_number_is_right(
    world: World, logged_in: Callable[[User], Client]
) -> None:
    world.make_pupil("000001")
    world.make_pupil("000002")
    for event in ("sports-day", "sports-day/morning"):
        world.make_item(matches("000001"), event=event)
    world.make_item(matches("000001"), matches("000002"), event="fair")  # no copy of the others
    lead = logged_in(world.make_user("lead", Role.SAFEGUARDING_LEAD))
    page = "/events/show/?event=sports-day"
    assert "Take back 2 pictures" in lead.get(page).content.decode()
    assert "may go out afterwards" not in lead.get(page).content.decode()
    later = world.make_item(STRANGER)
    Item.objects.filter(pk=later.pk).update(state=ItemState.RECEIVED)
    words = " ".join(lead.get(page).content.decode().split())
    assert "1 more picture of this event is not checked yet, and may go out afterwards." in words
    address = "/events/recall/?event=sports-day"
    answer = lead.post(address, {"count": 5}, follow=True)
    assert "nothing was taken back" in answer.content.decode()
    assert Publication.objects.filter(state__in=OPEN).count() == 9
    lead.post(address, {"count": 6})
    assert {p.item.event for p in Publication.objects.filter(state__in=OPEN)} == {"fair"}


def test_the_office_sees_no_sealed_picture(world: World, office: Client) -> None:
    item = world.make_item(STRANGER)
    Item.objects.filter(pk=item.pk).update(state="sealed")
    assert "0 pictures" in office.get("/events/show/?event=sports-day").content.decode()


@pytest.mark.parametrize(
    ("role", "may"),
    [
        (Role.OFFICE, {"take back", "title"}),
        (Role.REVIEWER, {"take back", "title", "describe", "release"}),
        (Role.SAFEGUARDING_LEAD, {"take back", "title", "describe", "release"}),
        (Role.ADMINISTRATOR, {"take back", "title", "describe", "release"}),
        (Role.DATA_PROTECTION_OFFICER, {"take back"}),
        (Role.TECHNICIAN, set()),
    ],
)
def test_each_role_does_with_an_event_what_it_may(
    world: World, logged_in: Callable[[User], Client], role: Role, may: set[str]
) -> None:
    world.make_pupil("000001")
    item = world.make_item(matches("000001"))
    client = logged_in(world.make_user(role=role))
    album = {"event": "sports-day", "title": "Our sports day", "from": "event"}
    assert (client.post("/published/album/", album).status_code == 302) is ("title" in may)
    assert (album_of("sports-day", all_titles()) == "Our sports day") is ("title" in may)
    alt = {"event": "sports-day", "alt": "A race"}
    assert (client.post("/published/describe/", alt).status_code == 302) is ("describe" in may)
    (one, *_) = Publication.objects.filter(state__in=OPEN)
    assert (client.post(f"/published/{one.pk}/take-back/").status_code == 302) is (
        "take back" in may
    )
    left = Publication.objects.filter(state__in=OPEN).count()
    client.post("/events/recall/?event=sports-day", {"count": left})
    assert (not Publication.objects.filter(state__in=OPEN).exists()) is ("take back" in may)
    decision = client.post(f"/pictures/{item.pk}/decide/", {"answer": "release"})
    assert (decision.status_code != 403) is ("release" in may)


def test_the_office_finds_both_on_the_page_of_the_event(world: World, office: Client) -> None:
    world.make_pupil("000001")
    world.make_item(matches("000001"))
    page = office.get("/events/show/?event=sports-day").content.decode()
    assert "Take back 1 picture" in page
    assert 'action="/published/album/"' in page
    albums = office.get("/published/?show=albums").content.decode()
    assert 'action="/published/album/"' in albums
    assert 'action="/published/describe/"' not in albums


def test_the_office_says_who_was_there_on_the_events_page(
    world: World, logged_in: Callable[[User], Client]
) -> None:
    world.make_pupil("000001", reg_group="5B")
    world.make_pupil("000002", reg_group="4A")
    world.make_item(STRANGER, event="zoo")
    office = logged_in(world.make_user("office", Role.OFFICE))
    address = "/events/roll/?event=zoo"
    office.post(address, {"class": ["5B"], "others": "000002"})
    page = office.get("/events/show/?event=zoo").content.decode()
    assert 'value="5B" checked' in " ".join(page.split())
    assert 'value="000002"' in page
    answer = office.post(address, {"class": ["5B"], "others": "Nobody Known"}, follow=True)
    assert "is not on the register" in answer.content.decode()
    office.post(address, {})
    assert "Nobody was named" in office.get("/events/show/?event=zoo").content.decode()
    assert office.post("/events/roll/?event=unknown", {}).status_code == 404


def test_reviewers_go_from_a_reason_to_its_pictures(
    world: World, logged_in: Callable[[User], Client]
) -> None:
    world.make_item(STRANGER, event="zoo")
    page = logged_in(world.make_user()).get("/events/show/?event=zoo").content.decode()
    assert "/queue/?event=zoo&amp;reason=unknown_face" in page
    office = logged_in(world.make_user("office", Role.OFFICE))
    assert "/queue/" not in office.get("/events/show/?event=zoo").content.decode()
