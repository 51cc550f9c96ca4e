"""The commands: what they print, their exit codes, and that they name no pupil without need."""

from __future__ import annotations

import getpass
import json
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from PIL import Image
from typer.testing import CliRunner

from consent_gate.cli.app import app
from consent_gate.db.models import AuditEntry, EventClasses, Item, NeverPublishLift, PupilEntry
from consent_gate.errors import ItemNotFound
from consent_gate.home.home import Home
from consent_gate.operations import demo
from sims_import.applying.drop_folder import process_drop_folder
from tests.conftest import HomeAfter
from tests.support.cached_analysis import CachedPool
from tests.support.fake_renderer import make_photo, make_two_out, published_files
from tests.support.imports import consent_csv, consent_csv_of


@pytest.fixture
def out(home_after: HomeAfter) -> Home:
    """Two pictures are out: Ann, and Ann with Ben."""
    return home_after(make_two_out)


def run(home: Home, *words: str, ends_with: int = 0) -> str:
    """What the command prints. It has to end with this code."""
    connection.close()
    result = CliRunner().invoke(app, ["--home", str(home.root), *words])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == ends_with, result.output
    return result.stdout


def told(home: Home, *words: str, ends_with: int = 0) -> list[dict[str, Any]]:
    """The objects that the command prints for a program."""
    lines = run(home, *words, "--json", ends_with=ends_with).splitlines()
    return [json.loads(line) for line in lines]


def last_actor(action: str) -> str:
    return AuditEntry.objects.filter(action=action).order_by("-sequence")[0].actor


def test_pictures_are_listed_and_explained(out: Home) -> None:
    listed = told(out, "items", "--event", "sports-day")
    assert [len(item["faces"]) for item in sorted(listed, key=lambda i: len(i["faces"]))] == [1, 2]
    for item in listed:
        assert item.keys() == {"id", "source", "sha256", "state", "faces", "channels"}
        assert item["channels"]["website"]["verdict"] == "released"
        (explained,) = told(out, "explain", item["source"])
        assert explained["id"] == item["id"]
        assert "pupil 000001" in run(out, "explain", item["id"])
    assert told(out, "items", "--event", "fair") == []
    assert told(out, "items", "--state", "received") == []
    with pytest.raises(ItemNotFound):
        run(out, "explain", "sports-day/nothing.jpg")


def test_times_are_printed_in_the_schools_time_zone(out: Home) -> None:
    Item.objects.update(received_at=datetime(2026, 7, 1, 12, 30, tzinfo=UTC))
    assert "received 01/07/2026 13:30" in run(out, "explain", Item.objects.all()[0].pk)


def test_photos_of_any_name_are_listed_as_they_are_called(out: Home) -> None:
    make_photo(out, "000001", event="trip [/red] [b]")
    assert "trip [/red] [b]" in run(out, "items", "--event", "trip [/red] [b]")


@pytest.mark.slow
def test_a_picture_is_checked_by_the_confined_workers(demo_school: Home) -> None:
    assert_checked_and_not_taken_in(demo_school)


