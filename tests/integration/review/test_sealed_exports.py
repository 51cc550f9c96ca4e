"""A sealed picture is exported by two people, encrypted, and is shown to neither."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Callable
from html import unescape
from pathlib import Path

import pytest
import pyzipper
from django.test import Client

from consent_gate.db import audit_log
from consent_gate.db.models import AuditEntry, Item, Role, SealedExport, User
from consent_gate.errors import DecryptionError
from consent_gate.review import sealed_exports as exports
from consent_gate.review import service as review
from tests.conftest import Clock
from tests.support.factories import STRANGER, World
from tests.support.settings_override import with_settings

LogIn = Callable[[User], Client]
REASON = "PC 1234 Doe, crime reference 42/26"


@pytest.fixture
def sealed(world: World) -> Item:
    """A picture that a reviewer sealed."""
    item = world.make_item(STRANGER)
    review.seal(review.ReviewAction(world.home, "j.shaw", item.pk, item.revision))
    item.refresh_from_db()
    return item


@pytest.fixture
def lead(world: World) -> User:
    return a_named_person(world, "lead", Role.SAFEGUARDING_LEAD, "Lee", "Adeyemi")


@pytest.fixture
def officer(world: World) -> User:
    return a_named_person(world, "dpo", Role.DATA_PROTECTION_OFFICER, "Dee", "Patel")


def a_named_person(world: World, name: str, role: Role, first: str, last: str) -> User:
    user = world.make_user(name, role)
    user.first_name, user.last_name = first, last
    user.save()
    return user


def packages(world: World) -> list[Path]:
    return list((world.home.vault / "sealed-exports").glob("*"))


def opened(data: bytes, passphrase: str) -> dict[str, bytes]:
    with pyzipper.AESZipFile(io.BytesIO(data)) as archive:
        archive.setpassword(passphrase.encode())
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.mark.dialect
def test_two_people_hand_a_sealed_picture_over_and_neither_can_open_it_alone(
    world: World, logged_in: LogIn, sealed: Item, lead: User, officer: User
) -> None:
    hers, theirs = logged_in(lead), logged_in(officer)
    hers.post(f"/sealed/{sealed.pk}/ask/", {"reason": REASON})
    row = SealedExport.objects.get()
    assert REASON in theirs.get("/confirm/").content.decode()
    page = theirs.post(f"/sealed/requests/{row.pk}/confirm/").content.decode()
    passphrase = unescape(page.split('class="passphrase"><code>')[1].split("<")[0])
    assert passphrase not in hers.get("/sealed/").content.decode()
    answer = hers.post(f"/sealed/requests/{row.pk}/take/")
    assert b"JFIF" not in answer.content
    with pytest.raises(RuntimeError):
        opened(answer.content, "a guess")
    files = opened(answer.content, passphrase)
    assert hashlib.sha256(files["picture.jpg"]).hexdigest() == sealed.sha256
    about = json.loads(files["about.json"])
    assert (about["unchanged"], about["asked_by"], about["confirmed_by"]) == (True, "lead", "dpo")
    told = AuditEntry.objects.filter(action__startswith="sealed_export.").order_by("sequence")
    assert [(e.action.partition(".")[2], e.actor) for e in told] == [
        ("asked", "lead"),
        ("confirmed", "dpo"),
        ("taken", "lead"),
    ]
    assert audit_log.verify(world.home) == []
    assert passphrase not in str(
        list(AuditEntry.objects.values()) + list(SealedExport.objects.values())
    )


def test_nobody_sees_the_picture_on_the_way(
    world: World, logged_in: LogIn, sealed: Item, lead: User, officer: User
) -> None:
    hers, theirs = logged_in(lead), logged_in(officer)
    hers.post(f"/sealed/{sealed.pk}/ask/", {"reason": REASON})
    row = SealedExport.objects.get()
    theirs.post(f"/sealed/requests/{row.pk}/confirm/")
    for client, path in ((hers, "/sealed/"), (theirs, "/confirm/")):
        assert "<image" not in client.get(path).content.decode()
    admin = logged_in(world.make_user("admin", Role.ADMINISTRATOR))
    for part in ("", "preview.jpg", "thumbnail.jpg"):
        assert admin.get(f"/pictures/{sealed.pk}/{part}").status_code == 404


def test_the_one_who_asks_cannot_confirm(
    world: World, logged_in: LogIn, sealed: Item, lead: User
) -> None:
    client = logged_in(lead)
    client.post(f"/sealed/{sealed.pk}/ask/", {"reason": REASON})
    row = SealedExport.objects.get()
    answer = client.post(f"/sealed/requests/{row.pk}/confirm/", follow=True)
    assert "it takes two people" in answer.content.decode()
    row.refresh_from_db()
    assert (row.confirmed_at, packages(world)) == (None, [])


def test_a_second_account_of_the_same_person_cannot_confirm(
    world: World, sealed: Item, lead: User
) -> None:
    row = exports.ask(world.home, sealed, REASON, lead)
    same_name = a_named_person(world, "l2", Role.ADMINISTRATOR, "lee", "ADEYEMI")
    with pytest.raises(exports.ExportRefused, match="two people"):
        exports.confirm(world.home, row, same_name)
    User.objects.filter(pk=lead.pk).update(email="lee@world.example")
    same_address = a_named_person(world, "l3", Role.ADMINISTRATOR, "Another", "Name")
    same_address.email = "Lee@World.example"
    with pytest.raises(exports.ExportRefused, match="two people"):
        exports.confirm(world.home, row, same_address)


def test_a_request_lapses_and_so_does_a_file_that_nobody_takes(
    world: World, clock: Clock, sealed: Item, lead: User, officer: User
) -> None:
    old = exports.ask(world.home, sealed, REASON, lead)
    clock.pass_hours(25)
    with pytest.raises(exports.ExportRefused, match="not open any more"):
        exports.confirm(world.home, old, officer)
    row = exports.ask(world.home, sealed, REASON, lead)
    exports.confirm(world.home, row, officer)
    assert len(packages(world)) == 1
    clock.pass_hours(25)
    with pytest.raises(exports.ExportRefused, match="not here any more"):
        exports.download(world.home, row, lead)
    exports.forget_lapsed(world.home)
    assert packages(world) == []


def test_the_file_is_taken_once_and_only_by_the_one_who_asked(
    world: World, sealed: Item, lead: User, officer: User
) -> None:
    row = exports.ask(world.home, sealed, REASON, lead)
    exports.confirm(world.home, row, officer)
    other = a_named_person(world, "lead2", Role.SAFEGUARDING_LEAD, "Kit", "Moss")
    with pytest.raises(exports.ExportRefused, match="Only the person who asked"):
        exports.download(world.home, row, other)
    exports.download(world.home, row, lead)
    assert packages(world) == []
    with pytest.raises(exports.ExportRefused, match="not here any more"):
        exports.download(world.home, row, lead)


@pytest.mark.dialect
def test_a_file_that_a_restore_did_not_bring_back_is_asked_for_again(
    world: World, sealed: Item, lead: User, officer: User
) -> None:
    row = exports.ask(world.home, sealed, REASON, lead)
    exports.confirm(world.home, row, officer)
    packages(world)[0].unlink()
    with pytest.raises(exports.ExportRefused, match="ask again"):
        exports.download(world.home, row, lead)


def test_a_refused_request_is_over(world: World, sealed: Item, lead: User, officer: User) -> None:
    row = exports.ask(world.home, sealed, REASON, lead)
    exports.refuse(world.home, row, officer)
    with pytest.raises(exports.ExportRefused):
        exports.confirm(world.home, row, officer)
    assert AuditEntry.objects.filter(action="sealed_export.refused", actor="dpo").exists()


@pytest.mark.dialect
def test_whoever_refuses_or_takes_a_request_back_is_told(
    world: World, sealed: Item, lead: User, officer: User, logged_in: LogIn
) -> None:
    for person, told in ((lead, "is cancelled"), (officer, "is refused")):
        row = exports.ask(world.home, sealed, REASON, lead)
        path = f"/sealed/requests/{row.pk}/refuse/"
        assert told in logged_in(person).post(path, follow=True).content.decode()
        again = logged_in(person).post(path, follow=True).content.decode()
        assert "no longer open" in again


def test_a_picture_that_cannot_be_sealed_is_told_to_the_lead_in_person(
    world: World, logged_in: LogIn
) -> None:
    item = world.make_item(STRANGER)
    Item.objects.filter(pk=item.pk).update(wrapped_key=b"broken" * 12)
    client = logged_in(world.make_user())
    said = {"revision": item.revision}
    told = client.post(f"/pictures/{item.pk}/seal/", said, follow=True).content.decode()
    assert "Tell your safeguarding lead in person now." in told


def test_a_request_is_confirmed_once(world: World, sealed: Item, lead: User, officer: User) -> None:
    row = exports.ask(world.home, sealed, REASON, lead)
    exports.confirm(world.home, row, officer)
    with pytest.raises(exports.ExportRefused):
        exports.confirm(world.home, row, officer)
    assert len(packages(world)) == 1


def test_only_what_is_sealed_can_be_asked_for_and_only_with_a_reason(
    world: World, sealed: Item, lead: User
) -> None:
    ordinary = world.make_item(STRANGER)
    with pytest.raises(exports.ExportRefused, match="not sealed"):
        exports.ask(world.home, ordinary, REASON, lead)
    with pytest.raises(exports.ExportRefused, match="which authority"):
        exports.ask(world.home, sealed, "  ", lead)
    world.make_pupil("000001", "Ann", "Archer")
    with pytest.raises(exports.ExportRefused, match="leave out the full names"):
        exports.ask(world.home, sealed, "PC 1234, about Ann Archer", lead)


@pytest.mark.dialect
def test_a_damaged_sealed_copy_is_reported_and_not_exported(
    world: World, logged_in: LogIn, sealed: Item, lead: User, officer: User
) -> None:
    row = exports.ask(world.home, sealed, REASON, lead)
    path = world.home.vault / "originals" / sealed.pk[:2] / sealed.pk
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(DecryptionError):
        exports.confirm(world.home, row, officer)
    row.refresh_from_db()
    assert (row.confirmed_at, packages(world)) == (None, [])


def test_the_schools_own_contacts_are_shown_when_something_is_sealed(
    world: World, logged_in: LogIn, sealed: Item, lead: User
) -> None:

    from django.conf import settings

    from consent_gate.home.settings_staff import Contact, Safeguarding

    ours = Safeguarding(
        contacts=(Contact(who="Ms Adeyemi, lead", call="01234 567890"),),
        guidance=("Her office is B12.",),
    )
    settings.CONSENT_GATE_HOME = with_settings(world.home, safeguarding=ours)
    for person, path in ((lead, "/sealed/"), (world.make_user("r"), "/sealed/what-now/")):
        page = logged_in(person).get(path).content.decode()
        assert "01234 567890" in page
        assert "Her office is B12." in page
