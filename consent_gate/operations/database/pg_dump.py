"""Copy a home's schema with PostgreSQL's ``pg_dump`` before an upgrade.

The gate cannot copy the rows itself then, because the tables are of another version of the program.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from consent_gate.errors import DatabaseUnusable
from consent_gate.home.database import password
from consent_gate.home.home import Home


class PgDumpMissing(DatabaseUnusable):
    """``pg_dump`` is missing or failed, so nothing was upgraded."""

    next_step = "Install PostgreSQL's client programs (postgresql-client) in the server's version."


def dump_schema(home: Home, target: Path) -> None:
    """Write the schema into one file for ``pg_restore``.

    Raises:
        PgDumpMissing: ``pg_dump`` is not installed, or it failed.
    """
    program = shutil.which("pg_dump")
    if program is None:
        raise PgDumpMissing("The program pg_dump is not installed.")
    chosen = home.settings.database
    target.unlink(missing_ok=True)
    target.touch(mode=0o600)
    options = {"host": chosen.host, "username": chosen.user, "dbname": chosen.name}
    arguments = [f"--{name}={value}" for name, value in options.items() if value]
    secret = password(home)
    result = subprocess.run(
        [
            program,
            *arguments,
            f"--port={chosen.port}",
            f"--schema={chosen.schema_name}",
            f"--file={target}",
            "--format=custom",
            "--no-password",
        ],
        env={
            **os.environ,
            "PGSSLMODE": chosen.sslmode,
            **({"PGPASSWORD": secret} if secret else {}),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    if result.returncode:
        target.unlink()
        raise PgDumpMissing(f"pg_dump failed: {' '.join(result.stderr.split())}.")
