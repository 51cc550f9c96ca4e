"""The demonstration's school is lost and restored, and is published again."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from django.db import connection

from consent_gate.bootstrap import open_home
from consent_gate.db import audit_log
from consent_gate.db.models import Item
from consent_gate.errors import AwaitingExport
from consent_gate.home.home import Home
from consent_gate.operations import demo
from consent_gate.operations.backup import backup, key_backup, restore
from consent_gate.register.repository import load_gallery
from consent_gate.vault.originals import read_part
from ingest.pipeline import ingest_once
from ingest.workers.analysis_pool import AnalysisPool
from publish.integrity.check import find_discrepancies, integrity_round
from publish.release import publish_pending
from sims_import.applying.apply import ExportFile
from sims_import.applying.run import run_import
from tests.conftest import Clock
from tests.support import postgresql


def no_bar(_done: int, _total: int) -> None:
    """Nobody watches."""


def out(home: Home) -> dict[str, int]:
    """How many pictures lie in each approved folder."""
    return {name: len(list(home.approved(name).glob("*/*.jpg"))) for name in home.settings.channels}


@pytest.mark.slow
def test_a_school_that_lost_everything_is_published_again_after_a_fresh_export(
    demo_school: Home, tmp_path: Path, clock: Clock
) -> None:
    before, photos = out(demo_school), {i.pk: i.sha256 for i in Item.objects.all()}
    assert before == {"website": 3, "mag": 5, "displays": 5}
    done = backup.make_backup(demo_school, tmp_path / "disk", "office", no_bar)
    key_backup.copy_keys(demo_school, tmp_path / "safe")
    connection.close()
    postgresql.rename_schema(demo_school.settings.database)
    shutil.rmtree(demo_school.root)
    clock.pass_days(2)

    restored = restore.restore(
        done, tmp_path / "new", tmp_path / "safe", "office", no_bar, clock=clock
    )
    home = replace(open_home(tmp_path / "new"), clock=clock)
    assert set(restored.emptied) == set(before)
    assert {i.pk: i.sha256 for i in Item.objects.all()} == photos
    assert all(read_part(home, item) for item in Item.objects.all())
    with pytest.raises(AwaitingExport):
        ingest_once(home, lambda *_: None)
    assert out(home) == dict.fromkeys(before, 0), "nothing is shown again on an old list"

    today = ExportFile("today.csv", demo.EXPORT.encode(), exported_on=home.now().date())
    run_import(home, today, (), "office")
    with AnalysisPool(home, load_gallery(home)) as pool:
        integrity_round(home, pool)
        publish_pending(home, pool)
    assert out(home) == before
    assert find_discrepancies(home) == []
    assert audit_log.verify(home) == []
