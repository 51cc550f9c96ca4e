"""The rules that staff and governors read are those in force, and each decision names them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from django.test import Client
from typer.testing import CliRunner

from consent_gate.cli.app import app
from consent_gate.db import audit_log
from consent_gate.db.models import AuditEntry, Role, ThresholdSet, User
from consent_gate.decisions import cameras
from consent_gate.decisions.rules.rule_book import RuleBook, rule_book
from consent_gate.decisions.rules.rules_in_force import rules_in_force
from consent_gate.home.home import Home
from consent_gate.matching.shipped_thresholds import shipped_thresholds
from consent_gate.model import (
    Box,
    Facing,
    LargeFaces,
    Reason,
    SiblingGuard,
    VisibleNames,
    WhenNoFaces,
)
from publish.release import publish_pending
from tests.support.factories import World
from tests.support.fake_renderer import FakeRenderer, make_photo, make_world_with_ann
from tests.support.settings_override import with_channel, with_section


def book_of(home: Home) -> RuleBook:
    return rule_book(home, rules_in_force(home))


def decisions() -> list[AuditEntry]:
    return list(AuditEntry.objects.filter(action="item.decided").order_by("sequence"))


def test_each_decision_names_the_rules_by_their_digest(home: Home) -> None:
    make_world_with_ann(home)
    make_photo(home, "000001")
    assert {entry.detail["rule_book"] for entry in decisions()} == {book_of(home).sha256}
    assert audit_log.verify(home) == []


def test_a_picture_refused_at_its_release_names_the_rules_too(home: Home) -> None:
    make_world_with_ann(home)
    make_photo(home, "000001")
    publish_pending(home, FakeRenderer(lambda _: [Box(0, 0, 9, 9)]))
    last = decisions()[-1]
    assert last.detail["verdict"] == "held"
    assert last.detail["rule_book"] == book_of(home).sha256


def changed_settings(home: Home) -> list[Home]:
    return [
        with_channel(home, "website", four_eyes=True),
        with_channel(home, "website", when_no_faces=WhenNoFaces.RELEASE),
        with_channel(home, "mag", unrecognisable_below_px=9),
        with_channel(home, "mag", consent="another"),
        with_section(home, "rules", register_max_age_days=99),
        with_section(home, "rules", enrolment_max_age_days=99),
        with_section(home, "cameras", registered=("Canon|Canon EOS 2000D|",)),
        with_section(home, "review", undo_seconds=5),
        with_section(home, "publishing", first_names="refuse"),
        with_section(home, "retention", withdrawn_days=7),
        with_section(home, "gallery", channels=("website",)),
        with_channel(home, "website", visible_names=VisibleNames.SURNAME),
        with_channel(home, "website", visible_names=VisibleNames.ANY),
        with_channel(home, "website", visible_names=VisibleNames.OFF),
        with_channel(home, "website", unread_text=True),
        with_channel(home, "website", largest_face_px=120),
        with_channel(home, "website", largest_face_px=120, large_faces=LargeFaces.SMALLER),
        with_channel(home, "website", facing=Facing.NOT_FACE_ON),
        with_section(home, "rules", sibling_guard=SiblingGuard.ROLL),
        with_section(home, "analysis", visible_names=False),
        with_section(home, "publishing", not_names=("Archer House",)),
        with_section(home, "film", max_minutes=5),
        with_section(home, "recognition", remembered_faces_a_pupil=1),
        with_section(home, "recognition", portraits_kept_days=400),
        with_section(home, "recognition", portraits_kept_days=0),
    ]


def test_every_setting_that_changes_what_is_shown_changes_the_text(home: Home) -> None:
    digests = [book_of(changed).sha256 for changed in (home, *changed_settings(home))]
    assert len(set(digests)) == len(digests)


def test_a_camera_and_accepted_thresholds_change_the_text(home: Home) -> None:
    before = book_of(home).sha256
    cameras.add(home, "Canon|Canon EOS 2000D|", "office")
    with_camera = book_of(home)
    assert "Registered cameras: Canon|Canon EOS 2000D|." in with_camera.text.replace("\n     ", " ")
    stricter = replace(shipped_thresholds(), margin=0.4)
    now = home.now()
    ThresholdSet.objects.create(
        values=stricter.to_json(), proposed_at=now, accepted_at=now, accepted_by="office"
    )
    with_thresholds = book_of(home)
    assert "A person accepted them." in with_thresholds.text
    assert len({before, with_camera.sha256, with_thresholds.sha256}) == 3


def test_the_time_changes_nothing(home: Home) -> None:
    later = replace(home, clock=lambda: home.now().replace(year=2031))
    assert book_of(later).sha256 == book_of(home).sha256


def test_the_reasons_that_hold_new_pictures_only_are_named(home: Home) -> None:
    text = " ".join(book_of(home).text.split())
    assert "Reasons that hold new pictures only (rule 3):" in text
    assert Reason.REGISTER_STALE.value not in text, "identifiers are not plain English"


def test_the_command_prints_the_text_and_its_digest(home: Home) -> None:
    result = CliRunner().invoke(app, ["--home", str(home.root), "rules"])
    assert result.exit_code == 0, result.output
    text, _, digest = result.output.rstrip().rpartition("SHA-256 of this text: ")
    assert hashlib.sha256(text.rstrip("\n").encode() + b"\n").hexdigest() == digest
    assert digest == book_of(home).sha256


def test_the_command_prints_json(home: Home) -> None:
    result = CliRunner().invoke(app, ["--home", str(home.root), "rules", "--json"])
    found = json.loads(result.output)
    assert hashlib.sha256(found["text"].encode()).hexdigest() == found["sha256"]
    assert set(found) == {"school", "sha256", "chapters", "text"}
    first = found["chapters"][0]
    assert first["rules"][0]["number"] == "1"


def test_the_command_writes_a_page_to_print(home: Home, tmp_path: Path) -> None:
    page = tmp_path / "rules.html"
    result = CliRunner().invoke(app, ["--home", str(home.root), "rules", "--html", str(page)])
    assert result.exit_code == 0, result.output
    written = page.read_text(encoding="utf-8")
    assert book_of(home).sha256 in written
    assert "http" not in written, "the page needs nothing from elsewhere"
    for chapter in book_of(home).chapters:
        assert chapter.title in written


@pytest.mark.parametrize("role", list(Role))
def test_every_member_of_staff_may_read_the_rules(
    world: World, logged_in: Callable[[User], Client], role: Role
) -> None:
    client = logged_in(world.make_user("someone", role))
    page = client.get("/rules/")
    assert page.status_code == 200
    assert book_of(world.home).sha256 in page.content.decode()


def test_nobody_reads_them_without_a_log_in(world: World) -> None:
    assert world.home.root.is_dir()
    assert Client(SERVER_NAME="localhost").get("/rules/").status_code == 302