def test_a_picture_is_checked_without_being_taken_in(
    demo_school: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingest.workers.analysis_pool.AnalysisPool", CachedPool)
    assert_checked_and_not_taken_in(demo_school)


def assert_checked_and_not_taken_in(demo_school: Home) -> None:
    demo.write_event(demo_school.root / "again")
    photos = sorted((demo_school.root / "again").rglob("*.*"))
    known, taken = Item.objects.count(), AuditEntry.objects.count()
    (cleared,) = told(demo_school, "check", str(photos[0]))
    assert {channel["verdict"] for channel in cleared["channels"].values()} == {"released"}
    (held,) = told(demo_school, "check", str(photos[5]), ends_with=1)
    assert {channel["verdict"] for channel in held["channels"].values()} == {"held"}
    assert (Item.objects.count(), AuditEntry.objects.count()) == (known, taken)


def test_the_folders_are_compared_with_what_was_released(out: Home) -> None:
    assert told(out, "publish", "verify") == [{"ok": True, "problems": []}]
    (out.approved("website") / "IMG_1.jpg").write_bytes(b"somebody's own picture")
    (found,) = told(out, "publish", "verify", ends_with=1)
    assert [(p["channel"], p["file"], p["problem"]) for p in found["problems"]] == [
        ("website", "IMG_1.jpg", "unknown")
    ]


def test_the_audit_trail_is_verified_and_exported(out: Home, tmp_path: Path) -> None:
    run(out, "audit", "export", str(tmp_path / "trail.jsonl"))
    assert (tmp_path / "trail.jsonl").stat().st_mode & 0o077 == 0
    assert last_actor("audit.exported") == getpass.getuser()
    (whole,) = told(out, "audit", "verify")
    written = (tmp_path / "trail.jsonl").read_text().splitlines()
    assert (whole["ok"], whole["entries"]) == (True, len(written))
    sequence = json.loads(written[0])["sequence"]
    AuditEntry.objects.filter(sequence=sequence).update(actor="somebody else")
    (broken,) = told(out, "audit", "verify", ends_with=1)
    assert broken["breaks"]


def test_a_copy_of_a_picture_is_made_that_carries_nothing(home: Home, tmp_path: Path) -> None:
    photo, clean = tmp_path / "IMG_1.jpg", tmp_path / "clean.jpg"
    exif = Image.Exif()
    exif[0x013B] = "Robin Ashdown"
    Image.new("RGB", (320, 240), (90, 120, 60)).save(photo, exif=exif)
    (found,) = told(home, "verify", str(photo), ends_with=1)
    assert found["findings"]
    run(home, "sanitise", str(photo), str(clean))
    assert told(home, "verify", str(clean)) == [{"ok": True, "findings": []}]


def test_a_family_learns_what_is_held_and_has_it_forgotten(out: Home, tmp_path: Path) -> None:
    (facts,) = told(out, "pupil", "show", "000001")
    assert "000001" in json.dumps(facts)
    request = tmp_path / "request.zip"
    run(out, "pupil", "export", "000001", str(request), "--by", "j.shaw")
    assert zipfile.ZipFile(request).namelist()
    assert request.stat().st_mode & 0o077 == 0
    assert last_actor("pupil.exported") == "j.shaw"
    run(out, "pupil", "erase", "000001", ends_with=1)
    assert PupilEntry.objects.filter(admission_number="000001").exists(), "--confirm was not said"
    (certificate,) = told(out, "pupil", "erase", "000001", "--confirm")
    assert certificate["by"] == getpass.getuser()
    assert not PupilEntry.objects.filter(admission_number="000001").exists()
    assert published_files(out) == {}


def test_an_import_is_shown_and_its_grants_are_undone(home: Home, tmp_path: Path) -> None:
    export = tmp_path / "consent.csv"
    export.write_text(consent_csv())
    run(home, "import-sims", str(export))
    ((number, by),) = ((row["import"], row["by"]) for row in told(home, "imports", "list"))
    assert by == getpass.getuser()
    (shown,) = told(home, "imports", "show", str(number))
    assert len({change["pupil"] for change in shown["changes"]}) == 40
    (undone,) = told(home, "imports", "undo-grants", str(number), "--by", "j.shaw")
    assert len(undone["pupils"]) == 40
    assert told(home, "imports", "list")[0]["undone_by"] == "j.shaw"


def test_a_stopped_file_is_accepted_by_name(home: Home, tmp_path: Path) -> None:
    export = tmp_path / "consent.csv"
    export.write_text(consent_csv())
    run(home, "import-sims", str(export))
    (home.sims / "next.csv").write_text(consent_csv_of(20))
    process_drop_folder(home)
    number = str(told(home, "imports", "list")[0]["import"])
    (stopped,) = told(home, "imports", "accept", number, ends_with=1)
    codes = [brake["code"] for brake in stopped["blocked"]]
    assert codes == ["many-leavers"]
    (done,) = told(home, "imports", "accept", number, "--accept", "many-leavers", "--by", "j.shaw")
    assert (done["status"], len(done["leavers"])) == ("applied", 20)
    assert told(home, "imports", "list")[0]["by"] == "j.shaw"


def test_the_classes_of_an_event_are_set_and_a_wrong_class_is_reported(out: Home) -> None:
    run(out, "event-classes", "sports-day", "9Z", ends_with=2)
    assert not EventClasses.objects.exists()
    run(out, "event-classes", "sports-day", "5B", "--by", "j.shaw")
    assert EventClasses.objects.get().reg_groups == ["5B"]
    assert last_actor("event.classes_named") == "j.shaw"


def test_a_request_to_lift_a_mark_can_be_refused(out: Home) -> None:
    PupilEntry.objects.filter(admission_number="000002").update(never_publish=True)
    assert "confirm-lift 000002" in run(out, "pupil", "lift-mark", "000002", "--by", "j.brown")
    assert NeverPublishLift.objects.get().asked_by == "j.brown"
    run(out, "pupil", "keep-mark", "000002")
    assert not NeverPublishLift.objects.exists()
    assert PupilEntry.objects.get(admission_number="000002").never_publish


def test_after_the_keys_changed_everything_still_opens(demo_school: Home) -> None:
    old = (demo_school.root / "secrets" / "vault.key").read_text()
    (changed,) = told(demo_school, "keys", "change", "--by", "t.smith")
    assert changed["sealed_anew"] > 0
    assert (demo_school.root / "secrets" / "vault.key").read_text() != old
    assert told(demo_school, "audit", "verify")[0]["ok"]
    assert last_actor("keys.changed") == "t.smith"


def test_a_new_layout_is_applied_after_a_dry_run_and_a_persons_word(
    home: Home, tmp_path: Path
) -> None:
    export, mapping = tmp_path / "consent.csv", tmp_path / "mapping.toml"
    export.write_text("Adno,Surname,Pictures online\n000301,Moss,Yes\n000302,Page,No\n")
    mapping.write_text('[columns]\n"pictures online" = "consent:website"\n')
    options = [str(export), "--mapping", str(mapping)]
    shown = run(home, "import-sims", *options, "--dry-run")
    assert "What the file says" in shown
    assert "000301" in shown
    (tried,) = told(home, "import-sims", *options, ends_with=1)
    assert [block["code"] for block in tried["blocked"]] == ["layout"]
    assert not any(row["consents"]["website"]["live"] for row in told(home, "pupil", "list"))
    (applied,) = told(home, "import-sims", *options, "--accept", "layout")
    assert applied["status"] == "applied"
    live = {row["pupil"]: row["consents"]["website"]["live"] for row in told(home, "pupil", "list")}
    assert live == {"000301": True, "000302": False}
