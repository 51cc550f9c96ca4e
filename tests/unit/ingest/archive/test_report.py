"""The screening report lists the most urgent pictures first and is safe to open."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from datetime import UTC, date, datetime

from hypothesis import given
from hypothesis import strategies as st

from consent_gate.model import Reason
from ingest.archive.report import (
    ReportHeader,
    Screened,
    ScreeningOutcome,
    outcome_of,
    render_page,
    write_table,
)

CHANNELS = {"website": "School website", "mag": "Millfields Mag"}
NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)
ABOUT = ReportHeader("/srv/web", "Millfields", NOW, finished=True, channels=CHANNELS)


def a_picture(path: str, *website: Reason) -> Screened:
    return Screened(path, 2, {"website": website, "mag": ()}, date(2026, 11, 2))


def read(rows: list[Screened]) -> list[dict[str, str]]:
    out = io.StringIO()
    write_table(out, CHANNELS, rows)
    return list(csv.DictReader(io.StringIO(out.getvalue())))


def test_a_refused_consent_outweighs_everything_else_in_the_picture() -> None:
    both = [Reason.UNKNOWN_FACE, Reason.CONSENT_REFUSED]
    assert outcome_of(both) is ScreeningOutcome.WITHOUT_CONSENT
    assert outcome_of(both[:1]) is ScreeningOutcome.UNSURE


@given(st.lists(st.sampled_from(list(Reason)), min_size=1))
def test_a_picture_with_any_reason_against_it_is_never_called_clear(reasons: list[Reason]) -> None:
    assert outcome_of(reasons) is not ScreeningOutcome.CLEAR


def test_a_channel_that_was_not_judged_is_not_clear() -> None:
    row = Screened("a.jpg", 1, {"website": ()}, None)
    assert read([row])[0]["Millfields Mag"] == ScreeningOutcome.UNREADABLE.value


def test_a_file_named_like_a_formula_stays_text_in_a_spreadsheet() -> None:
    assert read([a_picture('=HYPERLINK("x")')])[0]["Picture"].startswith("'=")


def test_the_page_lists_what_is_to_be_taken_down_and_not_what_is_only_unknown() -> None:
    rows = [
        a_picture("bad.jpg", Reason.CONSENT_REFUSED, Reason.UNKNOWN_FACE),
        a_picture("unknown.jpg", Reason.UNKNOWN_FACE),
        a_picture("good.jpg"),
    ]
    html = render_page(ABOUT, rows)
    assert "bad.jpg" in html
    assert "unknown.jpg" not in html
    assert "good.jpg" not in html


def test_names_of_files_cannot_put_anything_into_the_page() -> None:
    html = render_page(ABOUT, [a_picture("<script>1</script>", Reason.CONSENT_REFUSED)])
    assert "<script>" not in html


def test_the_report_of_an_unfinished_screening_says_so() -> None:
    about = replace(ABOUT, finished=False)
    assert "not finished" in render_page(about, [])
    assert "not finished" not in render_page(ABOUT, [])
