"""Monitoring: what the gate reports to programs, and what it never reports."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from django.conf import settings
from django.test import Client
from prometheus_client.parser import text_string_to_metric_families

from consent_gate.home.home import Home
from ingest.runtime.heartbeat import Heartbeat, write_heartbeat
from tests.support.factories import STRANGER, World, matches
from tests.support.settings_override import with_section

TOKEN = "a-token-made-by-the-technician"


@pytest.fixture
def school(world: World) -> World:
    world.make_pupil("000417", "Ann", "Archer")
    world.make_item(matches("000417"), name="Ann Archer.jpg")
    world.make_item(STRANGER)
    alive(world.home)
    return world


def alive(home: Home, **more: object) -> None:
    """The gate said a moment ago that it works."""
    write_heartbeat(home, Heartbeat(at=home.now().isoformat(), watching="by events", **more))  # type: ignore[arg-type]


def ask(path: str, **headers: str) -> tuple[int, str]:
    answer = Client(SERVER_NAME="localhost").get(path, headers=headers)
    return answer.status_code, answer.content.decode()


def figures(text: str) -> dict[tuple[str, ...], float]:
    """By metric and label."""
    return {
        (sample.name.removeprefix("consent_gate_"), *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def set_a_token(home: Home) -> None:
    path = home.secrets / "metrics-token"
    path.write_text(TOKEN + "\n")
    path.chmod(0o600)


def test_a_working_gate_answers_200(school: World) -> None:
    status, body = ask("/healthz")
    assert (status, '"status": "ok"' in body) == (200, True)


@pytest.mark.dialect
def test_a_gate_not_heard_of_for_long_answers_503(school: World, clock: object) -> None:
    later = replace(school.home, clock=lambda: school.home.clock() + timedelta(hours=1))
    settings.CONSENT_GATE_HOME = later
    status, body = ask("/healthz")
    assert (status, '"running": "bad"' in body) == (503, True)


def test_a_gate_that_reports_a_fault_answers_503(school: World) -> None:
    alive(school.home, trouble="The disk is full.")
    status, body = ask("/healthz")
    assert (status, "disk is full" in body) == (503, False)


def test_a_gate_whose_inbox_is_gone_answers_503(school: World) -> None:
    school.home.inbox.rmdir()
    assert ask("/healthz")[0] == 503


def test_health_names_only_the_failed_check(school: World) -> None:
    school.home.inbox.rmdir()
    _, body = ask("/healthz")
    assert str(school.home.root) not in body
    assert "/" not in body


@pytest.mark.dialect
def test_the_figures_are_those_of_the_ledger(school: World) -> None:
    status, body = ask("/metrics")
    assert status == 200
    found = figures(body)
    assert found["pictures", "decided"] == 2
    assert found["held_pictures", "website"] == 1
    assert found["templates",] == 1
    assert found["register_age_days",] == 7
    assert found["well", "database"] == 1
    assert found["audit_entries",] > 0
    assert found["inbox_files_waiting",] == 0
    assert found["free_bytes", "vault"] > 0


def test_no_figure_names_a_pupil_a_photo_or_a_path(school: World) -> None:
    body = ask("/metrics")[1]
    for private in ("000417", "Ann", "Archer", ".jpg", "sports-day", str(school.home.root)):
        assert private not in body


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "Via", "X-Real-Ip"])
def test_a_request_through_a_proxy_needs_the_token(school: World, header: str) -> None:
    assert ask("/metrics", **{header: "127.0.0.1"})[0] == 401
    set_a_token(school.home)
    through = {header: "203.0.113.9", "Authorization": f"Bearer {TOKEN}"}
    assert ask("/metrics", **through)[0] == 200


def test_another_machine_needs_the_token(school: World) -> None:
    elsewhere = Client(SERVER_NAME="localhost", REMOTE_ADDR="10.0.0.7")
    assert elsewhere.get("/metrics").status_code == 401
    set_a_token(school.home)
    assert elsewhere.get("/metrics").status_code == 401
    for token, status in ((TOKEN, 200), ("guess", 401), ("", 401)):
        answer = elsewhere.get("/metrics", headers={"Authorization": f"Bearer {token}"})
        assert answer.status_code == status


def test_asked_for_by_its_public_name_it_needs_the_token(
    school: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A proxy on the same machine that tells nothing of itself."""
    monkeypatch.setattr(settings, "ALLOWED_HOSTS", ["gate.school.example"])
    by_name = Client(SERVER_NAME="gate.school.example")
    assert by_name.get("/metrics").status_code == 401


def test_once_there_is_a_token_this_machine_needs_it_as_well(school: World) -> None:
    set_a_token(school.home)
    assert ask("/metrics")[0] == 401
    assert ask("/metrics", Authorization=f"Bearer {TOKEN}")[0] == 200


def test_behind_https_even_this_machine_needs_the_token(school: World) -> None:
    settings.CONSENT_GATE_HOME = with_section(school.home, "web", https=True)
    assert ask("/metrics")[0] == 401


def test_an_empty_token_file_opens_nothing(school: World) -> None:
    (school.home.secrets / "metrics-token").write_text("")
    elsewhere = Client(SERVER_NAME="localhost", REMOTE_ADDR="10.0.0.7")
    assert elsewhere.get("/metrics", headers={"Authorization": "Bearer "}).status_code == 401


def test_a_stale_consent_list_is_no_fault_of_the_machine(school: World) -> None:
    later = replace(school.home, clock=lambda: school.home.clock() + timedelta(days=400))
    settings.CONSENT_GATE_HOME = later
    alive(later)
    assert ask("/healthz")[0] == 200
