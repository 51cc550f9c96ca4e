"""Who may open each page, what the pages show, and what they never show."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from allauth.mfa.totp.internal.auth import (
    TOTP,
    format_hotp_value,
    generate_totp_secret,
    hotp_value,
    yield_hotp_counters_from_time,
)
from django.conf import settings
from django.core.cache import cache
from django.core.management import call_command
from django.test import Client, override_settings
from django.urls import URLResolver, get_resolver, reverse

from consent_gate.bootstrap import open_home
from consent_gate.db.models import AuditEntry, Item, ItemState, Role, StaffTag, User
from consent_gate.home.home import Home
from consent_gate.model import NotExamined, Reason
from consent_gate.web.accounts.first_run import setup_code
from consent_gate.web.accounts.permissions import PAGES, PUBLIC_PAGES, TOKEN_PAGES
from tests.support.factories import PASSWORD, STRANGER, World, matches

LogIn = Callable[[User], Client]
Page = tuple[str, tuple[str, ...]]


def pages(of: URLResolver | None = None, needs: tuple[str, ...] = ()) -> Iterator[Page]:
    """Every page by name, with what its address needs; those of allauth too."""
    for found in (of or get_resolver("consent_gate.web.urls")).url_patterns:
        here = (*needs, *found.pattern.converters)
        if isinstance(found, URLResolver):
            yield from pages(found, here)
        else:
            yield str(found.name), here


PAGE_NAMES = sorted(
    (name for name, _ in pages()), key=lambda name: (name == "account_logout", name)
)


def browser() -> Client:
    return Client(SERVER_NAME="localhost")


def address(name: str, item: Item) -> str:
    """The page's address, with whatever it needs filled in."""
    texts = {"item_id": item.pk, "number": "000001", "token": "abc", "publication_id": "abc"}
    needs = dict(pages())[name]
    return reverse(name, kwargs={need: texts.get(need, 0) for need in needs})


def test_every_page_is_in_the_table_of_who_may_open_it(home: Home) -> None:
    assert set(PAGE_NAMES) == set(PAGES) | PUBLIC_PAGES | TOKEN_PAGES


@pytest.mark.parametrize("role", list(Role))
def test_a_page_opens_for_the_roles_in_the_table_and_for_nobody_else(
    world: World, logged_in: LogIn, role: Role
) -> None:
    item = world.make_item(STRANGER)
    user = world.make_user(role=role)
    client = logged_in(user)
    for name in PAGE_NAMES:
        if name not in PAGES:
            continue
        ways = (client.get, client.post) if name != "account_logout" else (client.post,)
        for answer in (way(address(name, item)) for way in ways):
            refused = answer.status_code == 403
            assert refused == (role not in PAGES[name]), (name, role, answer.status_code)


def test_nobody_sees_anything_before_logging_in(world: World) -> None:
    item = world.make_item(STRANGER)
    world.make_user()
    for name in PAGE_NAMES:
        if name in PAGES:
            answer = browser().get(address(name, item))
            assert answer.status_code == 302, name
            assert answer.headers["Location"].startswith("/login/"), name


def test_a_session_that_ran_out_loads_the_log_in_page_afresh(world: World) -> None:
    world.make_user()
    answer = browser().get("/queue/", headers={"HX-Request": "true"})
    assert answer.headers["HX-Redirect"] == "/login/?next=/queue/"
    assert "Location" not in answer.headers


def test_an_account_that_was_closed_opens_nothing(world: World, logged_in: LogIn) -> None:
    user = world.make_user()
    client = logged_in(user)
    User.objects.filter(pk=user.pk).update(is_active=False)
    assert client.get("/queue/").status_code == 302


def test_every_answer_forbids_scripts_from_elsewhere_and_keeping_copies(
    world: World, logged_in: LogIn
) -> None:
    item = world.make_item(STRANGER)
    client = logged_in(world.make_user())
    for path in ("/queue/", f"/pictures/{item.pk}/preview.jpg", "/nothing-here/"):
        answer = client.get(path)
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["Cache-Control"] == "no-store"


def test_no_page_has_script_or_style_of_its_own(world: World, logged_in: LogIn) -> None:
    item = world.make_item(STRANGER, matches("000001"))
    client = logged_in(world.make_user())
    for path in ("/queue/", f"/pictures/{item.pk}/"):
        page = client.get(path).content.decode()
        assert " style=" not in page
        assert "<style" not in page
        assert " onclick=" not in page
        assert "<script>" not in page


