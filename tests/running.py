"""A gate that runs in a thread of the test, with the analysis that costs nothing."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.db import connection

from consent_gate.bootstrap import Home
from ingest.chores import Chore
from ingest.runner import OpenPool, keep_running
from tests.cheap_analysis import CheapPool


@contextmanager
def running(
    home: Home, *chores: Chore, open_pool: OpenPool = CheapPool, within: float = 15
) -> Iterator[threading.Event]:
    """Run the gate meanwhile; it has to stop within seconds, and without an error."""
    stop, faults = threading.Event(), list[BaseException]()

    def run() -> None:
        try:
            keep_running(home, stop, chores, open_pool)
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


def eventually(condition: Callable[[], object], seconds: float = 20) -> None:
    """Wait until something is so."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.05)
