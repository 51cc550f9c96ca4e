"""The gate was off, and what came meanwhile counts before anything goes out."""

from __future__ import annotations

from collections.abc import Sequence
from threading import Event, Thread

import pytest
from django.db import connection

from consent_gate.cli import run
from consent_gate.db.models import Publication
from consent_gate.decisions import lookalikes
from consent_gate.home.home import Home
from consent_gate.matching.gallery import gallery_of
from publish.renditions.rendition import Rendition, RenditionRefused, RenditionRequest
from tests.support.fake_analysis import FakePool
from tests.support.fake_renderer import FakeRenderer, make_photo, published_counts
from tests.support.gate_thread import PATIENCE_SECONDS, wait_until
from tests.support.imports import consent_csv, drop_export, import_csv, make_template

PUPIL = "007000"


class Pool(FakePool):
    """Renders the drawn pictures of these tests."""

    def make_renditions(
        self, data: bytes, orders: Sequence[RenditionRequest]
    ) -> list[Rendition | RenditionRefused]:
        return FakeRenderer().make_renditions(data, orders)


def test_a_withdrawal_that_came_while_the_gate_was_off_counts_before_a_waiting_picture(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The gate was stopped between the decision and the release."""
    monkeypatch.setattr(lookalikes, "load_gallery", lambda _, **_options: gallery_of([]))
    import_csv(home, consent_csv())
    make_template(home, PUPIL)
    make_photo(home, PUPIL)
    drop_export(home, "new.csv", consent_csv(_007000="F,T,T,T,,"))
    stop = Event()

    def run_gate() -> None:
        try:
            run._run_after_exports(home, stop, Pool)
        finally:
            connection.close()

    gate = Thread(target=run_gate)
    gate.start()
    try:
        wait_until(lambda: published_counts(home)["mag"] == 1)
    finally:
        stop.set()
        gate.join(PATIENCE_SECONDS)
    website = Publication.objects.get(channel="website")
    assert website.released_at is None
