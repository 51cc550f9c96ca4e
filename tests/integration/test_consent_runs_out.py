"""A consent with a last day ends on that day: at the school, and whatever else does not work."""

from __future__ import annotations

from datetime import timedelta

import pytest

from consent_gate.bootstrap import Home
from consent_gate.db.models import ConsentAnswer
from consent_gate.errors import Undecryptable
from ingest import runner
from ingest.heartbeat import read_heartbeat
from ingest.pipeline import ingest_once
from publish.release import publish_pending
from tests.conftest import Clock
from tests.press import Press, a_photo, files_of, with_ann
from tests.running import eventually, running


@pytest.fixture
def until_today(home: Home, monkeypatch: pytest.MonkeyPatch) -> Home:
    """Ann's picture is out; her consent for the website ends today. No template can be opened."""
    monkeypatch.setattr(runner, "SECONDS_AFTER_A_FAULT", 0.2)
    with_ann(home)
    a_photo(home, "000001")
    publish_pending(home, Press())
    website = ConsentAnswer.objects.filter(purpose="website")
    website.update(expires_on=home.now().date())
    return home


def out_in(home: Home) -> dict[str, int]:
    return {channel: len(files_of(home, channel)) for channel in home.settings.channels}


def test_on_its_last_day_a_consent_still_holds(until_today: Home) -> None:
    with running(until_today):
        eventually(lambda: read_heartbeat(until_today))
    assert out_in(until_today) == {"website": 1, "mag": 1, "displays": 1}


def test_the_day_after_the_picture_comes_back_although_nothing_can_be_examined(
    until_today: Home, clock: Clock
) -> None:
    clock.pass_days(1)
    with running(until_today):
        eventually(lambda: out_in(until_today) == {"website": 0, "mag": 1, "displays": 1})
        eventually(lambda: (sign := read_heartbeat(until_today)) and sign.trouble)


def test_a_single_round_takes_it_back_as_well(until_today: Home, clock: Clock) -> None:
    clock.moment += timedelta(days=1)
    with pytest.raises(Undecryptable):
        ingest_once(until_today, lambda *_: None)
    assert out_in(until_today) == {"website": 0, "mag": 1, "displays": 1}
