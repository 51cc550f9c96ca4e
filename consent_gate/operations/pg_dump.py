"""A copy of a home's schema by PostgreSQL's own ``pg_dump``, made before an upgrade.

Only PostgreSQL can copy tables of a version of the program that is not this one.
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
    """The copy before an upgrade could not be made, so nothing was upgraded."""

    next_step = "Install PostgreSQL's client programs (postgresql-client), of the server's version."


def dump_schema(home: Home, target: Path) -> None:
    """Write the schema into one file for ``pg_restore``. Raises PgDumpMissing."""
    program = shutil.which("pg_dump")
    if program is None:
        raise PgDumpMissing("The program pg_dump is not there.")
    chosen = home.settings.database
    target.unlink(missing_ok=True)
    target.touch(mode=0o600)
    told = {"host": chosen.host, "username": chosen.user, "dbname": chosen.name}
    arguments = [f"--{name}={value}" for name, value in told.items() if value]
    secret = password(home)
    done = subprocess.run(
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
    if done.returncode:
        target.unlink()
        raise PgDumpMissing(f"pg_dump failed: {' '.join(done.stderr.split())}.")
