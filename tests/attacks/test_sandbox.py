"""Code that has taken an analysis worker over reaches nothing but its own pipe."""

from __future__ import annotations

import ctypes
import json
import os
import pickle
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from consent_gate.home.home import Home
from consent_gate.matching.gallery import gallery_of
from ingest.workers import answers, landlock, sandbox
from ingest.workers.analysis_pool import AnalysisPool, SandboxUnavailable
from ingest.workers.process_pool import WorkerPool
from ingest.workers.worker_errors import WorkerCrashed, WorkerPoolUnavailable
from sims_import.readers.excel import child_environment
from sims_import.readers.workbook_exits import PROTECTED
from tests.support import malicious_files
from tests.support import sandbox_attacks as attacks
from tests.support.sandbox_attacks import Targets

PATIENCE = 60
SECRET = "the-password-of-the-database"
MEMORY = ctypes.create_string_buffer(b"a key in the memory of the gate")

NEEDS_LANDLOCK = {"read_key", "read_key_through_own_root", "list_folder"} | {
    "read_environment_of_parent",
    "read_memory_of_parent",
}
"""Attacks that a filter of system calls cannot tell from reading a library."""

needs_seccomp = pytest.mark.skipif(
    any("seccomp" in part for part in sandbox.missing_parts()), reason="kernel without seccomp"
)


@pytest.fixture(scope="module")
def inherited(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """A descriptor that children inherit, and a password in the environment."""
    file = tmp_path_factory.mktemp("open") / "log"
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT)
    os.set_inheritable(descriptor, True)  # noqa: FBT003  it takes no keyword
    os.environ["CONSENT_GATE_DATABASE__PASSWORD"] = SECRET
    yield descriptor
    del os.environ["CONSENT_GATE_DATABASE__PASSWORD"]
    os.close(descriptor)


@pytest.fixture(scope="module")
def confined(inherited: int) -> Iterator[WorkerPool]:
    assert inherited
    has_landlock = landlock.version() > 0
    confinement = sandbox.Confinement(megabytes=2048, required=has_landlock)
    with WorkerPool(1, attacks.start_early_thread, seconds=30, confinement=confinement) as pool:
        yield pool


@pytest.fixture(scope="module")
def free(inherited: int) -> Iterator[WorkerPool]:
    assert inherited
    with WorkerPool(1, malicious_files.nothing, seconds=30, confinement=None) as pool:
        yield pool


@pytest.fixture
def targets(tmp_path: Path) -> Iterator[Targets]:
    (tmp_path / "existing").write_text("as it was")
    (tmp_path / "key").write_text("secret")
    bystander = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    yield Targets(str(tmp_path), os.getpid(), bystander.pid, ctypes.addressof(MEMORY))
    bystander.kill()
    bystander.wait()


def listing(folder: str) -> list[tuple[str, int, str]]:
    return [(p.name, p.stat().st_mode, p.read_text()) for p in sorted(Path(folder).iterdir())]


@needs_seccomp
@pytest.mark.parametrize("task", [attacks.attempt, attacks.attempt_in_early_thread])
@pytest.mark.parametrize("name", attacks.BY_NAME)
def test_the_attack_is_refused(
    confined: WorkerPool, targets: Targets, name: str, task: type
) -> None:
    if name in NEEDS_LANDLOCK and landlock.version() == 0:
        pytest.skip("kernel without Landlock")
    before = listing(targets.folder)
    assert confined.submit(task, name, targets).result(PATIENCE) == "refused"
    assert listing(targets.folder) == before


@pytest.mark.skipif(os.geteuid() != 0, reason="some attacks need root or no yama")
@pytest.mark.parametrize("name", attacks.BY_NAME)
def test_the_attack_works_where_there_is_no_sandbox(
    free: WorkerPool, targets: Targets, name: str
) -> None:
    """Otherwise the tests above would prove nothing."""
    assert free.submit(attacks.attempt, name, targets).result(PATIENCE) == "done"


def test_no_descriptor_is_inherited_but_the_pipe(confined: WorkerPool) -> None:
    assert len(confined.submit(attacks.open_descriptors).result(PATIENCE)) == 1


def test_passwords_in_the_environment_are_forgotten(confined: WorkerPool, free: WorkerPool) -> None:
    assert not confined.submit(attacks.sees_in_environment, SECRET).result(PATIENCE)
    assert free.submit(attacks.sees_in_environment, SECRET).result(PATIENCE)


