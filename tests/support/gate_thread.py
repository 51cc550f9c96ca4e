"""Runs the gate in a thread of the test, with an analysis that costs nothing."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from django.db import connection

from consent_gate.home.home import Home
from ingest.runtime import runner
from ingest.runtime.heartbeat import read_heartbeat
from ingest.runtime.periodic import PeriodicTask
from ingest.runtime.runner import OpenPool, run_gate
from tests.support.fake_analysis import FakePool


def shorten_intervals(monkeypatch: pytest.MonkeyPatch) -> None:
    """A test has no minute to spare for the sign of life."""
    monkeypatch.setattr(runner, "HEARTBEAT_INTERVAL", 0.2)
    monkeypatch.setattr(runner, "FAULT_PAUSE_SECONDS", 0.5)


def heartbeat_trouble(home: Home) -> str:
    """What the gate says keeps it from working."""
    sign = read_heartbeat(home)
    return sign.trouble if sign else ""


@contextmanager
def running_gate(
    home: Home, *chores: PeriodicTask, open_pool: OpenPool = FakePool, within: float = 15
) -> Iterator[threading.Event]:
    """Run the gate meanwhile; it has to stop within seconds, and without an error."""
    stop, faults = threading.Event(), list[BaseException]()

    def run() -> None:
        try:
            run_gate(home, stop, chores, open_pool)
        except BaseException as error:  # noqa: BLE001  shown by the test
            faults.append(error)
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield stop
    finally:
        stop.set()
        thread.join(timeout=within)
    assert not thread.is_alive(), "the gate did not stop in time"
    if faults:
        raise faults[0]


def wait_until(condition: Callable[[], object], seconds: float = 20) -> None:
    """Wait until something is so."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.05)
