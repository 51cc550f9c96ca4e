"""A calibration on the school's own portraits, by command."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from typer.testing import CliRunner

from consent_gate.cli import calibrate as calibrate_command
from consent_gate.cli.app import app
from consent_gate.home.home import Home
from consent_gate.matching.calibration import DetectionBySize, DetectionCounts
from consent_gate.operations import demo
from ingest.enrolment.size_study import found_by_size
from ingest.enrolment.sources import FolderOfPhotos
from tests.conftest import Clock
from tests.support.cached_analysis import CachedPool


class Watched(FolderOfPhotos):
    """The folder, noting which files were opened."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.opened: list[str] = []

    def read(self, name: str) -> bytes:
        self.opened.append(name)
        return super().read(name)


@pytest.fixture
def portraits(tmp_path: Path) -> Path:
    return demo.write_school(tmp_path)[1]


def no_face_in(portrait: Path) -> None:
    Image.new("RGB", (300, 300), "grey").save(portrait)


def sizes_of(home: Home, photos: FolderOfPhotos) -> DetectionBySize:
    return found_by_size(home, photos, {}, lambda *_: None, CachedPool)


@pytest.mark.slow
def test_a_large_face_is_found_and_what_is_lost_on_the_way_down_is_counted(
    demo_school: Home, portraits: Path
) -> None:
    found = found_by_size(demo_school, FolderOfPhotos(portraits), {}, lambda *_: None, CachedPool)
    assert (found.portraits, found.unusable) == (2, 0)
    assert found.sizes[96] == DetectionCounts(face=2, possible=0, missed=0)
    assert found.sizes[48] == DetectionCounts(face=2, possible=0, missed=0)
    assert all(one.shown == 2 for one in found.sizes.values())


def test_the_portrait_of_a_pupil_without_biometric_consent_stays_closed(
    demo_school: Home, portraits: Path
) -> None:
    for name in ("000101.jpg", "000102.jpg"):
        no_face_in(portraits / name)  # what is opened counts here, and a search takes seconds
    watched = Watched(portraits)
    sizes_of(demo_school, watched)
    assert sorted(watched.opened) == ["000101.jpg", "000102.jpg"]


def test_a_portrait_that_cannot_be_used_is_counted_not_skipped(
    demo_school: Home, portraits: Path
) -> None:
    (portraits / "000101.jpg").write_bytes(b"no picture")
    no_face_in(portraits / "000102.jpg")
    found = found_by_size(demo_school, FolderOfPhotos(portraits), {}, lambda *_: None, CachedPool)
    assert (found.portraits, found.unusable) == (0, 2)


def calibrate(home: Home, *options: str) -> dict[str, Any]:
    done = CliRunner().invoke(app, ["--home", str(home.root), "calibrate", "--json", *options])
    assert done.exit_code == 0, done.output
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


@pytest.mark.slow
def test_the_confined_workers_find_the_portraits_and_the_report_says_so(
    demo_school: Home, portraits: Path
) -> None:
    assert_report_counts(2, demo_school, portraits)


def test_the_command_puts_what_was_found_into_the_report(
    demo_school: Home, portraits: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    quick = partial(found_by_size, open_pool=CachedPool)
    monkeypatch.setattr("ingest.enrolment.size_study.found_by_size", quick)
    no_face_in(portraits / "000102.jpg")
    assert_report_counts(1, demo_school, portraits)


def assert_report_counts(usable: int, demo_school: Home, portraits: Path) -> None:
    answer = calibrate(demo_school, "--photos", str(portraits))
    assert answer["found_by_size"]["96"] == {"face": usable, "possible": 0, "missed": 0}
    page = Path(str(answer["report"])).read_text("utf-8")
    assert f"<p>{usable} of the school's enrolment photos." in page
    assert f"<th>96 px</th><td>{usable}</td><td>0</td><td>0</td>" in page


def test_without_photos_the_report_says_that_finding_was_not_measured(demo_school: Home) -> None:
    answer = calibrate(demo_school)
    assert answer["found_by_size"] is None
    page = Path(str(answer["report"])).read_text("utf-8")
    assert "<p>Not measured. Enrolment photos are not kept" in page


def test_unknown_faces_are_assumed_until_the_gate_has_seen_enough(
    demo_school: Home, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock.pass_days(73)
    faces, basis = calibrate_command.unknown_faces(demo_school, None)
    assert (faces, "assumed" in basis) == (calibrate_command.UNKNOWN_FACES_A_YEAR, True)
    monkeypatch.setattr(calibrate_command, "MIN_PHOTOS", 5)
    faces, basis = calibrate_command.unknown_faces(demo_school, None)
    # a class-mate without consent and a visitor in a fifth of a year
    assert faces == pytest.approx(2 * 365 / 73, rel=0.01)
    assert "counted in" in basis


def test_a_week_of_photos_says_nothing_of_a_year(
    demo_school: Home, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock.pass_days(7)
    monkeypatch.setattr(calibrate_command, "MIN_PHOTOS", 5)
    assert "assumed" in calibrate_command.unknown_faces(demo_school, None)[1]


def test_what_staff_know_better_goes_before_any_count(demo_school: Home) -> None:
    assert calibrate_command.unknown_faces(demo_school, 12) == (12.0, "as entered")