def test_a_form_from_elsewhere_changes_nothing(world: World) -> None:
    item = world.make_item(STRANGER)
    client = Client(enforce_csrf_checks=True, SERVER_NAME="localhost")
    client.force_login(world.make_user())
    answer = client.post(f"/pictures/{item.pk}/faces/0/", {"say": "not_a_face", "revision": 0})
    assert answer.status_code == 403
    assert not StaffTag.objects.exists()


def test_a_sealed_picture_is_shown_to_nobody(world: World, logged_in: LogIn) -> None:
    item = world.make_item(STRANGER)
    Item.objects.filter(pk=item.pk).update(state="sealed")
    client = logged_in(world.make_user())
    for page in ("picture", "picture_preview", "picture_thumbnail"):
        assert client.get(reverse(page, args=[item.pk])).status_code == 404


@pytest.mark.usefixtures("argon2")
def test_the_first_account_needs_the_code_that_was_printed(home: Home) -> None:
    code = setup_code(home)
    assert browser().get("/login/").headers["Location"] == "/setup/"
    person = {
        "first_name": "Pat",
        "last_name": "Lee",
        "username": "p.lee",
        "email": "p.lee@world.example",
        "password": PASSWORD,
        "again": PASSWORD,
    }
    assert browser().post("/setup/", {**person, "code": "guess"}).status_code == 200
    assert not User.objects.exists()
    client = browser()
    assert client.post("/setup/", {**person, "code": code}).status_code == 302
    made = User.objects.get()
    assert (made.role, made.password.startswith("argon2")) == (Role.ADMINISTRATOR, True)
    assert setup_code(home) is None
    assert client.get("/queue/").status_code == 200
    again = browser().post("/setup/", {**person, "username": "second", "code": code})
    assert again.status_code == 302
    assert User.objects.count() == 1


def test_a_short_password_is_not_taken(home: Home) -> None:
    form = {
        "username": "p.lee",
        "password": "short",
        "again": "short",
        "code": setup_code(home),
    }
    answer = browser().post("/setup/", form)
    assert "12 characters" in answer.content.decode()
    assert not User.objects.exists()


@pytest.mark.usefixtures("argon2")
def test_a_person_logs_in_with_their_own_password_only(world: World) -> None:
    world.make_user("j.shaw")
    wrong = browser().post("/login/", {"login": "j.shaw", "password": "not it at all"})
    assert "is wrong. Please try again" in wrong.content.decode()
    right = browser().post("/login/", {"login": "j.shaw", "password": PASSWORD})
    assert right.status_code == 302


@pytest.mark.usefixtures("argon2")
def test_five_wrong_passwords_lock_the_account_for_a_while(world: World) -> None:
    cache.clear()
    world.make_user("j.shaw")
    for _ in range(5):
        browser().post("/login/", {"login": "j.shaw", "password": "guess guess guess"})
    right = browser().post("/login/", {"login": "j.shaw", "password": PASSWORD})
    assert "Too many wrong attempts" in right.content.decode()
    cache.clear()
    told = AuditEntry.objects.filter(action="user.login_failed", subject="user:j.shaw")
    assert told.count() == 5


def test_a_password_typed_as_a_name_is_not_written_down(world: World) -> None:
    browser().post("/login/", {"login": PASSWORD, "password": "anything"})
    assert AuditEntry.objects.get(action="user.login_failed").subject == "user:unknown"


@pytest.mark.usefixtures("argon2")
def test_a_second_step_is_asked_for_once_it_is_set_up(world: World, logged_in: LogIn) -> None:
    user = world.make_user("j.shaw")
    secret = generate_totp_secret()
    TOTP.activate(user, secret)
    client = browser()
    client.post("/login/", {"login": "j.shaw", "password": PASSWORD})
    assert client.get("/queue/").status_code == 302
    code = format_hotp_value(hotp_value(secret, next(yield_hotp_counters_from_time())))
    client.post("/account/second-step/authenticate/", {"code": code})
    assert client.get("/queue/").status_code == 200


