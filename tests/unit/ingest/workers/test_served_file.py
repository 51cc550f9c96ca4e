"""Files that a worker reads in parts through the gate."""

from __future__ import annotations

import io
import pickle
from pathlib import Path

import pytest

from ingest.workers import served_file
from ingest.workers.process_pool import WorkerPool
from ingest.workers.served_file import (
    BLOCK,
    RemoteFile,
    ServedFile,
    SourceUnreadable,
    is_request,
    serve_descriptor,
)
from ingest.workers.worker_errors import WorkerCrashed
from tests.support import malicious_files, served_file_tasks
from tests.support.checkpoints import checkpoint_bytes

pytestmark = pytest.mark.costly

CONTENT = bytes(range(256)) * (3 * BLOCK // 256) + b"the end"


def make_served(content: bytes = CONTENT) -> ServedFile:
    return ServedFile(len(content), lambda offset, length: content[offset : offset + length])


def test_it_reads_like_a_file() -> None:
    file, real = make_served(), io.BytesIO(CONTENT)
    reads = ((0, 0, 10), (-7, 2, 100), (BLOCK - 3, 0, 6), (5, 1, BLOCK), (0, 0, -1))
    for offset, whence, size in reads:
        assert file.seek(offset, whence) == real.seek(offset, whence)
        assert file.read(size) == real.read(size)
        assert file.tell() == real.tell()


def test_a_source_that_gives_too_little_is_an_error_and_no_end_of_file() -> None:
    file = ServedFile(100, lambda _offset, _length: b"short")
    with pytest.raises(SourceUnreadable):
        file.read(10)


@pytest.mark.parametrize(
    ("offset", "length"), [(0, BLOCK + 1), (len(CONTENT), 1), (2**63, 5), (len(CONTENT) - 3, 4)]
)
def test_a_request_beyond_the_file_gets_nothing(offset: int, length: int) -> None:
    request = served_file._REQUEST.pack(b"R", offset, length)
    assert is_request(request)
    assert make_served().answer(request) == b""


def test_a_failing_disk_gives_nothing() -> None:
    def fail(_offset: int, _length: int) -> bytes:
        raise OSError("disk")

    assert ServedFile(100, fail).answer(served_file._REQUEST.pack(b"R", 0, 10)) == b""


def test_the_workers_side_has_no_content() -> None:
    pickled = pickle.dumps(make_served())
    assert len(pickled) < 200
    assert isinstance(pickle.loads(pickled), RemoteFile)  # noqa: S301  our own bytes


def test_a_worker_reads_a_file_through_its_pipe_and_tasks_without_one_go_on(tmp_path: Path) -> None:
    path = tmp_path / "film"
    path.write_bytes(CONTENT)
    with (
        path.open("rb") as file,
        WorkerPool(1, malicious_files.nothing, seconds=30, confinement=None) as pool,
    ):
        served = serve_descriptor(file.fileno())
        assert pool.submit(served_file_tasks.last_bytes, served, 7).result(60) == b"the end"
        assert pool.submit(malicious_files.add, 1, 1).result(60) == 2
        assert pool.submit(served_file_tasks.ask_beyond_the_end, served).result(60) == b""


def test_a_worker_that_was_given_no_file_gets_none() -> None:
    with WorkerPool(1, malicious_files.nothing, seconds=30, confinement=None) as pool:
        asking = pool.submit(served_file_tasks.ask_without_a_file)
        with pytest.raises(WorkerCrashed):
            asking.result(60)


def test_a_task_with_a_file_may_take_longer() -> None:
    with WorkerPool(
        1, malicious_files.nothing, seconds=0.2, confinement=None, seconds_with_file=30
    ) as pool:
        assert pool.submit(served_file_tasks.slow_last_bytes, make_served(), 3).result(60) == b"end"


def test_a_worker_says_how_far_it_is_between_two_parts() -> None:
    said: list[tuple[int, int]] = []
    served = make_served()
    file = ServedFile(served.size, served._read_at, lambda *seen: said.append(seen))
    with WorkerPool(1, malicious_files.nothing, seconds=30, confinement=None) as pool:
        assert pool.submit(served_file_tasks.last_bytes_with_progress, file).result(60) == b"end"
    assert said == [(1, 60), (2, 60)]


def test_a_task_that_is_tried_again_goes_on_from_its_checkpoint() -> None:
    stored: list[bytes] = []
    film = make_served()
    film.keep_checkpoints(b"", stored.append)
    with WorkerPool(1, malicious_files.nothing, seconds=30, confinement=None) as pool:
        task = pool.submit(served_file_tasks.send_a_checkpoint_and_die, film)
        assert task.result(60) == checkpoint_bytes()
    assert stored == [checkpoint_bytes()]


def test_a_worker_that_sends_something_else_as_a_checkpoint_is_ended() -> None:
    stored: list[bytes] = []
    film = make_served()
    film.keep_checkpoints(b"", stored.append)
    with WorkerPool(1, malicious_files.nothing, seconds=30, confinement=None) as pool:
        task = pool.submit(served_file_tasks.send_no_checkpoint, film)
        with pytest.raises(WorkerCrashed):
            task.result(60)
    assert stored == []


def test_a_photo_does_not_wait_for_a_film() -> None:
    with WorkerPool(1, malicious_files.nothing, seconds=60, confinement=None) as pool:
        film = pool.submit(served_file_tasks.wait_long, make_served())
        assert pool.submit(malicious_files.add, 1, 1).result(60) == 2
        assert not film.done()
