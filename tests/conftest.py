"""Fixtures that all tests share: homes, a clock that tests set, the test photos."""

from __future__ import annotations

import gc
import inspect
import os
import shutil
import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from filelock import FileLock
from hypothesis import settings as hypothesis_settings

from consent_gate.bootstrap import configure_django, create_home, open_home
from consent_gate.home.clock import utc_now
from consent_gate.home.home import Home
from consent_gate.home.settings import default_settings, default_toml
from tests.support import model_cache, password_hasher, postgresql
from tests.support.made_school import MadeSchool, given_school, write_made_school

# The default looks for garbage every 700 objects: a tenth of the processor time of a test run.
gc.set_threshold(20_000, 10, 10)

password_hasher.use_md5()
configure_django()

hypothesis_settings.register_profile("busy machine", deadline=None)
hypothesis_settings.load_profile("busy machine")  # a slow example is no fault of the program's

CopyHome = Callable[[Path, Path], Path]
"""Copies a home from one folder to another, which it returns."""

Prepare = Callable[[Home], object]
"""Brings an empty home into a state with which several tests begin."""

HomeAfter = Callable[[Prepare], Home]
"""Opens a home of its own for a test, in the state that a function brings an empty home to."""

ROOT = Path(__file__).parent.parent
SHARED = Path(os.environ.get("CONSENT_GATE_SHARED", ROOT.parent / "shared"))
HAS_TEST_PHOTOS = (SHARED / "data" / "school").is_dir()


class Clock:
    """A clock that tests set. It starts at the machine's time; each reading advances it 1 ms."""

    def __init__(self) -> None:
        self._moment = utc_now()

    def __call__(self) -> datetime:
        self._moment += timedelta(milliseconds=1)
        return self._moment

    def go_on_from(self, other: Clock) -> None:
        """Show the moment that another clock showed last."""
        self._moment = other._moment

    def pass_days(self, days: int) -> None:
        """Advance to the same local time on another day. A day may have 23 to 25 hours."""
        self._moment = (self.local_time() + timedelta(days=days)).astimezone(UTC)

    def pass_hours(self, hours: int) -> None:
        self._moment += timedelta(hours=hours)

    def pass_minutes(self, minutes: int) -> None:
        self._moment += timedelta(minutes=minutes)

    def advance_to(self, hour: int, minute: int) -> None:
        """Advance to the next moment at which it is this local time at the school."""
        now = self.local_time()
        then = now.replace(hour=hour, minute=minute, second=0, microsecond=0)
        self._moment = (then if then > now else then + timedelta(days=1)).astimezone(UTC)

    def local_time(self) -> datetime:
        return self._moment.astimezone(ZoneInfo(default_settings().school.timezone))


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--database",
        choices=("sqlite", "postgresql"),
        default=os.environ.get("CONSENT_GATE_TEST_DATABASE", "sqlite"),
        help="Database of the homes of all tests.",
    )
    parser.addoption(
        "--date",
        metavar="NUMBER/OF",
        help="Run the tests that set the clock, and every OF-th of the others that read it, from"
        " NUMBER on. Passed by tests.support.run_on_dates.",
    )


def pytest_configure() -> None:
    """Create the folder of cached answers before the processes of pytest-xdist start."""
    model_cache.create_folder()


def pytest_report_header() -> str:
    """Say whether the test photos are there."""
    where = str(SHARED / "data") if HAS_TEST_PHOTOS else "not here; the demonstration's serve"
    return f"real photos: {where}"


