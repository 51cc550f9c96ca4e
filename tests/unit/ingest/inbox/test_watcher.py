"""The watcher follows a replaced inbox folder and polls network shares."""

from __future__ import annotations

from pathlib import Path

import pytest

from ingest.inbox import watcher
from ingest.inbox.watcher import Watcher
from tests.support.gate_thread import wait_until


def test_another_share_under_the_same_name_is_watched_anew(tmp_path: Path) -> None:
    inbox, hints = tmp_path / "inbox", list[str]()
    inbox.mkdir()
    watching = Watcher(inbox, "auto", hints.append)
    watching.ensure_watching()
    inbox.rename(tmp_path / "old")
    inbox.mkdir()
    watching.ensure_watching()
    (inbox / "IMG_1.jpg").write_bytes(b"x")
    wait_until(lambda: "IMG_1.jpg" in hints)
    watching.close()


def test_a_network_share_is_polled_without_being_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watcher, "is_shared", lambda _: True)
    watching = Watcher(tmp_path, "auto", lambda _: None)
    watching.ensure_watching()
    assert not watching.has_events
    assert watching.status == watcher.POLLED_ON_SHARE
