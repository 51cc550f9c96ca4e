"""Days are those of the school's time zone, and files are deleted by age on the home's clock."""

from __future__ import annotations

import io
import os
import zipfile

from django.utils import timezone

from consent_gate.bootstrap import open_home
from consent_gate.home.home import Home
from consent_gate.home.settings import FILE_NAME
from consent_gate.operations.reminders import EXPORT_RETENTION_DAYS, pending_reminders, run_daily
from consent_gate.web import uploads
from ingest.enrolment import upload_queue
from sims_import.applying.drop_folder import process_drop_folder
from tests.conftest import Clock
from tests.support.imports import (
    SHIFTED_ANSWERS,
    consent_csv,
    drop_export,
    drop_folder_names,
    import_csv,
)
from tests.support.settings_override import with_section

A_ZIP = io.BytesIO()
with zipfile.ZipFile(A_ZIP, "w") as archive:
    archive.writestr("000101.jpg", b"\xff\xd8 not looked at")


def far_from_the_files_clock(clock: Clock) -> None:
    """As on a share whose server has another date than the gate's machine."""
    clock.pass_days(300)


def test_the_day_of_a_stopped_import_is_the_schools(home: Home, clock: Clock) -> None:
    """It is tomorrow already at a school in New Zealand, and half past one."""
    there = with_section(home, "school", timezone="Pacific/Auckland")
    import_csv(there, consent_csv())
    clock.advance_to(13, 30)
    import_csv(there, consent_csv(**SHIFTED_ANSWERS))
    [stopped] = [w.message for w in pending_reminders(there) if w.code.startswith("import-stopped")]
    assert f" of {there.now():%d/%m/%Y} was stopped" in stopped


def test_pages_show_the_time_of_the_home_that_was_opened_last(home: Home) -> None:
    assert timezone.get_default_timezone_name() == "Europe/London"
    settings = home.root / FILE_NAME
    settings.write_text(settings.read_text().replace("Europe/London", "Pacific/Auckland"))
    open_home(home.root)
    assert timezone.get_default_timezone_name() == "Pacific/Auckland"


def test_an_upload_is_kept_for_a_day(home: Home, clock: Clock) -> None:
    far_from_the_files_clock(clock)
    token = uploads.store(home, uploads.Upload("next.csv", b"Adno"))
    clock.pass_hours(23)
    uploads.delete_expired(home)
    assert uploads.exists(home, token)
    clock.pass_hours(2)
    uploads.delete_expired(home)
    assert not uploads.exists(home, token)


def test_photos_put_aside_are_kept_for_a_day(home: Home, clock: Clock) -> None:
    far_from_the_files_clock(clock)
    upload_queue.stage(home, "abc", io.BytesIO(A_ZIP.getvalue()))
    clock.pass_hours(23)
    upload_queue.delete_expired(home)
    assert upload_queue.is_staged(home, "abc")
    clock.pass_hours(2)
    upload_queue.delete_expired(home)
    assert not upload_queue.is_staged(home, "abc")


def test_an_old_export_is_kept_for_a_month_from_its_import(home: Home, clock: Clock) -> None:
    drop_export(home, "consent.csv", consent_csv())
    long_ago = home.now().timestamp() - 400 * 86400
    os.utime(home.sims / "consent.csv", (long_ago, long_ago))
    process_drop_folder(home)
    run_daily(home)
    assert drop_folder_names(home, "done") == ["consent.csv", "consent.csv.txt"]
    clock.pass_days(EXPORT_RETENTION_DAYS + 1)
    run_daily(home)
    assert drop_folder_names(home, "done") == []
