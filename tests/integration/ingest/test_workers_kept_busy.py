"""The workers have photos to examine while the gate publishes others."""

from __future__ import annotations

import pytest

from consent_gate.home.home import Home
from consent_gate.matching.gallery import gallery_of
from consent_gate.register.gallery_version import gallery_version
from ingest import pipeline
from ingest.pipeline import LocalExaminations, process_all
from tests.support.factories import World
from tests.support.fake_analysis import FakePool
from tests.support.images import jpeg, scene


def test_examinations_are_started_before_pictures_are_published(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    World(home).make_import()
    for number in range(8):
        (home.inbox / f"{number}.jpg").write_bytes(jpeg(scene(96, 64, seed=number)))
    under_way: list[int] = []

    class Watched(LocalExaminations):
        def collect_done(self) -> int:
            done = super().collect_done()
            started.append(self)
            return done

    started: list[Watched] = []
    monkeypatch.setattr(pipeline, "LocalExaminations", Watched)
    monkeypatch.setattr(
        pipeline,
        "publish_pending",
        lambda *_: under_way.extend(len(examinations) for examinations in started[-1:]),
    )
    with FakePool(home, gallery_of([])) as pool:
        process_all(home, pool, lambda *_: None, gallery_version(home))
    assert under_way[0] == pipeline.IN_FLIGHT_PER_WORKER * pool.size
    assert under_way[-1] == 0
