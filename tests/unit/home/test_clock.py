"""Only the home's clock reads the time of day.

The linter refuses the calls that it can see (``banned-api`` in ``pyproject.toml``). What works
without such a call is looked for here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.apps import apps
from django.db.models import NOT_PROVIDED, DateField, DateTimeField, Model, TimeField

from tests.conftest import ROOT, Clock

PACKAGES = ("consent_gate", "ingest", "publish", "sims_import")

OF_DJANGO = {"User.date_joined"}
"""Fields that Django's own account has: nothing here reads them."""

BY_THEMSELVES = (
    re.compile(r"\b(timesince|timeuntil|naturaltime|naturalday)\b"),
    re.compile(r"\{%\s*now\b"),
    re.compile(
        r"\bcurrent_(timestamp|date|time)\b|(?<![\w.])(now|clock_timestamp)\(\)", re.IGNORECASE
    ),
    re.compile(r"\.writestr\(\s*f?[\"']"),
)
"""Template filters and SQL that take the time themselves; a ZIP entry that is given only a name."""


def dates_by_themselves(models: list[type[Model]]) -> Iterator[str]:
    """Fields that are given a day or time although nobody says which."""
    for model in models:
        for field in model._meta.get_fields():
            if isinstance(field, DateField | DateTimeField | TimeField) and (
                getattr(field, "auto_now", False)
                or getattr(field, "auto_now_add", False)
                or field.has_default()
                or getattr(field, "db_default", NOT_PROVIDED) is not NOT_PROVIDED
            ):
                yield f"{model.__name__}.{field.name}"


def test_no_row_is_dated_by_itself() -> None:
    models = list(apps.get_app_config("gate").get_models())
    assert len(models) > 20
    assert set(dates_by_themselves(models)) == OF_DJANGO


def lines_with_a_clock_of_their_own(path: Path) -> Iterator[str]:
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        if any(pattern.search(line) for pattern in BY_THEMSELVES):
            yield f"{path.relative_to(ROOT)}:{number}: {line.strip()}"


def test_no_page_no_query_and_no_archive_takes_the_time_from_elsewhere() -> None:
    sources = [
        path
        for package in PACKAGES
        for path in sorted((ROOT / package).rglob("*"))
        if path.suffix in {".py", ".html", ".txt", ".sql"}
        and "migrations" not in path.parts
        and path != ROOT / "consent_gate" / "home" / "clock.py"
    ]
    assert len(sources) > 200
    assert [line for path in sources for line in lines_with_a_clock_of_their_own(path)] == []


@pytest.mark.parametrize(
    "line",
    [
        "{{ item.received_at|timesince }}",
        "{% now 'Y' %}",
        'cursor.execute("SELECT now()")',
        'cursor.execute("DELETE FROM t WHERE at < CURRENT_TIMESTAMP")',
        'archive.writestr("about.json", text)',
    ],
)
def test_such_a_line_would_be_found(line: str) -> None:
    assert any(pattern.search(line) for pattern in BY_THEMSELVES)


def test_the_tests_clock_keeps_the_time_of_day_when_summer_time_begins(clock: Clock) -> None:
    clock.advance_to(9, 30)
    before = clock()
    for _ in range(12):
        clock.pass_days(31)
        assert clock.local_time().strftime("%H:%M") == "09:30"
    assert clock() > before
