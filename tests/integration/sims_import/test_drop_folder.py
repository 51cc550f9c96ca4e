"""Exports in the drop folder are imported without a command."""

from __future__ import annotations

import io
import threading
import time
import zipfile

import pytest

from consent_gate.db.models import ConsentAnswer, ImportRun, PupilEntry, Restore, Template
from consent_gate.home.home import Home
from consent_gate.operations import demo
from ingest.enrolment import upload_queue
from sims_import.applying.drop_folder import accept_blocked, process_drop_folder
from tests.support.cached_analysis import enrol_without_workers
from tests.support.imports import (
    SHIFTED_ANSWERS,
    consent_csv,
    drop_export,
    drop_folder_names,
    import_csv,
)
from tests.support.settings_override import with_section


def test_a_dropped_export_is_imported_and_put_away_with_a_note(home: Home) -> None:
    drop_export(home, "consent.csv", consent_csv())
    (result,) = process_drop_folder(home)
    assert result["status"] == "applied"
    assert PupilEntry.objects.count() == 40
    assert ImportRun.objects.get().actor == "drop folder"
    assert drop_folder_names(home, "done") == ["consent.csv", "consent.csv.txt"]
    note = (home.sims / "done" / "consent.csv.txt").read_text()
    assert "New pupils: 40" in note
    assert "- School website, yes: 40 (0), such as 007000, 007001, 007002" in note
    assert "Name1" not in note, "no names in notes"
    assert process_drop_folder(home) == []


def test_an_empty_drop_folder_costs_no_waiting(home: Home) -> None:
    patient, began = with_section(home, "inbox", settle_seconds=200.0), time.monotonic()
    assert process_drop_folder(patient) == []
    assert time.monotonic() - began < 100


def test_a_file_that_is_still_growing_is_left_for_the_next_scan(home: Home) -> None:
    text, stop = consent_csv(), threading.Event()
    drop_export(home, "consent.csv", text[:400])

    def copy_on() -> None:
        with (home.sims / "consent.csv").open("a") as file:
            while not stop.wait(0.005):
                file.write(" ")
                file.flush()

    copying = threading.Thread(target=copy_on)
    copying.start()
    try:
        assert process_drop_folder(home) == []
    finally:
        stop.set()
        copying.join()
    assert PupilEntry.objects.count() == 0
    drop_export(home, "consent.csv", text)
    assert len(process_drop_folder(home)) == 1
    assert PupilEntry.objects.count() == 40


def test_a_blocked_import_waits_for_a_person_and_holds_meanwhile(home: Home) -> None:
    import_csv(home, consent_csv(**SHIFTED_ANSWERS))
    drop_export(home, "next.csv", consent_csv(_007039="T,,T,T,,"))
    (result,) = process_drop_folder(home)
    assert result["status"] == "blocked"
    run = ImportRun.objects.latest("pk")
    assert drop_folder_names(home, "waiting") == [f"{run.pk} next.csv", f"{run.pk} next.csv.txt"]
    mag = ConsentAnswer.objects.get(pupil__admission_number="007039", purpose="mag")
    assert mag.answer == "not_stated"
    assert ConsentAnswer.objects.filter(purpose="website", answer="given").count() == 20
    assert process_drop_folder(home) == [], "not tried again and again"

    result = accept_blocked(home, run.pk, ["many-grants:website"], "j.brown")
    assert result["status"] == "applied"
    assert ConsentAnswer.objects.filter(purpose="website", answer="given").count() == 40
    assert ImportRun.objects.latest("pk").actor == "j.brown"
    assert "next.csv" in drop_folder_names(home, "done")


def test_a_file_that_is_no_export_waits_with_the_reason(home: Home) -> None:
    drop_export(home, "letter.csv", b"\x00\x01\x02 not an export")
    (result,) = process_drop_folder(home)
    assert result["status"] == "blocked"
    assert ImportRun.objects.get().status == ImportRun.Status.BLOCKED
    assert any(name.endswith("letter.csv.txt") for name in drop_folder_names(home, "waiting"))


@pytest.mark.parametrize("name", ["~$consent.xlsx", ".consent.csv", "consent.csv.part"])
def test_files_that_programs_leave_behind_are_no_exports(home: Home, name: str) -> None:
    drop_export(home, name, consent_csv())
    assert process_drop_folder(home) == []
    assert not ImportRun.objects.exists()


