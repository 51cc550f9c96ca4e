"""Errors of tasks that run in worker processes."""

from __future__ import annotations

from consent_gate.errors import GateError


class TaskError(Exception):
    """The worker gave no result, probably because of the task."""


class WorkerCrashed(TaskError):
    """The process ended during the task, twice in a row."""


class TaskTimeout(TaskError):
    """The process was killed when its time was up."""


class TaskFailed(TaskError):
    """The task raised an exception; the message is the name of its class."""


class WorkerPoolUnavailable(GateError):
    """No worker can be started, or the pool was terminated. The task is not the cause."""

    next_step = "The gate tries again by itself. 'consent-gate doctor' shows possible causes."
