"""Schools whose photos worker machines examine, and worker programs as processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from django.db import connection

from consent_gate.bootstrap import create_home
from consent_gate.home.database_url import replace_section
from consent_gate.home.home import Home
from consent_gate.home.settings import default_toml
from consent_gate.home.settings_machine import Database
from tests.support import postgresql
from tests.support.fake_worker import SECONDS_VARIABLE

ROOT = Path(__file__).parents[2]


def use_worker_machines(root: Path) -> None:
    """Settings of a home on PostgreSQL: workers examine, and pictures without faces go out."""
    file = root / "consent-gate.toml"
    text = file.read_text().replace('# where = "workers"', 'where = "workers"')
    file.write_text(text.replace('when_no_faces = "hold"', 'when_no_faces = "release"'))


def make_school_home(server: postgresql.Server, database: str, root: Path, name: str) -> Home:
    """A school as docs/scaling.md says to make one: its role owns its schema and nothing else."""
    for line in (
        f"REVOKE ALL ON DATABASE {database} FROM PUBLIC",
        f"CREATE ROLE {name} LOGIN",
        f"GRANT CONNECT ON DATABASE {database} TO {name}",
        f"CREATE SCHEMA {name} AUTHORIZATION {name}",
    ):
        server.tell(line, database)
    root.mkdir(parents=True)
    file = root / "consent-gate.toml"
    file.write_text(default_toml().replace("settle_seconds = 5 ", "settle_seconds = 0.05 "))
    chosen = {"engine": "postgresql", "host": str(server.folder), "name": database}
    replace_section(file, Database.model_validate({**chosen, "user": name, "schema": name}))
    use_worker_machines(root)
    return create_home(root)


@dataclass
class WorkerPrograms:
    """Worker programs of one home, with an analysis that costs a fixed time."""

    root: Path
    programs: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start(self, seconds: float = 0) -> subprocess.Popen[bytes]:
        """One more; each photo takes it so long."""
        log = (self.root / "workers.log").open("ab")
        program = subprocess.Popen(
            [sys.executable, "-m", "tests.support.fake_worker", str(self.root)],
            cwd=ROOT,
            env={**os.environ, SECONDS_VARIABLE: str(seconds), "OMP_NUM_THREADS": "1"},
            start_new_session=True,
            stdout=log,
            stderr=log,
        )
        self.programs.append(program)
        return program

    def kill(self, program: subprocess.Popen[bytes]) -> None:
        """As a power cut would."""
        os.killpg(program.pid, signal.SIGKILL)
        program.wait()
        self.programs.remove(program)

    def kill_all(self) -> None:
        for program in list(self.programs):
            if program.poll() is None:
                self.kill(program)

    def said(self) -> str:
        """What they wrote, for a failing test."""
        log = self.root / "workers.log"
        return log.read_text() if log.exists() else ""


def age_worker_heartbeats() -> None:
    """The signs of life of all workers are a minute older, as after a minute's wait."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE procrastinate_workers SET last_heartbeat = last_heartbeat - interval '1 min'"
        )
