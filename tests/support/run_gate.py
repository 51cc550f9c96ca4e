"""The gate with its real models as a program of its own: ``python -m tests.support.run_gate
HOME``."""

from __future__ import annotations

import signal
import sys
import threading
from pathlib import Path

from consent_gate.bootstrap import open_home, prepare_django


def main() -> None:
    """Run until SIGTERM."""
    from ingest.runtime.runner import keep_running

    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    keep_running(open_home(Path(sys.argv[1])), stop)


if __name__ == "__main__":
    prepare_django()
    main()
