"""Health checks of the machine: the running gate, the database, folders, disks and the sandbox."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from datetime import datetime

from django.db import DatabaseError, connection

from consent_gate.home.home import Home
from consent_gate.messages import counted
from consent_gate.operations.health.health_check import HealthCheck, State
from ingest.runtime.heartbeat import read_heartbeat
from ingest.workers import sandbox
from publish.channel.folder import folder_problems

LOW_DISK = 5 << 30
"""Free bytes below which a disk is reported: a thousand photos of 12 MP with their previews."""


def running(home: Home) -> Iterator[HealthCheck]:
    """Whether ``consent-gate run`` is alive, and what it reports."""
    title, sign = "Running", read_heartbeat(home)
    if sign is None:
        yield HealthCheck(
            "running",
            title,
            State.WARNING,
            "The gate has not run here yet. Start it: consent-gate run.",
        )
    elif sign.is_stale(home.now()):
        message = (
            f"The gate has not responded since {datetime.fromisoformat(sign.at):%d %B, %H:%M}."
        )
        yield HealthCheck(
            "running", title, State.BAD, f"{message} Start it again: consent-gate run."
        )
    elif sign.trouble:
        yield HealthCheck("running", title, State.BAD, sign.trouble)
    else:
        yield HealthCheck("running", title, State.GOOD, sign.watching)
    if sign and sign.files_waiting:
        message = f"{counted(sign.files_waiting, 'file')} in the inbox cannot be processed yet."
        yield HealthCheck("inbox.waiting", "Inbox", State.WARNING, message)


def database(_home: Home) -> Iterator[HealthCheck]:
    """Whether the database answers."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT COUNT(*) FROM gate_importrun")
            cursor.fetchone()
    except DatabaseError as error:
        yield HealthCheck(
            "database", "Database", State.BAD, f"The database does not respond: {error}."
        )
        return
    yield HealthCheck("database", "Database", State.GOOD, "The database responds.")


def folders(home: Home) -> Iterator[HealthCheck]:
    """Whether each folder exists and can be written."""
    ours = [("inbox", "Inbox", home.inbox), ("sims", "SIMS exports", home.sims)]
    for code, title, path in [*ours, ("vault", "Safe store", home.vault)]:
        if not path.is_dir():
            yield HealthCheck(code, title, State.BAD, f"The folder {path} does not exist.")
        elif not os.access(path, os.W_OK):
            yield HealthCheck(
                code, title, State.BAD, f"The gate cannot write to the folder {path}."
            )
        else:
            yield HealthCheck(code, title, State.GOOD, str(path))


def channel_folders(home: Home) -> Iterator[HealthCheck]:
    """Whether each channel's folder matches the database and can be written."""
    troubled = {trouble.channel: trouble.message for trouble in folder_problems(home)}
    for name in [*home.settings.channels, *(troubled.keys() - home.settings.channels.keys())]:
        channel = home.settings.channels.get(name)
        title, code = channel.title if channel else name, f"channel.{name}"
        if name in troubled:
            yield HealthCheck(code, title, State.BAD, troubled[name])
        elif not os.access(home.approved(name), os.W_OK):
            yield HealthCheck(
                code, title, State.BAD, f"The gate cannot write to {home.approved(name)}."
            )
        else:
            yield HealthCheck(code, title, State.GOOD, str(home.approved(name)))


def disk(home: Home) -> Iterator[HealthCheck]:
    """Free space for the database and for originals, which may be on another disk."""
    places = {"disk.home": home.database.parent, "disk.vault": home.vault}
    for code, path in places.items():
        free = shutil.disk_usage(path).free
        state = State.GOOD if free > LOW_DISK else State.BAD
        title = "Free space" if code == "disk.home" else "Free space for originals"
        yield HealthCheck(code, title, state, f"{free / (1 << 30):.1f} GB at {path}")


def worker_sandbox(home: Home) -> Iterator[HealthCheck]:
    """Whether Linux can restrict the workers that open photos, and keeps the keys from them."""
    code, title, missing = "sandbox", "Sandbox of the workers", sandbox.missing_parts()
    readable = sandbox.readable_paths()
    if any(home.secrets.resolve().is_relative_to(path.resolve()) for path in readable):
        message = f"Workers may read {home.secrets}, as it lies among libraries. Move the home."
        yield HealthCheck(code, title, State.BAD, message)
    elif not missing:
        yield HealthCheck(code, title, State.GOOD, "Landlock and seccomp restrict the workers.")
    else:
        message = f"This machine lacks {' and '.join(missing)}."
        if home.settings.analysis.sandbox == "required":
            message += " No photo is examined: docs/operating.md says what to do."
            yield HealthCheck(code, title, State.BAD, message)
        else:
            message += ' The settings allow it: sandbox = "best_effort".'
            yield HealthCheck(code, title, State.WARNING, message)


MACHINE_CHECKS: tuple[Callable[[Home], Iterator[HealthCheck]], ...] = (
    database,
    folders,
    channel_folders,
    disk,
    worker_sandbox,
)
