"""Guessing passwords and codes, and keeping the right people out by guessing."""

# ruff: noqa: RUF001  letters that look alike are what is tested

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import (
    TOTP,
    format_hotp_value,
    generate_totp_secret,
    hotp_value,
    yield_hotp_counters_from_time,
)
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connections
from django.test import Client, RequestFactory
from typer.testing import CliRunner

from consent_gate.cli.app import app
from consent_gate.db.models import AuditEntry, LogInAttempt, Role, User
from consent_gate.home.home import Home
from consent_gate.web.accounts import attempt_limits, staff
from consent_gate.web.accounts.device_cookie import MAX_COOKIES, PREFIX, cookie_name
from tests.conftest import Clock
from tests.support.factories import PASSWORD, World

OFFICE, ATTACKER = "198.51.100.7", "203.0.113.9"


@pytest.fixture
def owner(world: World) -> User:
    return world.make_user("j.shaw", Role.SAFEGUARDING_LEAD)


@pytest.fixture(autouse=True)
def _empty_cache() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


def browser(address: str = OFFICE) -> Client:
    return Client(SERVER_NAME="localhost", REMOTE_ADDR=address)


def try_password(client: Client, password: str, name: str = "j.shaw") -> Any:
    return client.post("/login/", {"login": name, "password": password})


def is_let_in(client: Client, password: str = PASSWORD, name: str = "j.shaw") -> bool:
    return bool(try_password(client, password, name).status_code == 302)


def is_locked(answer: Any) -> bool:
    return "Too many wrong attempts" in answer.content.decode()


def usual_browser(address: str = OFFICE) -> Client:
    """A browser in which the owner has logged in before and is logged out now."""
    client = browser(address)
    assert is_let_in(client)
    client.post("/logout/")
    return client


def guess(client: Client, times: int, name: str = "j.shaw") -> list[bool]:
    return [is_locked(try_password(client, f"wrong{n}", name)) for n in range(times)]


def test_guesses_from_elsewhere_do_not_keep_the_owner_out(owner: User) -> None:
    usual, new = usual_browser(), browser("198.51.100.8")
    assert any(guess(browser(ATTACKER), 25))
    assert is_let_in(usual)
    assert is_let_in(new)


def test_guesses_from_many_addresses_lock_unknown_devices_alone(owner: User) -> None:
    usual = usual_browser()
    for number in range(10):
        guess(browser(f"203.0.113.{number}"), 4)
    assert is_locked(try_password(browser("198.51.100.8"), PASSWORD))
    assert is_let_in(usual)


def test_guesses_behind_one_address_do_not_keep_usual_devices_behind_it_out(owner: User) -> None:
    usual, attacker = usual_browser(ATTACKER), browser(ATTACKER)
    for number in range(30):
        guess(attacker, 3, f"name{number}")
    assert is_locked(try_password(attacker, PASSWORD))
    assert is_let_in(usual)


def test_many_requests_behind_one_address_do_not_keep_usual_devices_out(owner: User) -> None:
    usual, attacker = usual_browser(ATTACKER), browser(ATTACKER)
    for _ in range(70):
        attacker.post("/login/", {"login": "", "password": ""})
    assert is_let_in(usual)


def test_a_lock_ends_after_a_quarter_of_an_hour(owner: User, clock: Clock) -> None:
    attacker = browser(ATTACKER)
    assert guess(attacker, 6) == [False] * 5 + [True]
    clock.pass_minutes(16)
    assert is_let_in(attacker)
    assert not LogInAttempt.objects.exists()


def test_the_right_password_does_not_reset_the_count_of_wrong_ones(world: World) -> None:
    owner, other = world.make_user("j.shaw"), world.make_user("x.mallory")
    attacker = browser(ATTACKER)
    locked = False
    for _ in range(8):
        locked = locked or any(guess(attacker, 1, owner.username))
        assert is_let_in(browser(ATTACKER), name=other.username)
    assert locked


def test_a_flood_of_the_cache_forgets_no_wrong_password(owner: User) -> None:
    attacker = browser(ATTACKER)
    guess(attacker, 5)
    for number in range(1000):
        cache.set(f"flood{number}", "x")
    assert guess(attacker, 1) == [True]


def test_no_guess_is_free_in_any_spelling_of_the_name(owner: User) -> None:
    names = ("j.shaw", "J.Shaw", "J.SHAW", "ｊ.ｓｈａｗ", " j.shaw ", "j.shaW")
    attacker = browser(ATTACKER)
    assert [is_locked(try_password(attacker, "x", name)) for name in names] == [False] * 5 + [True]


