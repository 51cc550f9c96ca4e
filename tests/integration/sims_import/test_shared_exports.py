"""Exports as schools and other systems write them: none gives a consent that nobody gave."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from benchmarks.sims_exports import BASES, PURPOSES, judge_all
from tests.support.consent_files import (
    EVERYTHING,
    TYPES,
    cell_rows,
    wide_rows,
    with_column,
)
from tests.support.sims_school import encode_csv
from tests.support.sims_writers import XLS_STRUCK, to_html, to_json, to_ods, to_xls, to_xlsx

YES = ("Yes", "Yes", "Yes", "Yes")
NO_WEBSITE = ("No", "Yes", "Yes", "Yes")
GIVEN_BY_TWO = {2: NO_WEBSITE}
"""Pupil 2 says no to the website. So does the truth of ``made_up_exports``."""


def made_up_exports() -> dict[str, tuple[bytes, str]]:
    """Exports of six pupils by file name, with what is expected of each.

    Everybody gave everything, but pupil 2 did not give the website.
    """
    plain = wide_rows(GIVEN_BY_TWO)
    but_website = EVERYTHING.replace(f"{TYPES['website']}, ", "")
    return {
        "plain.csv": (encode_csv(plain), "right"),
        "workbook.xlsx": (to_xlsx(plain), "right"),
        "workbook-97.xls": (to_xls(plain), "right"),
        "sheet.ods": (to_ods(plain), "right"),
        "page.html": (to_html(plain), "right"),
        "list.json": (to_json(plain), "right"),
        "types-in-a-cell.csv": (encode_csv(cell_rows({2: but_website})), "right"),
        "crossed-out.xls": (to_xls(wide_rows(), {(2, 4): XLS_STRUCK}), "asked"),
        "another-column.csv": (
            encode_csv(with_column("Opted out of website photographs", {2: "Yes"})),
            "right",
        ),
        "note.csv": (encode_csv(with_column("Notes", {2: "Mum rang: no photos online"})), "asked"),
        "no-export.csv": (b"\x00\x01\x02" * 50, "refused"),
    }


@pytest.mark.slow
def test_no_export_gives_a_wrong_consent_and_most_are_right_or_asked(shared_data: Path) -> None:
    folder = shared_data / "exports"
    if not (folder / "truth.json").is_file():
        pytest.skip("the exports are not here: tests/README.md says what they are")
    results = judge_all(folder)
    counts = Counter(outcome.word for _, outcome in results.values())
    wrong = {name: o.details for name, (_, o) in results.items() if o.word in {"WRONG", "lost"}}
    assert wrong == {}
    assert counts["right"] + counts["asked"] >= 0.9 * len(results)


def test_no_made_up_export_gives_a_wrong_consent(tmp_path: Path) -> None:
    """The same judgement of exports that are written here."""
    exports = made_up_exports()
    results = judge_all(write_cases(tmp_path, exports))
    assert {name: outcome.word for name, (_, outcome) in results.items()} == {
        name: expected for name, (_, expected) in exports.items()
    }


def test_a_consent_that_the_truth_does_not_have_is_called_wrong(tmp_path: Path) -> None:
    (_, outcome), *_ = judge_all(
        write_cases(tmp_path, {"plain.csv": (encode_csv(wide_rows()), "")})
    ).values()
    assert (outcome.word, outcome.details) == ("WRONG", ("000002: website",))


def write_cases(folder: Path, exports: dict[str, tuple[bytes, str]]) -> Path:
    """Write exports, the register's earlier exports and ``truth.json``. Returns the folder."""
    for file in {file for files in BASES.values() for file in files}:
        (folder / file).write_bytes(encode_csv(wide_rows(GIVEN_BY_TWO)))
    given: dict[str, Any] = {**dict.fromkeys(PURPOSES, 1), "never": 0, "on": 1}
    truth = {f"{number:06}": given for number in range(1, 7)}
    truth["000002"] = {**given, "website": 0}
    cases = []
    for name, (data, expected) in exports.items():
        (folder / name).write_bytes(data)
        case = {"id": name, "file": name, "family": "a", "mode": "fresh", "expect": expected}
        cases.append({**case, "truth": truth, "answers": {}, "accept": []})
    (folder / "truth.json").write_text(json.dumps(cases))
    return folder
