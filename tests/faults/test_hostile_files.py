"""A file that crashes, blocks or takes over its worker affects no other file."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from ingest.workers.process_pool import WorkerPool
from ingest.workers.worker_errors import (
    TaskFailed,
    TaskTimeout,
    WorkerCrashed,
    WorkerPoolUnavailable,
)
from tests.support import malicious_files
from tests.support.gate_thread import wait_until

PATIENCE = 60


@pytest.mark.parametrize("crash", [malicious_files.abort, malicious_files.read_where_nothing_is])
def test_a_crash_fails_one_task_only(crash: Callable[[], None]) -> None:
    with WorkerPool(1, malicious_files.nothing, seconds=30, confinement=None) as crew:
        before = crew.submit(malicious_files.add, 1, 1)
        crashed = crew.submit(crash)
        after = crew.submit(malicious_files.add, 2, 2)
        assert before.result(PATIENCE) == 2
        with pytest.raises(WorkerCrashed):
            crashed.result(PATIENCE)
        assert after.result(PATIENCE) == 4


@pytest.mark.parametrize("hang", [malicious_files.hang, malicious_files.spin])
def test_a_task_that_never_ends_is_ended(hang: Callable[[], None]) -> None:
    with WorkerPool(1, malicious_files.nothing, seconds=1, confinement=None) as crew:
        hanging, after = crew.submit(hang), crew.submit(malicious_files.add, 2, 2)
        with pytest.raises(TaskTimeout):
            hanging.result(PATIENCE)
        assert after.result(PATIENCE) == 4


def test_a_decompression_bomb_reaches_the_memory_limit_and_the_worker_survives() -> None:
    with WorkerPool(
        1, malicious_files.nothing, seconds=30, confinement=malicious_files.SANDBOX
    ) as crew:
        first = crew.submit(malicious_files.who_am_i).result(PATIENCE)
        with pytest.raises(TaskFailed, match="MemoryError"):
            crew.submit(malicious_files.eat_memory).result(PATIENCE)
        assert crew.submit(malicious_files.who_am_i).result(PATIENCE) == first


def test_an_error_is_reported_by_its_class_and_not_by_its_message() -> None:
    with (
        WorkerPool(1, malicious_files.nothing, seconds=30, confinement=None) as crew,
        pytest.raises(TaskFailed) as failed,
    ):
        crew.submit(malicious_files.raise_an_error).result(PATIENCE)
    assert str(failed.value) == "LookupError"


def test_a_worker_computes_with_one_thread_and_keeps_memory_for_pictures(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    with WorkerPool(1, malicious_files.nothing, seconds=30, confinement=None) as crew:
        assert crew.submit(malicious_files.environment_of_numpy).result(PATIENCE) == "1"
        assert crew.submit(malicious_files.blocks_kept_by_pillow).result(PATIENCE) == 4


def test_a_worker_killed_once_by_a_stranger_does_not_cost_the_photo(tmp_path: Path) -> None:
    with WorkerPool(1, malicious_files.nothing, seconds=30, confinement=None) as crew:
        note = str(tmp_path / "note")
        assert crew.submit(malicious_files.abort_the_first_time, note).result(PATIENCE) == "done"


def test_a_worker_that_died_while_idle_is_replaced() -> None:
    with WorkerPool(1, malicious_files.nothing, seconds=30, confinement=None) as crew:
        first = crew.submit(malicious_files.who_am_i).result(PATIENCE)
        os.kill(first, 9)
        time.sleep(0.2)
        assert crew.submit(malicious_files.who_am_i).result(PATIENCE) != first


def test_a_worker_that_cannot_start_is_no_fault_of_the_photo() -> None:
    with WorkerPool(1, malicious_files.cannot_start, seconds=30, confinement=None) as crew:
        with pytest.raises(WorkerPoolUnavailable, match="the model is not whole"):
            crew.submit(malicious_files.add, 1, 1).result(PATIENCE)
        with pytest.raises(WorkerPoolUnavailable):
            crew.submit(malicious_files.add, 1, 1).result(PATIENCE)


def test_urgent_tasks_overtake_waiting_ones() -> None:
    with WorkerPool(1, malicious_files.nothing, seconds=30, confinement=None) as crew:
        order: list[str] = []

        def note(name: str, _: object) -> None:
            order.append(name)

        crew.submit(time.sleep, 1.0)
        for name, urgent in (("archive", False), ("release", True)):
            task = crew.submit(malicious_files.add, 1, 1, urgent=urgent)
            task.add_done_callback(partial(note, name))
        crew.submit(malicious_files.add, 1, 1).result(PATIENCE)
    assert order == ["release", "archive"]


def test_the_pool_is_stopped_in_seconds_even_while_its_workers_hang() -> None:
    crew = WorkerPool(2, malicious_files.nothing, seconds=600, confinement=None)
    hanging = [crew.submit(malicious_files.hang) for _ in range(3)]
    crew.submit(malicious_files.add, 1, 1, urgent=True)
    time.sleep(1)
    started = time.monotonic()
    crew.terminate()
    assert time.monotonic() - started < 100, "the hanging tasks have 600 seconds"
    for task in hanging:
        with pytest.raises(WorkerPoolUnavailable):
            task.result(0)


def test_workers_end_with_the_program_that_started_them(tmp_path: Path) -> None:
    note = tmp_path / "note"
    code = (
        "from tests.support import malicious_files\n"
        "from ingest.workers.process_pool import WorkerPool\n"
        "if __name__ == '__main__':\n"
        "    pool = WorkerPool(1, malicious_files.nothing, 600, confinement=None)\n"
        f"    pool.submit(malicious_files.say_you_started_then_hang, {str(note)!r}).result()\n"
    )
    script = tmp_path / "program.py"
    script.write_text(code)
    root = Path(__file__).parents[2]
    parent = subprocess.Popen([sys.executable, script], env={**os.environ, "PYTHONPATH": str(root)})
    wait_until(lambda: note.exists() and note.read_text() != "")
    worker = int(note.read_text())
    assert _is_alive(worker)
    parent.kill()
    parent.wait()
    wait_until(lambda: not _is_alive(worker))


def test_a_decoder_that_was_taken_over_can_reach_no_file_process_or_network(tmp_path: Path) -> None:
    (tmp_path / "existing").write_text("as it was")
    bystander = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    with WorkerPool(
        1, malicious_files.nothing, seconds=30, confinement=malicious_files.SANDBOX
    ) as crew:
        task = crew.submit(malicious_files.forbidden_things, str(tmp_path), bystander.pid)
        outcomes = task.result(PATIENCE)
    assert outcomes == dict.fromkeys(outcomes, "refused")
    assert [(p.name, p.read_text()) for p in tmp_path.iterdir()] == [("existing", "as it was")]
    assert bystander.poll() is None
    bystander.kill()
    bystander.wait()


def _is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