@pytest.mark.parametrize("name", ["J.Shaw", "ｊ.ｓｈａｗ", "J.SHAW"])
def test_the_owner_may_write_the_name_in_any_case(owner: User, name: str) -> None:
    usual = usual_browser()
    guess(browser("198.51.100.8"), 6)
    assert is_let_in(usual, name=name)


def test_one_network_of_ipv6_is_one_client(owner: User) -> None:
    for number in range(5):
        guess(browser(f"2001:db8:0:1:{number}::1"), 1)
    assert guess(browser("2001:db8:0:1:ffff::2"), 1) == [True]
    assert guess(browser("2001:db8:0:2::1"), 1) == [False]


def test_addresses_of_ipv4_written_as_ipv6_are_clients_of_their_own(owner: User) -> None:
    factory = RequestFactory()

    def network(address: str) -> str:
        return attempt_limits.client_network(factory.get("/", REMOTE_ADDR=address))

    assert network("::ffff:198.51.100.7") == network("198.51.100.7") == "198.51.100.7"
    assert network("::ffff:198.51.100.8") != network("::ffff:198.51.100.7")


def test_a_header_of_the_client_does_not_make_another_client(owner: User) -> None:
    answers = [
        browser(ATTACKER).post(
            "/login/",
            {"login": "j.shaw", "password": "wrong"},
            headers={"X-Forwarded-For": f"192.0.2.{n}", "X-Real-IP": f"192.0.2.{n}"},
        )
        for n in range(6)
    ]
    assert is_locked(answers[-1])


# --- names that no account has -------------------------------------------------------------


def words(answer: Any) -> str:
    """The page without what differs in every answer."""
    return re.sub(r'(value|nonce)="[^"]*"', "", answer.content.decode())


def test_the_answers_do_not_tell_whether_an_account_exists(owner: User) -> None:
    known, unknown = browser(ATTACKER), browser("203.0.113.10")
    for _ in range(7):
        ours, theirs = try_password(known, "wrong"), try_password(unknown, "wrong", "n.obody")
        assert words(ours) == words(theirs)
        assert ours.status_code == theirs.status_code


