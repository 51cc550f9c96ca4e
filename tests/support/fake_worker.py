"""A worker machine with an analysis that costs a fixed time: ``python -m tests.support.fake_worker
HOME``.

Everything of the worker is real but for the face models: procrastinate, its connections, the
vault, the decision, the pictures. CONSENT_GATE_STAND_IN_SECONDS is what looking at a photo costs,
as sleep; a photo that ends in POISON takes the whole program down, as a broken library might.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from consent_gate.bootstrap import configure_django, open_home
from consent_gate.home.home import Home
from consent_gate.matching.gallery import Gallery
from ingest.workers.examination import Examination

configure_django()
from tests.support.fake_analysis import FakePool, examine_without_faces  # noqa: E402  has models

SECONDS_VARIABLE = "CONSENT_GATE_STAND_IN_SECONDS"
KILLS_WORKER = b"the photo that stops the program"


class SlowPool(FakePool):
    """As FakePool; each photo takes its time, and one kind of photo kills."""

    size = 1

    def __init__(self, home: Home, gallery: Gallery) -> None:
        super().__init__(home, gallery)
        self._seconds = float(os.environ.get(SECONDS_VARIABLE, "0"))
        self._executor = ThreadPoolExecutor(2 * self.size)

    def examine(self, data: bytes) -> Future[Examination]:
        return self._executor.submit(self._look, data)

    def _look(self, data: bytes) -> Examination:
        if data.endswith(KILLS_WORKER):
            os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(self._seconds)
        return examine_without_faces(data)


def main() -> None:
    """Work until SIGTERM."""
    from ingest.runtime.worker_session import keep_connections, run_session

    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    home = open_home(Path(sys.argv[1]))
    keep_connections()
    while not stop.is_set():
        try:
            run_session(home, stop, open_pool=SlowPool)
        except Exception as error:  # noqa: BLE001  the database may be gone for a moment
            print(type(error).__name__, error, file=sys.stderr, flush=True)  # noqa: T201
            stop.wait(0.5)


if __name__ == "__main__":
    main()
