"""The command ``term-report`` in a home with pictures and tags."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from consent_gate.cli.app import app
from consent_gate.home.home import Home
from consent_gate.model import Tag, TagKind, Unknown
from consent_gate.review import service as review
from tests.support.factories import World, matches

pytestmark = pytest.mark.dialect


def run(home: Home, *arguments: str) -> str:
    result = CliRunner().invoke(app, ["--home", str(home.root), "term-report", *arguments])
    assert result.exit_code == 0, result.output
    return result.stdout


def test_a_correction_is_counted_for_the_year_and_warned_of_without_a_name(
    home: Home, tmp_path: Path
) -> None:
    world = World(home)
    world.make_import()
    world.make_pupil("000001", "Ann", "Archer", year_group="Year 5")
    world.make_pupil("000002", "Ben", "Baker", year_group="Year 1")
    assert "No face was named yet." in run(home, "--since", "2000-01-01")
    world.make_item(matches("000001"))
    wrong, unknown = world.make_item(matches("000001")), world.make_item(Unknown())
    for item in (wrong, unknown):
        action = review.at_current_revision(home, "j.shaw", item.pk)
        review.tag_face(action, 0, Tag(TagKind.PUPIL, "000002"))
    page = tmp_path / "term.html"
    text = run(home, "--since", "2000-01-01", "--html", str(page))
    assert "Year 5: the machine named 1 that nobody checked; staff confirmed 0, corrected 1" in text
    assert "not recognised 1" in text
    years = json.loads(run(home, "--since", "2000-01-01", "--json"))["years"]
    assert [(year["year"], year["missed"]) for year in years] == [("Year 1", 1), ("Year 5", 0)]
    html = page.read_text()
    assert "<strong>Year 5:</strong>\nthe machine was wrong about 1 of 1 faces" in html
    assert "<strong>Year 1:</strong>" not in html
    for secret in ("Archer", "Baker", "000001", "000002"):
        assert secret not in text + html
    assert json.loads(run(home, "--since", "2999-01-01", "--json"))["pictures"] == 0