def pytest_unconfigure() -> None:
    """Remove the folder of cached answers after these processes have ended."""
    model_cache.remove_folder()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark tests that read the clock; deselect those of another database or date."""
    for item in items:
        if "clock" in getattr(item, "fixturenames", ()):
            item.add_marker("clock")
    other = "sqlite" if config.getoption("--database") == "postgresql" else "postgresql"
    left_out = [item for item in items if item.get_closest_marker(f"{other}_only")]
    if date := config.getoption("--date"):
        number, dates = map(int, date.split("/"))
        left_out += [i for i in items if i not in left_out and not _is_run_on(i, number, dates)]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]


def _is_run_on(item: pytest.Item, number: int, dates: int) -> bool:
    """Return whether a test is run on date ``number`` of ``dates``.

    A test that takes the fixture ``clock`` itself is run on every date. Other tests with a clock
    are run on one of the dates. Tests without a clock are run on none.
    """
    turns = "clock" in inspect.signature(item.function).parameters  # type: ignore[attr-defined]
    its_turn = zlib.crc32(item.nodeid.encode()) % dates == number
    return item.get_closest_marker("clock") is not None and (turns or its_turn)


@pytest.fixture(autouse=True)
def _keeps_its_priority() -> Iterator[None]:
    """Fail a test that changes the priority of this process: later tests would be slow or hang."""
    before = _priority()
    yield
    assert _priority() == before


def _priority() -> tuple[int, int]:
    return os.getpriority(os.PRIO_PROCESS, 0), os.sched_getscheduler(0)


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[postgresql.Server]:
    """A PostgreSQL server for the whole session, started when a test first needs it."""
    server = postgresql.start_server()
    yield server
    server.stop()
    shutil.rmtree(server.folder)


@pytest.fixture(scope="session")
def database_server(request: pytest.FixtureRequest) -> postgresql.Server | None:
    """The server of all homes; None where they are on SQLite."""
    if request.config.getoption("--database") == "sqlite":
        return None
    server: postgresql.Server = request.getfixturevalue("postgresql_server")
    return server


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The test photos (tests/README.md); the test is skipped where they are absent."""
    if not HAS_TEST_PHOTOS:
        pytest.skip("the test photos are not here: tests/README.md says what they are")
    return SHARED / "data"