@pytest.mark.parametrize("make", ["a pickle", "a pickle as the document", "nothing", "zeros"])
def test_an_answer_that_is_no_data_ends_the_worker(
    confined: WorkerPool, tmp_path: Path, make: str
) -> None:
    bomb = attacks.pickle_bomb(str(tmp_path / "note"))
    messages = {
        "a pickle": bomb,
        "a pickle as the document": len(bomb).to_bytes(4, "big") + bomb,
        "nothing": b"",
        "zeros": bytes(100),
    }
    with pytest.raises(WorkerCrashed):
        confined.submit(attacks.send_raw, messages[make]).result(PATIENCE)
    assert list(tmp_path.iterdir()) == []
    pickle.loads(bomb)  # noqa: S301  shows that the bomb works
    assert (tmp_path / "note").exists()


@pytest.mark.parametrize("length", [answers.MAX_ANSWER_BYTES + 1, 1 << 62])
def test_an_answer_that_is_too_long_is_not_read(confined: WorkerPool, length: int) -> None:
    with pytest.raises(WorkerCrashed):
        confined.submit(attacks.announce_length, length).result(PATIENCE)


@pytest.mark.skipif(landlock.version() == 0, reason="kernel without Landlock")
def test_a_process_that_has_threads_already_is_not_confined() -> None:
    """Landlock would not restrict them."""
    code = (
        "import os, threading, time\n"
        "from ingest.workers import sandbox\n"
        "threading.Thread(target=time.sleep, args=(60,), daemon=True).start()\n"
        "read, write = os.pipe()\n"
        "try:\n"
        "    sandbox.enter(sandbox.Confinement(2048), write)\n"
        "except OSError:\n"
        "    os._exit(7)\n"
        "os._exit(0)\n"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 7


def test_no_photo_is_examined_where_the_kernel_cannot_confine_workers(
    demo_school: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sandbox, "missing_parts", lambda: ("Landlock",))
    with pytest.raises(SandboxUnavailable, match="lacks Landlock"):
        AnalysisPool(demo_school, gallery_of([]))


def test_a_worker_that_cannot_be_confined_does_not_start() -> None:
    """The worker itself refuses, whatever the gate found: here the filter cannot be loaded."""
    confinement = sandbox.Confinement(megabytes=2048)
    pool = WorkerPool(1, attacks.forget_machine_types, seconds=30, confinement=confinement)
    with pool, pytest.raises(WorkerPoolUnavailable, match="cannot be started: OSError"):
        pool.submit(attacks.open_descriptors).result(PATIENCE)


WORKBOOK_ATTACK = """
import json, os, socket, sys
sys.modules["numpy"] = None  # as in the real process
from sims_import.readers import workbook

def held(attempt):
    try:
        attempt()
    except OSError:
        return True
    return False

class TakenOver:
    def from_filelike(_):
        key, pid = sys.argv[1], int(sys.argv[2])
        attempts = {
            "read": lambda: open(key).read(),
            "write": lambda: open(key, "w"),
            "list": lambda: os.listdir(os.path.dirname(key)),
            "connect": lambda: socket.socket(),
            "fork": os.fork,
            "run": lambda: os.execv("/bin/true", ["true"]),
            "signal": lambda: os.kill(pid, 0),
            "memory": lambda: open(f"/proc/{pid}/mem", "rb"),
            "environment": lambda: open(f"/proc/{pid}/environ", "rb"),
        }
        found = {name: held(attempt) for name, attempt in attempts.items()}
        found["password"] = not any("PASSWORD" in name for name in os.environ)
        print(json.dumps(found))
        raise workbook.calamine.PasswordError

workbook.calamine.CalamineWorkbook = TakenOver
sys.exit(workbook.main())
"""


@needs_seccomp
@pytest.mark.skipif(landlock.version() < 1, reason="kernel without Landlock")
def test_a_workbook_that_takes_its_reader_over_reaches_nothing(tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_text("secret")
    done = subprocess.run(
        [sys.executable, "-P", "-c", WORKBOOK_ATTACK, str(key), str(os.getpid())],
        input=b"",
        capture_output=True,
        check=False,
        env=child_environment() | {"CONSENT_GATE_DATABASE__PASSWORD": SECRET},
    )
    assert done.returncode == PROTECTED, done.stderr.decode()
    assert json.loads(done.stdout) == dict.fromkeys(json.loads(done.stdout), True)
    assert len(json.loads(done.stdout)) == 10
    assert key.read_text() == "secret"
