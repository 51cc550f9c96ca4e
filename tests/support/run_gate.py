"""The gate with its real models as a program of its own: ``python -m tests.support.run_gate
HOME``."""

from __future__ import annotations

import signal
import sys
import threading
from pathlib import Path

from consent_gate.bootstrap import configure_django, open_home


def main() -> None:
    """Run until SIGTERM."""
    from ingest.runtime.runner import run_gate

    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    run_gate(open_home(Path(sys.argv[1])), stop)


if __name__ == "__main__":
    configure_django()
    main()
