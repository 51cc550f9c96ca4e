"""A file that crashes its decoder is held, and the next photos are examined."""

from __future__ import annotations

import pytest

from consent_gate.bootstrap import open_home
from consent_gate.db.evidence_json import from_json
from consent_gate.db.models import ChannelDecision, Item, ItemState
from consent_gate.home.home import Home
from consent_gate.model import NotExamined, Reason
from consent_gate.operations import demo
from ingest.pipeline import ingest_once
from ingest.workers import worker
from ingest.workers.analysis_pool import WORKER_CRASHED
from tests.support import fragile_decoder

DEADLY = {
    "wild-pointer.jpg": fragile_decoder.WILD_POINTER,
    "failed-assertion.jpg": fragile_decoder.FAILED_ASSERTION,
    "bomb.jpg": fragile_decoder.BOMB,
}


@pytest.mark.parametrize(
    "deadly",
    [
        ["wild-pointer.jpg"],
        pytest.param(["failed-assertion.jpg", "bomb.jpg"], marks=pytest.mark.slow),
    ],
)
def test_a_file_that_kills_its_decoder_is_held_and_the_next_photo_is_released(
    demo_school: Home, monkeypatch: pytest.MonkeyPatch, deadly: list[str]
) -> None:
    """Real workers really die; the same picture without the deadly end goes out."""
    monkeypatch.setattr(worker, "start", fragile_decoder.start_with_a_fragile_decoder)
    settings = demo_school.root / "consent-gate.toml"
    settings.write_text(settings.read_text().replace("workers = 0", "workers = 1"))
    home = open_home(demo_school.root)
    winner = demo.event_photos()[0].data
    event = home.inbox / "hostile"
    event.mkdir()
    for name in deadly:
        (event / name).write_bytes(winner + DEADLY[name])
    (event / "winner.jpg").write_bytes(winner + b"[harmless]")

    assert ingest_once(home, lambda *_: None).examined == len(deadly) + 1

    for item in Item.objects.filter(event="hostile"):
        name = item.source.removeprefix("hostile/")
        verdicts = set(item.decisions.values_list("verdict", flat=True))
        assert item.state == ItemState.DECIDED
        if name not in DEADLY:
            assert "released" in verdicts
            continue
        assert verdicts == {"held"}, name
        assert from_json(item.evidence) == NotExamined(Reason.NOT_EXAMINED, WORKER_CRASHED), name
        reasons = ChannelDecision.objects.filter(item=item).values_list("reasons", flat=True)
        assert all(held == ["not_examined"] for held in reasons), name
