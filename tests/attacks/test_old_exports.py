"""An export that was imported before must not come back as news, by whatever way it comes in."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from consent_gate.db.models import ConsentAnswer, ImportRun, PupilEntry
from consent_gate.home.home import Home
from sims_import.applying.apply import ExportFile
from sims_import.applying.drop_folder import accept_blocked, process_drop_folder
from sims_import.applying.run import run_import

HEAD = "Adno,Surname,Forename,Website,Mag,Displays,Biometric Consent"
FIRST = [HEAD, *(f"{7000 + n:06},Moss{n},Ada{n},T,T,T,T" for n in range(1, 31))]
LATER = [HEAD, "007001,Moss1,Ada1,,T,T,T", *FIRST[2:-1], "007031,Page,Eve,T,T,T,T"]
"""7001 has withdrawn the website, 7030 has left, 7031 is new."""


def website() -> set[str]:
    given = ConsentAnswer.objects.filter(purpose="website", answer="given", pupil__on_roll=True)
    return set(given.values_list("pupil__admission_number", flat=True))


def on_roll() -> set[str]:
    return set(PupilEntry.objects.filter(on_roll=True).values_list("admission_number", flat=True))


def text(lines: list[str], run_on: str = "") -> bytes:
    return "\n".join([*([f"Run: {run_on}"] if run_on else []), *lines]).encode()


def drop(home: Home, name: str, data: bytes) -> dict[str, object]:
    (home.sims / name).write_bytes(data)
    (result,) = process_drop_folder(home)
    return result


def codes(result: dict[str, object]) -> list[str]:
    return [block["code"] for block in result["blocked"]]  # type: ignore[attr-defined]


@pytest.fixture
def after_both(home: Home) -> Home:
    """A home in which a newer export has taken back what the first gave."""
    assert drop(home, "september.csv", text(FIRST))["status"] == "applied"
    assert drop(home, "november.csv", text(LATER))["status"] == "applied"
    assert "007001" not in website()
    assert "007030" not in on_roll()
    return home


def nothing_came_back() -> None:
    assert "007001" not in website()
    assert "007030" not in on_roll()
    assert "007031" in on_roll()


def test_the_first_export_dropped_again_gives_nothing_back(after_both: Home) -> None:
    result = drop(after_both, "september.csv", text(FIRST))
    assert codes(result) == ["export-older"]
    nothing_came_back()


def test_another_name_does_not_make_it_new(after_both: Home) -> None:
    result = drop(after_both, "newest consents.csv", text(FIRST))
    assert codes(result) == ["export-older"]
    nothing_came_back()


def test_dropped_a_third_time_it_still_waits(after_both: Home) -> None:
    drop(after_both, "september.csv", text(FIRST))
    drop(after_both, "november.csv", text(LATER))
    assert codes(drop(after_both, "september.csv", text(FIRST))) == ["export-older"]
    nothing_came_back()


def test_the_command_and_the_page_stop_it_as_well(after_both: Home) -> None:
    applied = run_import(after_both, ExportFile("again.csv", text(FIRST)), (), "office")
    assert codes(applied.report) == ["export-older"]
    nothing_came_back()


SAVED_AGAIN: dict[str, Callable[[list[str]], str]] = {
    "with an empty line": lambda lines: "\n".join([*lines, ""]),
    "with the line ends of Windows": "\r\n".join,
    "with a byte order mark": lambda lines: "\ufeff" + "\n".join(lines),
    "sorted the other way": lambda lines: "\n".join([lines[0], *reversed(lines[1:])]),
    "with quotation marks": lambda lines: "\n".join(
        ",".join(f'"{cell}"' for cell in line.split(",")) for line in lines
    ),
    "with another column": lambda lines: "\n".join(
        [f"{lines[0]},Notes", *(f"{line}," for line in lines[1:])]
    ),
    "with its columns in another order": lambda lines: "\n".join(
        ",".join([*line.split(",")[:3], *reversed(line.split(",")[3:])]) for line in lines
    ),
    "with other classes": lambda lines: "\n".join(
        [f"{lines[0]},Reg", *(f"{line},{n % 3 + 1}A" for n, line in enumerate(lines[1:]))]
    ),
}


@pytest.mark.parametrize("how", SAVED_AGAIN)
def test_an_old_undated_export_that_was_saved_again_gives_nothing_back(
    after_both: Home, how: str
) -> None:
    result = drop(after_both, "saved again.csv", SAVED_AGAIN[how](FIRST).encode())
    assert "export-older" in codes(result)
    nothing_came_back()


def test_the_newest_export_saved_again_stops_nothing(after_both: Home) -> None:
    result = drop(after_both, "saved again.csv", text(LATER) + b"\n")
    assert codes(result) == []


def test_an_export_with_one_new_answer_is_a_new_one(after_both: Home) -> None:
    result = drop(after_both, "december.csv", text([*LATER[:-1], "007031,Page,Eve,,T,T,T"]))
    assert codes(result) == []
    assert "007031" not in website()


def test_a_run_date_in_the_past_is_enough_where_the_bytes_differ(home: Home) -> None:
    today = home.now().date()
    old, new = (f"{today - timedelta(days=n):%d/%m/%Y}" for n in (9, 1))
    drop(home, "a.csv", text(FIRST, old))
    drop(home, "b.csv", text(LATER, new))
    result = drop(home, "c.csv", text(FIRST, old) + b"\n")
    assert codes(result) == ["export-older"]
    nothing_came_back()


def test_only_a_person_who_accepts_it_by_name_brings_it_back(after_both: Home) -> None:
    drop(after_both, "september.csv", text(FIRST))
    number = ImportRun.objects.latest("pk").pk
    assert accept_blocked(after_both, number, ["many-grants:website"], "office")["status"] == (
        "blocked"
    )
    nothing_came_back()
    done = accept_blocked(after_both, number, ["export-older"], "office")
    assert done["status"] == "applied"
    assert "007001" in website()


def test_the_newest_export_again_changes_and_stops_nothing(after_both: Home) -> None:
    again = run_import(after_both, ExportFile("november (2).csv", text(LATER)), (), "office")
    assert again.report["status"] == "applied"
    assert again.prepared.plan.changes == ()


def test_dropped_twice_in_a_row_it_is_stopped_twice(after_both: Home) -> None:
    for _ in range(2):
        assert codes(drop(after_both, "september.csv", text(FIRST))) == ["export-older"]
    run_import(after_both, ExportFile("september.csv", text(FIRST)), (), "office")
    nothing_came_back()


def test_the_note_beside_the_waiting_file_says_why(after_both: Home) -> None:
    drop(after_both, "september.csv", text(FIRST))
    (note,) = Path(after_both.sims / "waiting").glob("*.txt")
    assert "imported before" in note.read_text("utf-8")
