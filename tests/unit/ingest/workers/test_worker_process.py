"""Answers of workers that nobody foresaw."""

import multiprocessing
from typing import Any, cast

import pytest
from django.db import InterfaceError

from consent_gate.db.models import Item
from ingest.workers import answers, film_checkpoint, submit, worker_process
from ingest.workers.answers import AnswerInvalid
from ingest.workers.served_file import ServedFile, checkpoint_of
from ingest.workers.worker_errors import WorkerCrashed
from ingest.workers.worker_process import WorkerProcess


@pytest.mark.parametrize("error", [KeyError, MemoryError, OverflowError, RecursionError, TypeError])
def test_an_unforeseen_error_in_an_answer_counts_as_an_invalid_answer(
    monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    def decode(*_: object) -> None:
        raise error("secret")

    monkeypatch.setattr(answers, "decode", decode)
    with pytest.raises(AnswerInvalid, match=f"^{error.__name__}$"):
        worker_process._decoded(b"", len)


class _Process:
    def poll(self) -> None: ...

    def kill(self) -> None: ...

    def wait(self) -> None: ...


class _Lost(Exception):
    pass


def _run_with_checkpoint(
    monkeypatch: pytest.MonkeyPatch, decoding: Exception | None, storing: Exception | None
) -> WorkerProcess:
    """Run a task of which the worker sends a checkpoint, with an error at decoding or storing."""

    def failing(error: Exception | None) -> Any:
        def fail(_: object) -> bytes:
            if error is not None:
                raise error
            return b""

        return fail

    monkeypatch.setattr(film_checkpoint, "decoded", failing(decoding))
    monkeypatch.setattr(film_checkpoint, "encoded", failing(None))
    worker, served = WorkerProcess(), ServedFile(1, lambda *_: b"")
    served.keep_checkpoints(b"", failing(storing))
    worker._pipe, child = multiprocessing.Pipe()
    worker._process = cast(Any, _Process())
    with child:
        child.send_bytes(b"Cx")
        child.send_bytes(answers.encode(True, 7))  # noqa: FBT003
        assert checkpoint_of(b"Cx") == b"x"
        with pytest.raises((WorkerCrashed, _Lost)):
            worker.run(len, (), served, 60)
    return worker


def test_no_answer_of_a_worker_is_left_for_the_next_task(monkeypatch: pytest.MonkeyPatch) -> None:
    """An error of the gate while a film is examined must not leave the film's answer in the pipe:
    the next film would get the faces of this one."""
    worker = _run_with_checkpoint(monkeypatch, None, _Lost())
    assert worker._pipe is None


def test_an_unforeseen_error_in_a_checkpoint_counts_as_a_crash(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    worker = _run_with_checkpoint(monkeypatch, RecursionError(), None)
    assert worker._pipe is None


def test_a_lost_connection_to_the_database_ends_no_examination(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def lost(**_: object) -> None:
        raise InterfaceError("the connection is closed")

    monkeypatch.setattr(Item.objects, "filter", lost)
    monkeypatch.setattr(submit, "close_old_connections", lambda: None)
    submit._store_checkpoint(cast(Any, None), "item", b"")
