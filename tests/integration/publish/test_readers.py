"""Readers that are silent, and withdrawn copies that nobody confirms, are noticed everywhere."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.conf import settings
from django.test import Client
from typer.testing import CliRunner

from consent_gate.cli.app import app
from consent_gate.db.models import FeedDownload, FeedToken, Publication, Role, User
from consent_gate.errors import ItemNotFound
from consent_gate.home.home import Home
from consent_gate.operations.health.health import all_checks, machine_findings
from consent_gate.operations.health.health_check import State, worst_state
from consent_gate.operations.health.metrics import as_text
from consent_gate.web.notifications import daily_summary
from publish.feed.readers import rename_reader, silent_readers
from publish.feed.tokens import new_token
from publish.recall import tickets
from publish.recall.withdraw import remove_withdrawn
from tests.conftest import Clock, HomeAfter
from tests.support.factories import World
from tests.support.fake_renderer import (
    make_two_out,
    withdraw_consent,
)
from tests.support.web_fixtures import logged_in

__all__ = ["logged_in"]


@pytest.fixture
def pulled(home_after: HomeAfter) -> Home:
    """The reader wordpress has a picture that was withdrawn just now."""
    home = home_after(make_two_out)
    settings.CONSENT_GATE_HOME = home
    token_id = new_token(home, "website", "wordpress", timedelta(0), "t.smith").partition(".")[0]
    FeedToken.objects.filter(pk=token_id).update(last_used_at=home.now())
    for row in Publication.objects.filter(channel="website"):
        FeedDownload.objects.create(
            publication=row, token_id=token_id, first_at=home.now(), last_at=home.now()
        )
    withdraw_consent(home, "000002")
    remove_withdrawn(home)
    return home


def states(home: Home) -> dict[str, State]:
    return {found.code: found.state for found in all_checks(home)}


def test_nothing_is_reported_on_the_first_day(pulled: Home) -> None:
    assert len(tickets.open_tickets(pulled)) == 1
    assert (states(pulled)["tickets"], states(pulled)["readers"]) == (State.GOOD, State.GOOD)
    assert "confirmed yet" not in daily_summary(pulled)


def test_after_a_day_everybody_is_told(
    pulled: Home, clock: Clock, logged_in: Callable[[User], Client]
) -> None:
    clock.pass_hours(25)
    assert states(pulled)["tickets"] == states(pulled)["readers"] == State.WARNING
    codes = {found.code for found in machine_findings(pulled)}
    assert {"tickets", "readers"} <= codes, "so /healthz and /metrics know"
    metrics = as_text(pulled).decode()
    assert 'consent_gate_overdue_tickets{channel="website"} 1.0' in metrics
    assert 'consent_gate_silent_readers{channel="website"} 1.0' in metrics
    assert "wordpress" not in metrics
    assert "1 picture was withdrawn over a day ago" in daily_summary(pulled)
    client = logged_in(World(pulled).make_user(role=Role.ADMINISTRATOR))
    page = client.get("/published/?show=back").content.decode()
    assert "wordpress" in page
    assert "picture was withdrawn over a day ago" in " ".join(page.split())


def test_a_silent_reader_is_no_fault_of_the_machine(pulled: Home, clock: Clock) -> None:
    """Or a monitor would restart the gate."""
    clock.pass_hours(25)
    found = [f for f in machine_findings(pulled) if f.code in {"tickets", "readers"}]
    assert worst_state(found) is State.WARNING


def test_a_reader_without_a_valid_token_is_not_silent(pulled: Home, clock: Clock) -> None:
    FeedToken.objects.update(ends_at=pulled.now())
    clock.pass_hours(25)
    assert silent_readers(pulled) == []


def test_the_tickets_of_a_renamed_reader_move_with_it(pulled: Home) -> None:
    rename_reader(pulled, "website", "wordpress", "new-site", "t.smith")
    (ticket,) = tickets.open_tickets(pulled)
    assert ticket.waits_for == ("new-site",)
    tickets.confirm(pulled, [ticket.publication], "new-site", "feed")
    assert tickets.open_tickets(pulled) == []


def test_a_reader_cannot_take_the_name_of_another(pulled: Home) -> None:
    """Its copies would count as deleted when the other confirms."""
    new_token(pulled, "website", "screens", timedelta(0), "t.smith")
    for new in ("screens", "staff", ""):
        with pytest.raises(ItemNotFound):
            rename_reader(pulled, "website", "wordpress", new, "t.smith")
    with pytest.raises(ItemNotFound):
        rename_reader(pulled, "website", "nobody", "other", "t.smith")


def run(home: Home, *words: str) -> str:
    done = CliRunner().invoke(app, ["--home", str(home.root), *words])
    assert done.exit_code == 0, done.output
    return " ".join(done.output.split())


def test_confirming_for_the_wrong_reader_says_that_nothing_is_closed(pulled: Home) -> None:
    said = run(pulled, "tickets", "confirm", "--channel", "website")
    assert "0 tickets are closed." in said
    assert "still waits for wordpress" in said
    said = run(pulled, "tickets", "confirm", "--channel", "website", "--reader", "wordpress")
    assert "1 ticket is closed." in said


def test_revoking_a_token_says_what_its_reader_may_still_have(pulled: Home) -> None:
    token = FeedToken.objects.get().pk
    assert "1 withdrawn picture may still be at 'wordpress'" in run(pulled, "feed", "revoke", token)
