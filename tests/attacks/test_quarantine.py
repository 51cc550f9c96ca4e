"""Pictures of children that lie in quarantine, where no recall and no erasure finds them."""

from __future__ import annotations

from pathlib import Path

from consent_gate.db.models import AuditEntry
from consent_gate.home.home import Home
from publish.integrity.check import integrity_round
from publish.recall.by_hand import RecallSelection, recall_selection
from publish.release import publish_pending
from publish.retention import retention_round
from tests.conftest import Clock
from tests.support.fake_renderer import (
    FakeRenderer,
    make_photo,
    make_world_with_ann,
    published_counts,
)

ANN = "000001"


def in_quarantine(home: Home) -> list[Path]:
    return sorted((home.root / "quarantine").glob("*"))


def published_file(home: Home) -> Path:
    [path] = home.approved("website").glob("*/*.jpg")
    return path


def test_a_recalled_picture_that_somebody_puts_back_is_not_kept(home: Home) -> None:
    make_world_with_ann(home)
    make_photo(home, ANN)
    publish_pending(home, FakeRenderer())
    picture = published_file(home)
    data = picture.read_bytes()
    recall_selection(home, RecallSelection(pupils=[ANN]), "office")
    picture.with_name("copy of it.jpg").write_bytes(data)
    integrity_round(home, FakeRenderer())
    assert (published_counts(home)["website"], in_quarantine(home)) == (0, [])
    assert AuditEntry.objects.get(action="folder.quarantined").detail["kept"] is None


def test_pictures_that_a_tool_changed_do_not_stay_for_ever(home: Home, clock: Clock) -> None:
    """A tool of the website has made the published pictures smaller."""
    make_world_with_ann(home)
    make_photo(home, ANN)
    publish_pending(home, FakeRenderer())
    picture = published_file(home)
    picture.write_bytes(picture.read_bytes() + b"another comment")
    integrity_round(home, FakeRenderer())
    assert (published_counts(home)["website"], len(in_quarantine(home))) == (1, 1)
    clock.pass_days(29)
    retention_round(home)
    assert len(in_quarantine(home)) == 1, "somebody may still look for the file"
    clock.pass_days(2)
    retention_round(home)
    assert in_quarantine(home) == []
    assert AuditEntry.objects.get(action="quarantine.emptied").detail == {"files": 1}