def test_nobody_makes_an_account_for_themselves(world: World) -> None:
    world.make_user()
    for path in ("/signup/", "/accounts/signup/", "/account/second-step/webauthn/signup/"):
        assert browser().get(path).status_code in (302, 404)
    assert User.objects.count() == 1


def test_the_queue_tells_in_one_sentence_why_a_picture_is_held(
    world: World, logged_in: LogIn
) -> None:
    world.make_pupil("000001")
    world.make_item(matches("000001"), STRANGER, STRANGER)
    page = logged_in(world.make_user()).get("/queue/").content.decode()
    assert "2 faces: not recognised." in page
    assert "Sports day" in page


@pytest.mark.dialect
def test_pictures_that_consent_closes_do_not_wait_for_a_decision(
    world: World, logged_in: LogIn
) -> None:
    world.make_pupil("000001", said_no_to=["website"])
    closed = world.make_item(matches("000001"), event="fair")
    client = logged_in(world.make_user())
    assert closed.pk not in client.get("/queue/").content.decode()
    assert closed.pk in client.get("/queue/?show=settled").content.decode()


@pytest.mark.dialect
def test_the_queue_can_be_narrowed_to_one_reason(world: World, logged_in: LogIn) -> None:
    stranger = world.make_item(STRANGER)
    damaged = world.make_item(evidence=NotExamined(Reason.NOT_EXAMINED, "It is damaged."))
    page = logged_in(world.make_user()).get("/queue/?reason=not_examined").content.decode()
    assert damaged.pk in page
    assert stranger.pk not in page


def test_before_the_first_export_the_queue_says_what_is_missing(
    home: Home, logged_in: LogIn
) -> None:
    settings.CONSENT_GATE_HOME = home
    office, teacher = World(home).make_user("admin", Role.ADMINISTRATOR), World(home).make_user()
    assert "Import the first export" in logged_in(office).get("/queue/").content.decode()
    shown = logged_in(teacher).get("/queue/").content.decode()
    assert "no consent list yet" in shown
    assert "Bring in the first export" not in shown
    World(home).make_import()
    assert "Every picture has been decided" in logged_in(teacher).get("/queue/").content.decode()


def test_a_form_that_is_older_than_the_log_in_says_so_in_plain_words(world: World) -> None:
    strict = Client(SERVER_NAME="localhost", enforce_csrf_checks=True)
    strict.force_login(world.make_user())
    answer = strict.post("/queue/batch/", {"answer": "refuse"})
    assert answer.status_code == 403
    assert "Nothing was changed" in answer.content.decode()
    assert "CSRF" not in answer.content.decode()


def test_a_page_about_an_error_is_not_put_into_the_margin_of_another(
    world: World, logged_in: LogIn
) -> None:
    item = world.make_item(STRANGER)
    item.state = ItemState.SEALED
    item.save()
    client = logged_in(world.make_user())
    late = client.post(
        f"/pictures/{item.pk}/faces/0/", {"say": "blurred"}, headers={"HX-Request": "true"}
    )
    assert late.status_code == 404
    assert late.headers["HX-Retarget"] == "body"


def test_a_description_is_offered_and_saved_only_with_the_release(
    world: World, logged_in: LogIn
) -> None:
    world.make_pupil("000001", forename="Ann", surname="Archer")
    item = world.make_item(matches("000001"), event="sports-day")
    client = logged_in(world.make_user())
    page = client.get(f"/pictures/{item.pk}/").content.decode()
    assert page.count("Photo from Sports day") == 1
    item.refresh_from_db()
    assert item.alt == ""
    named = world.make_item(matches("000001"), event="ann-archer-wins")
    assert "Photo from" not in client.get(f"/pictures/{named.pk}/").content.decode()
    plain = world.make_item(STRANGER, event="")
    assert "Photo from" not in client.get(f"/pictures/{plain.pk}/").content.decode()


def test_words_for_readers_are_told_to_be_saved(world: World, logged_in: LogIn) -> None:
    item = world.make_item(STRANGER)
    client = logged_in(world.make_user())
    saved = client.post(
        f"/pictures/{item.pk}/describe/",
        {"title": "Sports day", "alt": "A race", "revision": 0},
        headers={"HX-Request": "true"},
    )
    assert "are saved" in saved.content.decode()
    late = client.post(
        f"/pictures/{item.pk}/describe/",
        {"title": "Another", "alt": "", "revision": 0},
        headers={"HX-Request": "true"},
    )
    assert "are saved" not in late.content.decode()


