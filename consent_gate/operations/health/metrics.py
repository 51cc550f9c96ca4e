"""Metrics for Prometheus: counts and ages. No label holds a name, a path or a picture's id."""

from __future__ import annotations

import hmac
import shutil
from collections import Counter
from collections.abc import Iterator
from datetime import datetime

from django.db.models import Count
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from consent_gate import __version__
from consent_gate.db.models import (
    AuditEntry,
    ChannelDecision,
    Item,
    ItemState,
    Priority,
    Publication,
    Template,
)
from consent_gate.home.home import Home
from consent_gate.operations.health.health import machine_findings
from consent_gate.operations.health.health_check import State
from consent_gate.publication import IN_MANIFEST
from consent_gate.register.age import register_age
from ingest.runtime.heartbeat import read_heartbeat
from publish.feed.readers import silent_readers
from publish.recall.tickets import overdue_tickets

TOKEN_FILE = "metrics-token"  # noqa: S105  the name of a file
"""File in the home's secrets with the bearer token. Without it only this machine has access."""


def as_text(home: Home) -> bytes:
    """All metrics in the text format of Prometheus (version 0.0.4)."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_GateCollector(home))
    return generate_latest(registry)


def has_token(home: Home) -> bool:
    """Whether a token file exists, even if its token is too short to be valid."""
    return (home.secrets / TOKEN_FILE).exists()


def token_opens(home: Home, given: str) -> bool:
    """Whether ``given`` is the bearer token of the home; False when no token file exists."""
    try:
        wanted = (home.secrets / TOKEN_FILE).read_bytes().strip()
    except OSError:
        return False
    return len(wanted) >= 16 and hmac.compare_digest(wanted, given.encode())


class _GateCollector(Collector):
    """Reads the database at each scrape."""

    def __init__(self, home: Home) -> None:
        self.home = home

    def collect(self) -> Iterator[GaugeMetricFamily]:
        yield _labelled("info", "Version of the gate.", "version", {__version__: 1})
        yield from self._machine()
        yield from self._pictures()
        yield from self._readers()
        yield from self._register()
        entries = AuditEntry.objects.order_by("-sequence").values_list("sequence", flat=True)
        yield _metric("audit_entries", "Entries of the audit trail.", entries.first() or 0)

    def _machine(self) -> Iterator[GaugeMetricFamily]:
        found = machine_findings(self.home)
        states = {f.code: int(f.state is not State.BAD) for f in found}
        yield _labelled("well", "1 when the check found no fault.", "check", states)
        sign = read_heartbeat(self.home)
        if sign:
            last = datetime.fromisoformat(sign.at).timestamp()
            yield _metric(
                "last_sign_of_life_timestamp_seconds", "Time of the last heartbeat.", last
            )
            about = "Files in the inbox that cannot be processed yet."
            yield _metric("inbox_files_waiting", about, sign.files_waiting)
        free = {
            "home": shutil.disk_usage(self.home.database.parent).free,
            "vault": shutil.disk_usage(self.home.vault).free,
        }
        yield _labelled("free_bytes", "Free disk space in bytes.", "place", free)

    def _pictures(self) -> Iterator[GaugeMetricFamily]:
        by_state = dict(Item.objects.values_list("state").annotate(n=Count("pk")))
        states = {state.value: by_state.get(state, 0) for state in ItemState}
        yield _labelled("pictures", "Pictures by state.", "state", states)
        new = Item.objects.filter(state=ItemState.RECEIVED, priority=Priority.LIVE)
        oldest = new.filter(evidence__isnull=True).order_by("received_at").first()
        age = (self.home.now() - oldest.received_at).total_seconds() if oldest else 0
        yield _metric("oldest_waiting_seconds", "Age of the oldest picture not yet examined.", age)
        names = list(self.home.settings.channels)
        held = ChannelDecision.objects.filter(verdict="held", item__state=ItemState.DECIDED)
        live = Publication.objects.filter(state__in=IN_MANIFEST)
        for metric, rows, about in (
            ("held_pictures", held, "Pictures held for staff."),
            ("live_pictures", live, "Published pictures."),
        ):
            counted = dict(rows.values_list("channel").annotate(n=Count("pk")))
            yield _labelled(metric, about, "channel", {n: counted.get(n, 0) for n in names})

    def _readers(self) -> Iterator[GaugeMetricFamily]:
        names = list(self.home.settings.channels)
        late = Counter(t.publication.channel for t in overdue_tickets(self.home))
        silent = Counter(found.channel for found in silent_readers(self.home))
        for metric, counted, about in (
            ("overdue_tickets", late, "Pictures withdrawn over a day ago, not confirmed by all."),
            ("silent_readers", silent, "Readers of the feed that were silent for over a day."),
        ):
            yield _labelled(metric, about, "channel", {n: counted[n] for n in names})

    def _register(self) -> Iterator[GaugeMetricFamily]:
        age = register_age(self.home)
        if age.days is not None:
            yield _metric("register_age_days", "Age of the consent list in days.", age.days)
        yield _metric("register_max_age_days", "Age at which every new picture is held.", age.limit)
        yield _metric("templates", "Stored face templates.", Template.objects.count())


def _metric(name: str, about: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"consent_gate_{name}", about, value=value)


def _labelled(name: str, about: str, label: str, values: dict[str, int]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(f"consent_gate_{name}", about, labels=[label])
    for value, number in values.items():
        family.add_metric([value], number)
    return family
