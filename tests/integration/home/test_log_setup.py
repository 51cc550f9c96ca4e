"""The log says what went wrong and names nobody."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.test import Client

from consent_gate.db.models import Item, Role
from consent_gate.home import log_setup
from consent_gate.home.home import Home
from consent_gate.operations import demo
from ingest.pipeline import ingest_once
from ingest.runtime.periodic import PeriodicTask, ScheduledTask
from tests.conftest import Clock
from tests.support.cached_analysis import CachedPool
from tests.support.factories import World
from tests.support.images import jpeg

log = logging.getLogger("consent_gate")


@pytest.fixture
def log_file(home: Home) -> Iterator[Path]:
    yield log_setup.start(home)
    log_setup.stop()


def lines(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def test_each_line_is_one_object_with_time_level_and_sentence(log_file: Path) -> None:
    log.warning("The folder of '%s' is away.", "website")
    (line,) = lines(log_file)
    assert line["event"] == "The folder of 'website' is away."
    assert (line["level"], line["logger"]) == ("warning", "consent_gate")
    assert str(line["timestamp"]).endswith("Z")


def test_a_line_is_dated_by_the_homes_clock(home: Home, clock: Clock, log_file: Path) -> None:
    clock.pass_days(300)
    log.warning("The folder of '%s' is away.", "website")
    (line,) = lines(log_file)
    told = datetime.fromisoformat(str(line["timestamp"]))
    assert abs(told - home.clock()) < timedelta(minutes=1)


def test_an_error_is_logged_by_class_and_place_without_its_message(log_file: Path) -> None:
    def look_at(path: str) -> bytes:
        return Path(path).read_bytes()

    try:
        look_at("/inbox/Ann Archer wins.jpg")
    except OSError as error:
        log.exception("A photo could not be read.")
        log.error("A photo could not be read: %s", error)
    with_place, with_kind = lines(log_file)
    assert with_place["error"] == "FileNotFoundError"
    assert "look_at" in str(with_place["where"])
    assert with_kind["event"] == (
        "A photo could not be read: FileNotFoundError: No such file or directory"
    )
    assert "Ann" not in log_file.read_text()


@pytest.mark.parametrize(
    "told",
    [
        "Not Found: /pupils/004123/",
        "cannot open /srv/inbox/sports day/Ann Archer.JPG",
        "cannot open 'C:\\inbox\\Ann Archer.jpeg' now",
        "read /srv/sims/Ann Archer export.csv",
    ],
)
def test_paths_and_numbers_in_a_log_line_are_replaced(log_file: Path, told: str) -> None:
    logging.getLogger("some.library").warning(told)
    written = log_file.read_text()
    assert "Ann" not in written
    assert "Archer" not in written
    assert "004123" not in written


def test_the_log_is_private_and_kept_short(
    home: Home, log_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_setup, "MAX_BYTES", 2000)
    monkeypatch.setattr(log_setup, "MAX_FILES", 2)
    log_setup.start(home)
    for number in range(200):
        log.info("Round %s was without any trouble.", number)
    files = sorted(log_file.parent.iterdir())
    assert [f.name for f in files] == ["gate.log", "gate.log.1", "gate.log.2"]
    assert all(f.stat().st_size <= 2000 for f in files)
    assert log_file.parent.stat().st_mode & 0o077 == 0


def test_after_real_work_with_faults_the_log_names_nobody(world: World, log_file: Path) -> None:
    """Photos called after children, a damaged one, a chore and a page that fail on them."""
    home = world.home
    world.make_pupil("000417", "Ann", "Archer", enrolled=False)
    admin = world.make_user("a.dmin", Role.ADMINISTRATOR)
    folder = home.inbox / "Ann Archer wins"
    folder.mkdir()
    (folder / "Ann Archer.jpg").write_bytes(jpeg())
    (folder / "Ben Baker.jpg").write_bytes(b"not a photo at all")
    ingest_once(home, lambda *_: None, CachedPool)
    assert Item.objects.count() == 2

    def fails(_home: Home, _pool: object) -> None:
        raise ValueError((folder / "Ann Archer.jpg").as_posix())

    ScheduledTask(PeriodicTask("A chore", 1.0, fails)).run_if_due(home, None)
    client = Client(SERVER_NAME="localhost", raise_request_exception=False)
    client.force_login(admin)
    client.get("/pupils/000417/nothing-here/")
    home.vault.rename(home.vault.with_name("gone"))
    client.get(f"/pictures/{Item.objects.order_by('pk')[0].pk}/preview.jpg")
    written = log_file.read_text()
    assert "A chore failed" in written
    for private in ("Ann", "Archer", "Ben", "Baker", "000417", "wins"):
        assert private not in written


def test_the_demonstrations_pupils_are_in_no_log(demo_school: Home) -> None:
    path = log_setup.start(demo_school)
    try:
        demo.write_event(demo_school.inbox / "Robin Ashdown")
        log.info("Work begins.")
        ingest_once(demo_school, lambda *_: None, CachedPool)
    finally:
        log_setup.stop()
    written = path.read_text()
    assert "Work begins." in written
    for name in ("Robin", "Ashdown", "Marlowe", "Fenwick", "winner", "000101"):
        assert name not in written
