"""The running gate where worker machines examine photos: it sees to it that they have jobs.

Jobs are deferred with the rows that make them due. What is done here is for the rest: a job lost
with a restored database, one of a machine that died, a folder that was away when its turn came.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

from django.db import transaction
from django.db.models import CharField, Exists, Model, OuterRef, QuerySet, Value
from django.db.models.functions import Concat
from procrastinate.contrib.django.models import ProcrastinateJob

from consent_gate.db import jobs
from consent_gate.db.models import Publication, PublicationState
from consent_gate.home.home import Home
from consent_gate.matching.gallery import Gallery
from ingest.scheduling.queue import waiting
from publish.release import pictures_to_make

Row = TypeVar("Row", bound=Model)

SECONDS_BETWEEN_LOOKS = 20.0
"""Less than ``jobs.DEAD_AFTER``: a dead machine's photos wait for a minute at the longest."""

SECONDS_BETWEEN_TIDYINGS = 3600.0

MOST_AT_A_TIME = 500
"""Jobs made in one transaction, for which the school's other transactions wait."""


@contextmanager
def nobody_here(_home: Home, _gallery: Gallery) -> Iterator[None]:
    """In the place of ``ingest.workers.analysis_pool.AnalysisPool``: this machine examines
    nothing."""
    yield None


class HandedOut:
    """The ``ingest.pipeline.ExaminationRunner`` for work that worker machines do."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._next_look = self._next_tidying = 0.0
        self._made: set[str] = set()

    def __len__(self) -> int:
        return jobs.in_hand()

    def plan_again(self) -> None:
        """The order is the queue's."""

    def fill(self) -> bool:
        """See now and then that whatever is due has a job. True while there is work about."""
        if time.monotonic() >= self._next_look:
            self._next_look = time.monotonic() + SECONDS_BETWEEN_LOOKS
            catch_up(self._home)
        if time.monotonic() >= self._next_tidying:
            self._next_tidying = time.monotonic() + SECONDS_BETWEEN_TIDYINGS
            jobs.tidy_up()
        return len(self) > 0

    def collect(self) -> int:
        """How many pictures the machines made since the last call: they are to be placed."""
        rows = Publication.objects.filter(state=PublicationState.WRITTEN)
        before, self._made = self._made, set(rows.values_list("pk", flat=True))
        return len(self._made - before)

    def give_back(self) -> None:
        """What machines have in hand they go on with."""


def catch_up(home: Home) -> int:
    """Give dead machines' jobs to others, and make those that are missing. Returns how many."""
    jobs.tidy_up()
    rescued = jobs.rescue()
    items = _without_job(waiting(), jobs.EXAMINE, "pk").order_by("priority", "received_at")
    made = _without_job(pictures_to_make(home), jobs.RENDER, "item_id")
    missing = list(items.values_list("pk", "priority")[:MOST_AT_A_TIME])
    unmade = set(made.values_list("item_id", flat=True)[:MOST_AT_A_TIME])
    if missing or unmade:
        with transaction.atomic():
            for item_id, priority in missing:
                jobs.examination_due(home, item_id, priority)
            for item_id in unmade:
                jobs.pictures_due(home, item_id)
    return rescued + len(missing) + len(unmade)


def _without_job(rows: QuerySet[Row], task: str, item: str) -> QuerySet[Row]:
    """Those for whose item there is no such job: waiting, in hand, or failed within a day."""
    key = Concat(Value(jobs.key_of(task, "")), OuterRef(item), output_field=CharField())
    known = ProcrastinateJob.objects.filter(queueing_lock=key, status__in=jobs.KNOWN)
    return rows.filter(~Exists(known))
