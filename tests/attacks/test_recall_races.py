"""A recall by hand at the same moment as another decision about the same picture.

Two real connections to PostgreSQL. Whoever comes first, the picture is not out afterwards.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest
from django.db import connection, transaction

from consent_gate.db.models import Item, Publication
from consent_gate.decisions.apply import redecide_pupils
from consent_gate.decisions.ledger import DecisionContext
from consent_gate.home.home import Home
from consent_gate.model import Box
from consent_gate.publication import OPEN
from consent_gate.register.repository import load_register
from consent_gate.review import service as review
from consent_gate.review.validation import EditConflict, NotReviewable
from publish.recall.by_hand import RecallSelection, recall_selection
from publish.release import publish_pending
from tests.support.fake_renderer import FakeRenderer, make_photo, make_world_with_ann, read_manifest

ANN, ROUNDS = "000001", 4


def crop(home: Home, item: Item) -> None:
    """Recalls the picture as it is, and opens another appearance."""
    review.crop(review.at_current_revision(home, "j.shaw", item.pk), Box(0, 0, 55, 120))


def import_consents(home: Home, item: Item) -> None:
    with transaction.atomic():
        now = home.now()
        ctx = DecisionContext(home, load_register(now.date()), now, may_open=True)
        redecide_pupils(ctx, [ANN])


def publish(home: Home, item: Item) -> None:
    publish_pending(home, FakeRenderer())


@pytest.mark.slow
@pytest.mark.parametrize("other", [crop, import_consents, publish])
def test_a_recall_by_hand_wins_over_a_decision_at_the_same_moment(
    home_on_postgresql: Home, other: Callable[[Home, Item], None]
) -> None:
    home = home_on_postgresql
    make_world_with_ann(home)
    for number in range(ROUNDS):
        item = make_photo(home, ANN)
        if number % 2 or other is crop:
            publish_pending(home, FakeRenderer())
        start = threading.Barrier(2)

        def recall(item: Item = item, start: threading.Barrier = start) -> None:
            start.wait()
            recall_selection(home, RecallSelection(items=[item.pk]), "office")

        def decide(item: Item = item, start: threading.Barrier = start) -> None:
            start.wait()
            with suppress(EditConflict, NotReviewable):
                other(home, item)

        with ThreadPoolExecutor(2) as threads:
            for done in [threads.submit(_closing, task) for task in (recall, decide)]:
                done.result()
        publish_pending(home, FakeRenderer())
        assert not Publication.objects.filter(item=item, state__in=OPEN).exists()
    assert read_manifest(home)["items"] == []


def _closing(task: Callable[[], None]) -> None:
    try:
        task()
    finally:
        connection.close()


def test_a_recall_by_hand_sees_what_a_crop_that_is_under_way_opens(
    home_on_postgresql: Home,
) -> None:
    """Without the lock of a writer the recall would miss the picture that replaces the first."""
    home = home_on_postgresql
    make_world_with_ann(home)
    item = make_photo(home, ANN)
    publish_pending(home, FakeRenderer())
    cropped, recalled = threading.Event(), threading.Event()

    def slow_crop() -> None:
        with transaction.atomic():
            crop(home, item)
            cropped.set()
            recalled.wait(0.5)  # the recall stands in front of the lock meanwhile

    def recall() -> None:
        cropped.wait()
        recall_selection(home, RecallSelection(items=[item.pk]), "office")
        recalled.set()

    with ThreadPoolExecutor(2) as threads:
        for done in [threads.submit(_closing, task) for task in (slow_crop, recall)]:
            done.result()
    publish_pending(home, FakeRenderer())
    assert not Publication.objects.filter(item=item, state__in=OPEN).exists()
    assert read_manifest(home)["items"] == []