@pytest.mark.dialect
def test_a_stale_page_is_told_and_nothing_is_overwritten(world: World, logged_in: LogIn) -> None:
    item = world.make_item(STRANGER)
    client = logged_in(world.make_user())
    path = f"/pictures/{item.pk}/faces/0/"
    client.post(path, {"say": "not_a_face", "revision": 0}, headers={"HX-Request": "true"})
    late = client.post(path, {"say": "cannot_tell", "revision": 0}, headers={"HX-Request": "true"})
    assert "Somebody else changed this picture" in late.content.decode()
    assert StaffTag.objects.get().kind == "not_a_face"


@pytest.mark.dialect
def test_release_goes_on_to_the_next_picture_and_can_be_undone(
    world: World, logged_in: LogIn
) -> None:
    first, second = world.make_item(), world.make_item()
    client = logged_in(world.make_user())
    form = {"answer": "release", "basis": "Nobody is in it", "channel": ["website", "mag"]}
    answer = client.post(f"/pictures/{first.pk}/decide/", {**form, "revision": 0})
    assert answer.headers["Location"] == f"/pictures/{second.pk}/"
    assert "Released to" in client.get(f"/pictures/{second.pk}/").content.decode()
    assert first.decisions.get(channel="website").verdict == "released"
    undone = client.post(f"/pictures/{first.pk}/undo/", follow=True).content.decode()
    assert "1 picture waits for a decision again" in undone
    assert {d.verdict for d in first.decisions.all()} == {"held"}


@pytest.mark.dialect
def test_a_colleague_who_is_asked_finds_the_picture_in_a_pile_of_their_own(
    world: World, logged_in: LogIn
) -> None:
    asking, asked = world.make_user("j.shaw"), world.make_user("m.reid")
    item = world.make_item(STRANGER)
    question = {"text": "Is this one of yours?", "asked": "m.reid"}
    logged_in(asking).post(f"/pictures/{item.pk}/note/", question)
    shown = logged_in(asking).get(f"/pictures/{item.pk}/").content.decode()
    assert "asks Jo Shaw: Is this one of yours?" in shown
    client = logged_in(asked)
    assert "Questions for you" in client.get("/queue/").content.decode()
    assert item.pk in client.get("/queue/?show=asked").content.decode()
    assert "Is this one of yours?" in client.get(f"/pictures/{item.pk}/").content.decode()
    client.post(f"/pictures/{item.pk}/note/", {"text": "No, ask 5B."})
    assert "Questions for you" not in client.get("/queue/").content.decode()


def test_a_note_does_not_name_a_pupil_in_full(world: World, logged_in: LogIn) -> None:
    world.make_pupil("000001", "Ann", "Archer")
    item = world.make_item(STRANGER)
    client = logged_in(world.make_user())
    client.post(f"/pictures/{item.pk}/note/", {"text": "Looks like Ann Archer"})
    assert not item.notes.exists()


@pytest.mark.dialect
def test_a_pupil_is_found_by_name_or_class_while_typing(world: World, logged_in: LogIn) -> None:
    world.make_pupil("000001", "Ann", "Archer", reg_group="5B")
    world.make_pupil("000002", "Ben", "Baker", reg_group="4A")
    item = world.make_item(STRANGER)
    client = logged_in(world.make_user())
    for query, found, not_found in (
        ("arch", "Ann", "Ben"),
        ("4a", "Ben", "Ann"),
        ("ben b", "Ben", "Ann"),
    ):
        asked = {"q": query, "face": "1"}
        page = client.get(f"/pictures/{item.pk}/face/", asked).content.decode()
        assert f"{found} " in page
        assert f"{not_found} " not in page


def test_the_deployment_check_finds_nothing_where_https_is_on(home: Home) -> None:
    """What ``manage.py check --deploy`` says, of everything and not of security alone."""
    path = home.root / "consent-gate.toml"
    path.write_text(path.read_text().replace("port = 8000", "port = 8000\nhttps = true"))
    open_home(home.root)
    call_command("check", deploy=True, fail_level="WARNING")


def test_https_sends_plain_requests_away(world: World) -> None:
    with override_settings(SECURE_SSL_REDIRECT=True):
        assert browser().get("/login/").headers["Location"].startswith("https://")
