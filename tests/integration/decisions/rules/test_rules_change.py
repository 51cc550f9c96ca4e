"""Stricter settings recall pictures; looser settings release none by themselves."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from consent_gate.db.models import AuditEntry, ChannelDecision, Item, ItemState, Publication
from consent_gate.errors import DecryptionError, SettingsInvalid
from consent_gate.home.home import Home
from ingest.pipeline import ingest_once
from publish.recall.by_hand import RecallSelection, recall_selection
from publish.release import publish_pending
from tests.support.fake_renderer import (
    FakeRenderer,
    make_photo,
    make_world_with_ann,
    published_counts,
)
from tests.support.gate_thread import running_gate, wait_until


def under(home: Home, channel: str, **changes: Any) -> Home:
    """The home after somebody changed a channel in consent-gate.toml and started it again."""
    channels = dict(home.settings.channels)
    channels[channel] = channels[channel].model_copy(update=changes)
    return replace(home, settings=home.settings.model_copy(update={"channels": channels}))


def start(home: Home) -> None:
    """As far as a start comes where no template can be opened: nothing is examined."""
    with pytest.raises(DecryptionError):
        ingest_once(home, lambda *_: None)


def decided_again() -> int:
    return AuditEntry.objects.filter(action="rules.changed").count()


@pytest.fixture
def out(home: Home) -> Home:
    """Ann's picture is out everywhere."""
    make_world_with_ann(home)
    make_photo(home, "000001")
    start(home)
    publish_pending(home, FakeRenderer())
    assert published_counts(home) == {"website": 1, "mag": 1, "displays": 1}
    return home


def test_a_channel_that_asks_for_another_consent_recalls_its_pictures(out: Home) -> None:
    start(under(out, "website", consent="website-2027"))
    assert published_counts(out) == {"website": 0, "mag": 1, "displays": 1}


def test_the_running_gate_recalls_them_before_it_has_any_workers(out: Home) -> None:
    with running_gate(under(out, "website", consent="website-2027")):
        wait_until(lambda: published_counts(out) == {"website": 0, "mag": 1, "displays": 1})


def test_a_publication_in_progress_is_cancelled_as_well(home: Home) -> None:
    make_world_with_ann(home)
    make_photo(home, "000001")
    start(under(home, "website", consent="website-2027"))
    going = Publication.objects.exclude(state__in=("cancelled", "cancelled_cleaned"))
    assert set(going.values_list("channel", flat=True)) == {"mag", "displays"}


def test_under_the_same_settings_nothing_is_decided_twice(out: Home) -> None:
    before, told = ChannelDecision.objects.get(channel="website").decided_at, decided_again()
    start(out)
    assert ChannelDecision.objects.get(channel="website").decided_at == before
    assert decided_again() == told == 1


def test_pictures_recalled_by_a_setting_stay_recalled_when_it_is_reset(out: Home) -> None:
    start(under(out, "website", consent="website-2027"))
    start(out)
    publish_pending(out, FakeRenderer())
    assert published_counts(out) == {"website": 0, "mag": 1, "displays": 1}
    assert decided_again() == 3


def test_a_looser_setting_releases_no_picture_on_an_old_decision(home: Home) -> None:
    strict = under(home, "website", consent="website-2027")
    make_world_with_ann(strict)
    item = make_photo(strict, "000001")
    publish_pending(strict, FakeRenderer())
    start(home)
    publish_pending(home, FakeRenderer())
    assert published_counts(home) == {"website": 0, "mag": 1, "displays": 1}
    assert Item.objects.get(pk=item.pk).state == ItemState.RECEIVED, "it is examined again first"


def test_a_channel_is_not_forgotten_while_its_pictures_are_out(out: Home) -> None:
    channels = {n: c for n, c in out.settings.channels.items() if n != "mag"}
    fewer = replace(out, settings=out.settings.model_copy(update={"channels": channels}))
    with pytest.raises(SettingsInvalid, match="recall --channel mag"):
        ingest_once(fewer, lambda *_: None)
    recall_selection(out, RecallSelection(channels=["mag"]), "office")
    start(fewer)
