"""``consent-gate run`` under a service manager: it starts, answers, and stops in time."""

from __future__ import annotations

import http.client
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from django.db import connection

from consent_gate.db.models import Item, ItemState
from consent_gate.errors import UpgradeNeeded
from consent_gate.home.home import Home
from consent_gate.operations import demo
from tests.support.gate_thread import wait_until
from tests.support.http_server import free_port

ROOT = Path(__file__).parents[3]


@pytest.fixture
def port(demo_school: Home) -> int:
    """A port that is free, and in the settings of the demonstration's school."""
    number = free_port()
    settings = demo_school.root / "consent-gate.toml"
    text = settings.read_text().replace("port = 8000", f"port = {number}")
    settings.write_text(text.replace("workers = 0", "workers = 1"))
    return number


def run(home: Home) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "consent_gate", "--home", str(home.root), "run"]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def answers(port: int, keep: list[http.client.HTTPConnection]) -> Callable[[], bool]:
    def ask() -> bool:
        browser = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            browser.request("GET", "/healthz")
            browser.getresponse().read()
        except OSError:
            return False
        keep.append(browser)
        return True

    return ask


@pytest.mark.slow
def test_the_service_stops_in_time_with_browsers_open_and_a_photo_in_hand(
    demo_school: Home, port: int
) -> None:
    browsers: list[http.client.HTTPConnection] = []
    gate = run(demo_school)
    try:
        wait_until(answers(port, browsers))
        (demo_school.inbox / "late.jpg").write_bytes(demo.event_photos()[0].data + b"late")
        wait_until(lambda: Item.objects.filter(state=ItemState.RECEIVED, attempts=1))
        gate.send_signal(signal.SIGTERM)
        assert gate.wait(timeout=10) == 0
    finally:
        gate.kill()
        for browser in browsers:
            browser.close()
    late = Item.objects.get(source="late.jpg")
    assert (late.state, late.attempts) == (ItemState.RECEIVED, 0), "it was no attempt"


def test_a_database_of_another_version_stops_the_service_for_good(demo_school: Home) -> None:
    """The unit does not start it again for this code; 'migrate' keeps a copy before it changes."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'gate'")
    connection.close()
    gate = run(demo_school)
    assert gate.wait(timeout=120) == UpgradeNeeded.exit_code
    assert gate.stderr
    assert b"consent-gate migrate" in gate.stderr.read()
