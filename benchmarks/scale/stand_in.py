"""A worker program that sleeps instead of analysing.

    python -m benchmarks.scale.stand_in HOME N S

It acts as N worker processes that take S seconds a photo. Everything else is real.
"""

from __future__ import annotations

import signal
import sys
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from consent_gate.bootstrap import configure_django, open_home
from consent_gate.home.home import Home
from consent_gate.matching.gallery import Gallery
from consent_gate.model import Examined
from ingest.workers.examination import Examination
from tests.support.fake_analysis import FakePool

COUNT, SECONDS = int(sys.argv[2]), float(sys.argv[3])
RESULT = Examination(Examined(96, 64, "0" * 64, (), text_side=10_000), b"preview", lines=())
"""The same result for every photo; nothing is decoded."""


class StandIn(FakePool):
    """N sleepers."""

    size = COUNT

    def __init__(self, home: Home, gallery: Gallery) -> None:
        super().__init__(home, gallery)
        self._executor = ThreadPoolExecutor(COUNT)

    def examine(self, _: bytes) -> Future[Examination]:
        return self._executor.submit(self._sleep)

    def _sleep(self) -> Examination:
        time.sleep(SECONDS)
        return RESULT


def main() -> None:
    """Run until SIGTERM."""
    from ingest.runtime.worker_session import keep_connections, run_session

    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    home = open_home(Path(sys.argv[1]))
    keep_connections()
    run_session(home, stop, open_pool=StandIn)


if __name__ == "__main__":
    configure_django()
    main()
