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

PATIENCE_SECONDS = 120
"""Longer than anything takes on a machine that is busy with other work. A test that passes ends
earlier, and what never happens is still reported."""


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
    home: Home, *chores: PeriodicTask, open_pool: OpenPool = FakePool
) -> Iterator[threading.Event]:
    """Run the gate meanwhile; it has to stop when it is told to, and without an error."""
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
        thread.join(timeout=PATIENCE_SECONDS)
    assert not thread.is_alive(), "the gate did not stop in time"
    if faults:
        raise faults[0]


def wait_until(condition: Callable[[], object]) -> None:
    """Wait until a condition holds. A machine that is busy with other work only makes it longer."""
    end = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.05)
