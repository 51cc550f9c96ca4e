"""Runs a worker process: ``python -m ingest.workers.worker_main DESCRIPTOR PARENT``.

DESCRIPTOR is the file descriptor of the pipe to the gate, and PARENT the process id of the gate.
This module imports nothing that starts threads: ``sandbox.enter`` runs first, and Landlock
restricts only threads that start after it.
"""

from __future__ import annotations

import pickle
import signal
import sys
from multiprocessing.connection import Connection

from ingest.workers import sandbox, served_file

MAX_START_MESSAGE_BYTES = 10_000
"""Longest message, in bytes, with which a worker reports that it could not start."""


def main(pipe: Connection, parent: int) -> None:
    """Run the tasks that come through the pipe, until it is closed.

    The parent first sends how to confine the worker and a function that prepares it. The worker
    replies with an empty message, or with an error, after which it ends.

    Args:
        pipe: The pipe to the gate.
        parent: The gate's process id.
    """
    sandbox.set_parent_death_signal(parent)
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        # systemd sends these to every process, but only the parent may end a task.
        signal.signal(ignored, signal.SIG_IGN)
    try:
        confinement, packages, prepare = pickle.loads(pipe.recv_bytes())  # noqa: S301  from the parent
        if confinement is not None:
            sandbox.enter(confinement, pipe.fileno(), packages)
        pickle.loads(prepare)()  # noqa: S301  from the parent
        if confinement is not None:
            sandbox.restrict_for_good(confinement)
    except Exception as error:  # noqa: BLE001  reported to the parent
        pipe.send_bytes(f"{type(error).__name__}: {error}".encode()[:MAX_START_MESSAGE_BYTES])
        return
    from ingest.workers import answers  # numpy starts threads, so not before ``enter``

    served_file.connect(pipe)
    pipe.send_bytes(b"")
    while True:
        try:
            task, arguments, seconds = pipe.recv()
        except (EOFError, OSError):
            return
        sandbox.limit_processor_time(seconds)
        try:
            answer = answers.encode(True, task(*arguments))  # noqa: FBT003
        except Exception as error:  # noqa: BLE001  the failure is reported as this task's
            answer = answers.encode(False, type(error).__name__)  # noqa: FBT003
        pipe.send_bytes(answer)
        del task, arguments, answer


if __name__ == "__main__":
    main(Connection(int(sys.argv[1])), int(sys.argv[2]))
