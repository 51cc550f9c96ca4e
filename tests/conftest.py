"""What tests share: a school to work on, a clock to turn, the real photos where they are."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from consent_gate.bootstrap import Home, create_home, open_home, prepare_django

prepare_django()

ROOT = Path(__file__).parent.parent
SHARED = Path(os.environ.get("CONSENT_GATE_SHARED", ROOT.parent / "shared"))


class Clock:
    """A clock that tests set."""

    def __init__(self) -> None:
        self.moment = datetime.now(UTC)

    def __call__(self) -> datetime:
        self.moment += timedelta(milliseconds=1)
        return self.moment

    def pass_days(self, days: int) -> None:
        self.moment += timedelta(days=days)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """``../shared/data`` with real photos; the test is skipped where it is absent."""
    if not (SHARED / "data" / "school").is_dir():
        pytest.skip("the real photos of ../shared/data are not here")
    return SHARED / "data"


@pytest.fixture(scope="session")
def _fresh_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated home, made once and copied for each test."""
    root = tmp_path_factory.mktemp("fresh") / "home"
    create_home(root)
    from django.db import connection

    connection.close()
    settings = root / "consent-gate.toml"
    settings.write_text(
        settings.read_text().replace("settle_seconds = 5 ", "settle_seconds = 0.05 ")
    )
    return root


@pytest.fixture(scope="session")
def _demo_school(_fresh_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demonstration's school with its photos through the real gate, made once."""
    from consent_gate import demo
    from ingest.pipeline import ingest_once
    from sims_import.apply import ExportFile, carry_out
    from sims_import.enrol import FolderOfPhotos, enrol

    root = tmp_path_factory.mktemp("demo") / "home"
    shutil.copytree(_fresh_home, root)
    home = open_home(root)
    export, portraits = demo.write_school(root)
    carry_out(home, ExportFile(export.name, export.read_bytes()), (), "office")
    enrol(home, FolderOfPhotos(portraits), {}, "office", lambda *_: None)
    demo.write_event(home.inbox)
    ingest_once(home, lambda *_: None)
    from django.db import connection

    connection.close()
    return root


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def home(_fresh_home: Path, tmp_path: Path, clock: Clock) -> Iterator[Home]:
    """An empty home of its own for the test, open, with the test's clock."""
    yield from _copy_of(_fresh_home, tmp_path, clock)


@pytest.fixture
def demo_school(_demo_school: Path, tmp_path: Path, clock: Clock) -> Iterator[Home]:
    """The demonstration's school of its own for the test: 3 pupils, 10 files decided."""
    yield from _copy_of(_demo_school, tmp_path, clock)


def _copy_of(source: Path, tmp_path: Path, clock: Clock) -> Iterator[Home]:
    root = tmp_path / "home"
    shutil.copytree(source, root)
    yield replace(open_home(root), clock=clock)
    from django.db import connection

    connection.close()