@pytest.fixture(
    scope="session",
    params=["written here", "given"] if HAS_TEST_PHOTOS else ["written here"],
)
def made_school(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> MadeSchool:
    """A made-up school with its exports: one that is written here, and the one in ``shared``."""
    if request.param == "given":
        return given_school(SHARED)
    return write_made_school(tmp_path_factory.mktemp("made-school") / "school")


@pytest.fixture(scope="session")
def _fresh_home(
    tmp_path_factory: pytest.TempPathFactory, database_server: postgresql.Server | None
) -> Path:
    """A migrated home, made once and copied for each test."""
    return make_fresh_home(tmp_path_factory.mktemp("fresh") / "home", database_server)


def make_fresh_home(root: Path, server: postgresql.Server | None) -> Path:
    """A migrated home, on SQLite or in a database of its own of the server. It is not open."""
    root.mkdir()
    settings = root / "consent-gate.toml"
    settings.write_text(default_toml().replace("settle_seconds = 5 ", "settle_seconds = 0.05 "))
    if server is not None:
        postgresql.use_database(server, server.database(), root)
    create_home(root)
    connection.close()
    return root


@pytest.fixture(scope="session")
def _demo_school(
    _fresh_home: Path,
    tmp_path_factory: pytest.TempPathFactory,
    database_server: postgresql.Server | None,
) -> Path:
    """The demonstration's school with its photos through the real gate.

    On SQLite it is made once a run. On PostgreSQL each process of the run has a server of its own.
    """
    root = tmp_path_factory.mktemp("demo") / "home"
    if database_server is not None:
        return make_demo_school(_fresh_home, root)
    shared = model_cache.folder() / "demo-school"
    with FileLock(f"{shared}.lock"):
        if not shared.exists():
            shutil.move(make_demo_school(_fresh_home, root), shared)
    return shared


def make_demo_school(fresh_home: Path, root: Path) -> Path:
    """Copy an empty home to ``root`` and put the demonstration's school through it."""
    from consent_gate.operations import demo
    from ingest.enrolment.confirmation import confirm_photos, waiting_photos
    from ingest.enrolment.enrol import enrol
    from ingest.enrolment.sources import FolderOfPhotos
    from ingest.pipeline import ingest_once
    from sims_import.applying.apply import ExportFile
    from sims_import.applying.run import run_import
    from tests.support.cached_analysis import RememberingPool

    postgresql.copy_home(fresh_home, root)
    home = open_home(root)
    export, portraits = demo.write_school(root)
    run_import(home, ExportFile(export.name, export.read_bytes()), (), "office")
    photos = FolderOfPhotos(portraits)
    enrol(home, photos, {}, "office", lambda *_: None, open_pool=RememberingPool)
    confirm_photos(home, [photo.pk for photo in waiting_photos(home)], "office")
    demo.write_event(home.inbox)
    ingest_once(home, lambda *_: None, RememberingPool)
    connection.close()
    return root


@pytest.fixture
def argon2() -> Iterator[None]:
    """Passwords are kept as in production, for tests of logging in."""
    with password_hasher.production_hasher():
        yield


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def another_home() -> Iterator[CopyHome]:
    """Copies a home that is not open, rows and all; databases it made go after the test."""
    clean_up: list[Callable[[], None]] = []

    def copy(source: Path, target: Path) -> Path:
        connection.close()
        clean_up.append(postgresql.copy_home(source, target))
        return target

    yield copy
    connection.close()
    for drop in clean_up:
        drop()


@pytest.fixture
def home(_fresh_home: Path, tmp_path: Path, clock: Clock, another_home: CopyHome) -> Home:
    """An empty home of its own for the test, open, with the test's clock."""
    return _open_copy(another_home(_fresh_home, tmp_path / "home"), clock)


def _open_copy(root: Path, clock: Clock) -> Home:
    """Open a home whose tables this run made: nobody has to look whether they are of today."""
    return replace(open_home(root, migrated=False), clock=clock)


@pytest.fixture(scope="session")
def _prepared() -> dict[Prepare, tuple[Path, Clock]]:
    """Homes that are not open, and their clocks, by what made them."""
    return {}


@pytest.fixture
def home_after(
    _fresh_home: Path,
    _prepared: dict[Prepare, tuple[Path, Clock]],
    tmp_path_factory: pytest.TempPathFactory,
    tmp_path: Path,
    clock: Clock,
    another_home: CopyHome,
) -> HomeAfter:
    """Opens a home of its own for the test, in a state that is made once a process and copied.

    The test's clock goes on from the moment at which the state was made.
    """

    def opened(prepare: Prepare) -> Home:
        if prepare not in _prepared:
            root, its_clock = tmp_path_factory.mktemp("prepared") / "home", Clock()
            postgresql.copy_home(_fresh_home, root)
            prepare(_open_copy(root, its_clock))
            connection.close()
            _prepared[prepare] = root, its_clock
        root, its_clock = _prepared[prepare]
        clock.go_on_from(its_clock)
        return _open_copy(another_home(root, tmp_path / "home"), clock)

    return opened


@pytest.fixture
def demo_school(_demo_school: Path, tmp_path: Path, clock: Clock, another_home: CopyHome) -> Home:
    """The demonstration's school of its own for the test: 3 pupils, 10 files decided."""
    return _open_copy(another_home(_demo_school, tmp_path / "home"), clock)


@pytest.fixture(scope="session")
def _fresh_on_postgresql(
    tmp_path_factory: pytest.TempPathFactory, postgresql_server: postgresql.Server
) -> Path:
    return make_fresh_home(
        tmp_path_factory.mktemp("fresh-on-postgresql") / "home", postgresql_server
    )


@pytest.fixture
def home_on_postgresql(
    _fresh_on_postgresql: Path, tmp_path: Path, clock: Clock, another_home: CopyHome
) -> Home:
    """Like ``home``, and on PostgreSQL whatever the other tests run on."""
    root = another_home(_fresh_on_postgresql, tmp_path / "home-on-postgresql")
    return _open_copy(root, clock)