def test_each_name_costs_one_password_hash(owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    from django.contrib.auth.hashers import MD5PasswordHasher

    calls = []
    encode = MD5PasswordHasher.encode

    def counted(hasher: MD5PasswordHasher, password: str, salt: str) -> str:
        calls.append(1)
        return encode(hasher, password, salt)

    monkeypatch.setattr(MD5PasswordHasher, "encode", counted)
    costs = []
    for name in ("j.shaw", "J.SHAW", "n.obody"):
        calls.clear()
        try_password(browser(ATTACKER), "wrong", name)
        costs.append(len(calls))
    assert costs == [1, 1, 1]


def test_a_typed_name_is_kept_as_a_hash_alone(owner: User) -> None:
    try_password(browser(ATTACKER), "wrong", "my-secret-password")
    row = LogInAttempt.objects.values().get()
    assert "secret" not in str(row)
    assert ATTACKER not in str(row)
    assert AuditEntry.objects.get(action="user.login_failed").subject == "user:unknown"


# --- device cookies --------------------------------------------------------------------------


def cookie_of(client: Client, user: User) -> str:
    return client.cookies[cookie_name(user)].value


def lock_unknown_devices() -> None:
    for number in range(10):
        guess(browser(f"203.0.113.{number}"), 4)


def test_a_cookie_of_another_account_is_no_help(world: World, owner: User) -> None:
    mallory = world.make_user("x.mallory")
    client = browser()
    assert is_let_in(client, name="x.mallory")
    stolen = cookie_of(client, mallory)
    lock_unknown_devices()
    attacker = browser("198.51.100.99")
    attacker.cookies[cookie_name(owner)] = stolen
    attacker.cookies[cookie_name(mallory)] = stolen
    assert is_locked(try_password(attacker, PASSWORD))


def test_a_stolen_cookie_gives_few_guesses(owner: User) -> None:
    stolen = cookie_of(usual_browser(), owner)
    answers = []
    for number in range(15):
        attacker = browser(f"203.0.113.{number}")
        attacker.cookies[cookie_name(owner)] = stolen
        answers += guess(attacker, 1)
    assert answers == [False] * 10 + [True] * 5
    assert is_let_in(browser())


@pytest.mark.parametrize("change", ["password", "key"])
def test_a_cookie_ends_with_the_password(owner: User, home: Home, change: str) -> None:
    client = usual_browser()
    if change == "password":
        staff.change_account(home, owner, "password", "four-red-tricycles", "admin")
    else:
        client.cookies[cookie_name(owner)] = cookie_of(client, owner)[:-2] + "xx"
    lock_unknown_devices()
    password = "four-red-tricycles" if change == "password" else PASSWORD
    assert is_locked(try_password(client, password))


def test_the_password_alone_makes_no_known_device_where_there_is_a_second_step(
    owner: User,
) -> None:
    TOTP.activate(owner, generate_totp_secret())
    client = browser()
    assert is_let_in(client)
    assert cookie_name(owner) not in client.cookies


def test_a_browser_remembers_some_accounts_only(world: World) -> None:
    client = browser()
    for number in range(MAX_COOKIES + 5):
        name = f"person{number}"
        world.make_user(name)
        assert is_let_in(client, name=name)
        client.post("/logout/")
    kept = [
        key for key, morsel in client.cookies.items() if key.startswith(PREFIX) and morsel.value
    ]
    assert len(kept) == MAX_COOKIES
    assert f"person{MAX_COOKIES + 4}" not in str(client.cookies)


def test_the_cookie_is_kept_from_scripts_and_other_sites(owner: User) -> None:
    morsel = usual_browser().cookies[cookie_name(owner)]
    assert morsel["httponly"]
    assert morsel["samesite"] == "Strict"


# --- parallel guesses ------------------------------------------------------------------------


def test_parallel_guesses_are_counted_before_the_password_is_checked(
    owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    checked, start = [], threading.Barrier(12)
    check = User.check_password

    def slowly(user: User, password: str) -> bool:
        checked.append(password)
        threading.Event().wait(0.2)
        return check(user, password)

    monkeypatch.setattr(User, "check_password", slowly)

    def attack(number: int) -> None:
        start.wait()
        try_password(browser(ATTACKER), f"wrong{number}")
        connections.close_all()

    threads = [threading.Thread(target=attack, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(checked) <= 5


# --- the second step -------------------------------------------------------------------------


def code_now(secret: str) -> str:
    return str(format_hotp_value(hotp_value(secret, next(yield_hotp_counters_from_time()))))


def try_code(client: Client, code: str) -> Any:
    return client.post("/account/second-step/authenticate/", {"code": code})


def test_wrong_codes_from_elsewhere_do_not_keep_the_owner_out(owner: User) -> None:
    usual = usual_browser()
    secret = generate_totp_secret()
    TOTP.activate(owner, secret)
    attacker = browser(ATTACKER)
    assert is_let_in(attacker)
    answers = [is_locked(try_code(attacker, "000000")) for _ in range(7)]
    assert answers == [False] * 5 + [True] * 2
    assert is_let_in(usual)
    assert try_code(usual, code_now(secret)).status_code == 302
    assert usual.get("/queue/").status_code == 200


def test_the_right_code_does_not_reset_the_count_of_wrong_ones(owner: User) -> None:
    TOTP.activate(owner, generate_totp_secret())
    codes = RecoveryCodes.activate(owner).get_unused_codes()
    for number, code in enumerate(codes[:6]):
        client = browser(ATTACKER)
        assert is_let_in(client)
        answer = try_code(client, "000000")
        assert is_locked(answer) == (number >= 5)
        if number < 4:
            assert try_code(client, code).status_code == 302
            client.cookies.clear()
    assert Authenticator.objects.filter(user=owner).count() == 2


# --- log-in names ----------------------------------------------------------------------------

LOOK_ALIKES = ["J.Shaw", "ｊ.ｓｈａｗ", "j.shаw", "j.ѕhaw", "J.SHAW"]


@pytest.mark.parametrize("name", LOOK_ALIKES)
def test_no_account_can_be_made_that_looks_like_another(
    home: Home, owner: User, world: World, logged_in: object, name: str
) -> None:
    added = CliRunner().invoke(
        app, ["--home", str(home.root), "user", "add", name], input="four-red-tricycles"
    )
    assert added.exit_code == 2
    admin = browser()
    admin.force_login(world.make_user("admin", Role.ADMINISTRATOR))
    fields = {"first_name": "J", "last_name": "S", "username": name, "role": "office"}
    page = admin.post(
        "/people/", fields | {"password": "four-red-tricycles", "again": "four-red-tricycles"}
    )
    assert "looks the same" in page.content.decode()
    with pytest.raises(ValidationError):
        User(username=name).clean()
    assert set(User.objects.values_list("username", flat=True)) == {"j.shaw", "admin"}


@pytest.mark.parametrize("name", ["J.Shaw", "ｊ.ｓｈａｗ", "J.SHAW"])
def test_the_database_refuses_a_name_in_another_case(owner: User, name: str) -> None:
    with pytest.raises(IntegrityError):
        User(username=name).save()


def test_an_account_is_changed_under_its_name_in_any_case(home: Home, owner: User) -> None:
    done = CliRunner().invoke(app, ["--home", str(home.root), "user", "close", "J.SHAW"])
    assert done.exit_code == 0, done.output
    assert not User.objects.get().is_active