def test_a_link_is_not_followed(home: Home) -> None:
    (home.root / "elsewhere.csv").write_text(consent_csv())
    (home.sims / "consent.csv").symlink_to(home.root / "elsewhere.csv")
    assert process_drop_folder(home) == []


def test_a_withdrawal_never_waits_for_photos_that_cannot_be_looked_at(home: Home) -> None:
    """After a restore no face is compared before there is a fresh export: it has to come in."""
    run = import_csv(home, consent_csv()).run
    Restore.objects.create(
        restored_at=home.now(),
        on=home.now().date(),
        backup_made_at=home.now(),
        newest_import=run.pk,
    )
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("nobody.jpg", b"")
    upload_queue.stage(home, "token", io.BytesIO(packed.getvalue()))
    upload_queue.enqueue(home, "token", "photos.zip", "office", None)
    drop_export(home, "a-photos.zip", packed.getvalue())
    drop_export(home, "consent.csv", consent_csv(_007039="T,,T,T,,"))
    (result,) = process_drop_folder(home)
    assert result["withdrawn"] == ["007039"]
    queued = ImportRun.objects.filter(file_name__in=("photos.zip", "a-photos.zip"))
    assert set(queued.values_list("status", flat=True)) == {"applied"}


def test_a_crash_before_the_file_was_moved_does_not_import_it_twice(home: Home) -> None:
    drop_export(home, "consent.csv", consent_csv())
    process_drop_folder(home)
    (home.sims / "done" / "consent.csv").rename(home.sims / "consent.csv")
    process_drop_folder(home)
    assert ImportRun.objects.count() == 1
    assert "consent.csv" in drop_folder_names(home, "done")


def test_portraits_come_in_a_zip_with_the_export(home: Home) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("consent.csv", demo.EXPORT)
        for name, data in demo.portraits().items():
            archive.writestr(f"portraits/{name}", data)
    drop_export(home, "all.zip", packed.getvalue())
    (result,) = process_drop_folder(with_section(home, "analysis", workers=1))
    assert result["enrolled"] == ["000101", "000102"]
    assert [left["pupil"] for left in result["not_enrolled"]] == ["000103"]
    assert Template.objects.count() == 4


def test_portraits_dropped_later_are_enrolled_once(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    enrol_without_workers(monkeypatch)
    import_csv(home, demo.EXPORT)
    folder = home.sims / "photos"
    folder.mkdir()
    for name, data in demo.portraits().items():
        (folder / name).write_bytes(data)
    process_drop_folder(home)
    assert Template.objects.count() == 4
    notes = drop_folder_names(home, "done")
    process_drop_folder(home)
    assert drop_folder_names(home, "done") == notes


def test_a_dropped_pdf_waits_with_a_note_that_says_what_to_do(home: Home) -> None:
    drop_export(home, "consent.pdf", b"%PDF-1.7")
    (result,) = process_drop_folder(home)
    assert result["status"] == "blocked"
    (note,) = (home.sims / "waiting").glob("*consent.pdf.txt")
    assert "copy the table into Excel and save that as .xlsx" in note.read_text()
    assert process_drop_folder(home) == []


def test_a_dropped_json_list_is_imported(home: Home) -> None:
    drop_export(home, "consent.json", '[{"Adno": "000301", "Photograph - Website": true}]')
    (result,) = process_drop_folder(home)
    assert result["added"] == ["000301"]


def test_a_withdrawal_in_a_zipped_list_of_another_kind_arrives(home: Home) -> None:
    drop_export(home, "first.json", '[{"Adno": "000301", "Photograph - Website": true}]')
    process_drop_folder(home)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("list.json", '[{"Adno": "000301", "Photograph - Website": false}]')
    drop_export(home, "next.zip", packed.getvalue())
    process_drop_folder(home)
    assert not ConsentAnswer.objects.filter(purpose="website", answer="given").exists()


def test_the_note_of_an_unreadable_file_says_that_nothing_was_applied(home: Home) -> None:
    drop_export(home, "consent.pdf", b"%PDF-1.7")
    process_drop_folder(home)
    (note,) = (home.sims / "waiting").glob("*consent.pdf.txt")
    assert "Nothing in this file was read or applied." in note.read_text()
    assert "in force already" not in note.read_text()
