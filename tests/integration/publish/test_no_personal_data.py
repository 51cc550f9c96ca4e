"""Published files, logs and audit entries hold no name, place, time or file name of a photo."""

from __future__ import annotations

import json
import logging
from datetime import timedelta

import pytest
from django.conf import settings
from django.test import Client

from consent_gate.db.models import AuditEntry, Item, Publication, PupilEntry
from consent_gate.home.home import Home
from consent_gate.operations import demo
from ingest.enrolment.enrol import enrol
from ingest.enrolment.sources import FolderOfPhotos
from ingest.pipeline import ingest_once
from publish.feed.tokens import new_token
from publish.integrity.check import integrity_round
from publish.recall.by_hand import RecallSelection, recall_selection
from sims_import.applying.apply import ExportFile
from sims_import.applying.run import run_import
from tests.support.cached_analysis import CachedPool
from tests.support.fake_renderer import FakeRenderer
from tests.support.imports import confirm_portraits

IN_PHOTOS = ["A. Teacher", "winner", "Exif", "2019:", "2020:", "2021:", "2022:", "2023:"]
"""What the demonstration's files carry: an artist, a comment with a name, times, a place."""


@pytest.fixture
def run_with_logs(home: Home, caplog: pytest.LogCaptureFixture) -> str:
    """The demonstration from the import to a recall, with everything that was logged."""
    caplog.set_level(logging.DEBUG)
    settings.CONSENT_GATE_HOME = home
    export, portraits = demo.write_school(home.root)
    run_import(home, ExportFile(export.name, export.read_bytes()), (), "office")
    enrol(home, FolderOfPhotos(portraits), {}, "office", lambda *_: None, open_pool=CachedPool)
    confirm_portraits(home)
    demo.write_event(home.inbox)
    ingest_once(home, lambda *_: None, CachedPool)
    (home.approved("website") / "Robin Ashdown.jpg").write_bytes(b"dropped in by hand")
    integrity_round(home, FakeRenderer())
    recall_selection(home, RecallSelection(channels=["displays"]), "office")
    return caplog.text


def private_words(home: Home) -> list[str]:
    """Names on the register, names of files and folders, and what the files carry."""
    names = {name for p in PupilEntry.objects.all() for name in (p.forename, p.surname) if name}
    sources = {part for item in Item.objects.all() for part in item.source.split("/")}
    stems = {source.rpartition(".")[0] or source for source in sources}
    found = names | sources | stems | {str(home.root), *IN_PHOTOS}
    return sorted(word for word in found if len(word) > 3)  # shorter ones are in any JPEG


def test_nothing_private_leaves_is_logged_or_is_in_the_audit(
    home: Home, run_with_logs: str
) -> None:
    """One test: the whole run is long."""
    check_folders_and_logs(home, run_with_logs)
    check_audit(home)
    check_feed(home)


def check_folders_and_logs(home: Home, run_with_logs: str) -> None:
    private = private_words(home)
    assert "Robin" in private, "the test knows the names"
    assert Publication.objects.filter(state="live").count() >= 8
    for path in (home.root / "approved").rglob("*"):
        said = path.relative_to(home.root / "approved").as_posix()
        data = path.read_bytes() if path.is_file() else b""
        assert [w for w in private if w in said or w.encode() in data] == [], said
    assert [w for w in private if w in run_with_logs] == []
    for path in (home.root / "quarantine").iterdir():
        assert [w for w in private if w in path.name] == []


def check_audit(home: Home) -> None:
    trail = json.dumps([[e.action, e.subject, e.detail] for e in AuditEntry.objects.all()])
    names = [w for w in private_words(home) if w not in IN_PHOTOS]
    assert [w for w in names if w in trail] == []


def check_feed(home: Home) -> None:
    token = new_token(home, "website", "wordpress", timedelta(0), "office")
    client = Client(SERVER_NAME="localhost", headers={"authorization": f"Bearer {token}"})
    manifest = client.get("/feeds/website/manifest.json")
    answers = [manifest]
    answers += [client.get(f"/feeds/website/{i['file']}") for i in manifest.json()["items"]]
    answers += [client.get("/feeds/website/nothing"), client.get("/feeds/mag/manifest.json")]
    assert len(answers) == 6
    for answer in answers:
        said = str(dict(answer.headers)).encode() + answer.content
        assert [w for w in private_words(home) if w.encode() in said] == []
        assert "Last-Modified" not in answer.headers
