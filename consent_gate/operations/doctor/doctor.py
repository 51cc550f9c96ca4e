"""Check the whole installation, for the administrator of the machine.

Each check is independent: one that fails does not stop the next. No check changes anything, except
for a probe file that it removes again. The name of a check function is the code of its finding when
the check itself fails.
"""

from __future__ import annotations

import importlib
import os
import platform
import sqlite3
import stat
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import NamedTemporaryFile

from django.db import DatabaseError, connection

from consent_gate import __version__
from consent_gate.bootstrap import open_home, require_current_schema
from consent_gate.db.models import AuditEntry, ImportRun, Item
from consent_gate.errors import GateError, ModelUnavailable
from consent_gate.home import filesystem
from consent_gate.home.home import Home
from consent_gate.home.settings import Settings
from consent_gate.messages import counted
from consent_gate.operations.doctor.film_checks import films
from consent_gate.operations.doctor.service_checks import mail, sign_in
from consent_gate.operations.health.health import all_checks
from consent_gate.operations.health.health_check import HealthCheck, State, run_check
from consent_gate.operations.recognition.pupil_advice import templates
from consent_gate.vault.originals import read_part
from ingest.faces.weights import ALL_WEIGHTS, locate

LIBRARIES = ("cv2", "dlib", "onnxruntime", "PIL", "pi_heif", "cryptography", "numpy")
"""Libraries with compiled parts: a wrong wheel or a missing system library shows here first."""

CLOCK_TOLERANCE = timedelta(minutes=2)
"""A time server may set the clock back by as much without a fault."""

OPEN_FILES = 1024
"""Open files that Linux allows a process by default (``ulimit -n``)."""


def examine(root: Path) -> list[HealthCheck]:
    """All findings about the home in the folder ``root``, whether or not it can be opened."""
    found = [*program(), *models()]
    try:
        home = open_home(root)
    except GateError as error:
        return [*found, HealthCheck("home", "Home", State.BAD, str(error))]
    found.append(HealthCheck("home", "Home", State.GOOD, str(home.root)))
    found += [finding for check in CHECKS for finding in run_check(home, check)]
    return found + all_checks(home)


def program() -> Iterator[HealthCheck]:
    """Whether the program's libraries can be loaded, and the versions in use."""
    missing = []
    for name in LIBRARIES:
        try:
            importlib.import_module(name)
        except ImportError:
            missing.append(name)
    message = f"consent-gate {__version__}, Python {platform.python_version()}"
    message += f", SQLite {sqlite3.sqlite_version}"
    if missing:
        message += f". Cannot be loaded: {', '.join(missing)}. Install again with 'make setup'."
    yield HealthCheck("program", "Program", State.BAD if missing else State.GOOD, message)


def models() -> Iterator[HealthCheck]:
    """Whether the weight files of the models are there, with the expected SHA-256."""
    for weights in ALL_WEIGHTS:
        name = Path(weights.path).name
        try:
            locate(weights)
        except ModelUnavailable as error:
            yield HealthCheck("model", f"Model {name}", State.BAD, str(error))
        else:
            yield HealthCheck("model", f"Model {name}", State.GOOD, "The expected file.")


def settings(home: Home) -> Iterator[HealthCheck]:
    """Settings that are allowed but unwise."""
    prefix = str(Settings.model_config.get("env_prefix"))
    overridden = sorted(name for name in os.environ if name.startswith(prefix))
    if overridden:
        message = f"These environment variables are used as settings too: {', '.join(overridden)}."
        yield HealthCheck("settings.environment", "Settings", State.WARNING, message)
    web = home.settings.web
    if web.host not in {"127.0.0.1", "::1", "localhost"} and not web.https:
        message = (
            "The pages are open to the network without https, so passwords can be read on the way."
        )
        message += " Set https in [web], or listen on 127.0.0.1 only."
        yield HealthCheck("settings.https", "Settings", State.WARNING, message)
    if not overridden:
        yield HealthCheck("settings", "Settings", State.GOOD, "consent-gate.toml is in order.")


def keys(home: Home) -> Iterator[HealthCheck]:
    """Whether the keys are private, and open what is stored in this home."""
    mode = stat.S_IMODE(home.secrets.stat().st_mode)
    open_files = [p.name for p in home.secrets.iterdir() if p.stat().st_mode & 0o077]
    if os.name == "posix" and (mode & 0o077 or open_files):
        message = f"Other accounts can read {home.secrets}: chmod -R go= {home.secrets}"
        yield HealthCheck("keys.private", "Keys", State.BAD, message)
    else:
        yield HealthCheck("keys.private", "Keys", State.GOOD, "Readable by this account only.")
    sample = Item.objects.exclude(wrapped_key=None).filter(state="decided").first()
    if sample is None:
        yield HealthCheck(
            "keys.fit", "Keys", State.GOOD, "Nothing is stored yet, so the keys could not be tried."
        )
        return
    try:
        read_part(home, sample)
    except (GateError, OSError) as error:
        message = f"A stored original cannot be decrypted: {error}"
        yield HealthCheck("keys.fit", "Keys", State.BAD, message)
    else:
        yield HealthCheck("keys.fit", "Keys", State.GOOD, "The keys decrypt a stored original.")


def permissions(home: Home) -> Iterator[HealthCheck]:
    """Whether private files are private, and whether a probe can be written where it must be."""
    for title, path in (("Safe store", home.vault), ("Database", home.database)):
        if os.name == "posix" and path.exists() and path.stat().st_mode & 0o077:
            message = f"Other accounts can read {path}: chmod go= {path}"
            yield HealthCheck("private", title, State.BAD, message)
    for name, channel in home.settings.channels.items():
        if home.approved(name).is_dir():
            yield _can_write(f"write.{name}", channel.title, home.approved(name))
    yield _can_write("write.vault", "Safe store", home.vault)


def _can_write(code: str, title: str, folder: Path) -> HealthCheck:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with NamedTemporaryFile(prefix=".partial-", dir=folder) as probe:
            probe.write(b"probe")
    except OSError as error:
        message = f"Nothing can be written to {folder}: {error.strerror}."
        return HealthCheck(code, title, State.BAD, message)
    return HealthCheck(code, title, State.GOOD, f"Files can be written to {folder}.")


def separation(home: Home) -> Iterator[HealthCheck]:
    """Whether private folders lie outside the channels' folders, and these outside the inbox."""
    private = {"secrets": home.secrets, "vault": home.vault, "database": home.database}
    private |= {"settings": home.root / "consent-gate.toml", "inbox": home.inbox}
    wrong = [
        f"{title} lies inside the folder of {name}"
        for name in home.settings.channels
        for title, path in private.items()
        if path.resolve().is_relative_to(home.approved(name).resolve())
    ]
    wrong += [
        f"the folder of {name} lies inside the inbox"
        for name in home.settings.channels
        if home.approved(name).resolve().is_relative_to(home.inbox.resolve())
    ]
    if wrong:
        message = f"{'; '.join(wrong)}. Move it: readers can open everything in a channel's folder."
        yield HealthCheck("separation", "Separation", State.BAD, message)
    else:
        message = "Keys, originals and database lie outside the channels' folders."
        yield HealthCheck("separation", "Separation", State.GOOD, message)


def file_systems(home: Home) -> Iterator[HealthCheck]:
    """The file system of each folder. Network shares send no file events and may lose locks."""
    private = [("Database", home.database.parent), ("Safe store", home.vault)]
    for title, path in private[home.settings.database.engine != "sqlite" :]:
        kind = filesystem.mount_kind(path) or "unknown"
        state = State.WARNING if filesystem.is_shared(path) else State.GOOD
        yield HealthCheck("filesystem", title, state, f"{path} is on {kind}.")
    for title, path in (("Inbox", home.inbox), ("SIMS exports", home.sims)):
        kind = filesystem.mount_kind(path) or "unknown"
        share = filesystem.is_shared(path)
        message = f"{path} is on {kind}" + (", which is scanned at intervals." if share else ".")
        yield HealthCheck("filesystem", title, State.GOOD, message)


def limits(home: Home) -> Iterator[HealthCheck]:
    """Limits of the operating system that a gate may reach after months."""
    watches = Path("/proc/sys/fs/inotify/max_user_watches")
    if watches.exists() and not filesystem.is_shared(home.inbox):
        allowed = int(watches.read_text("ascii"))
        used = sum(len(folders) for _, folders, _ in os.walk(home.inbox)) + 1
        tight = used * 2 > allowed
        message = (
            f"The inbox has {counted(used, 'folder')}. The system can watch {allowed} at once."
        )
        if tight:
            message += " Raise fs.inotify.max_user_watches, or move old events out of the inbox."
        yield HealthCheck(
            "limits.inotify", "Watching", State.WARNING if tight else State.GOOD, message
        )
    if os.name == "posix":
        import resource

        soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        too_few = soft != resource.RLIM_INFINITY and soft < OPEN_FILES
        message = f"This account may open {soft} files at once."
        if too_few:
            message += f" That is too few: allow {OPEN_FILES} (ulimit -n)."
        yield HealthCheck(
            "limits.files", "Open files", State.BAD if too_few else State.GOOD, message
        )


def database_integrity(home: Home) -> Iterator[HealthCheck]:
    """Whether the database file is undamaged, and whether its schema is of this version."""
    if connection.vendor == "sqlite":
        answer = _quick_check()
        whole = answer == ["ok"]
        message = "The file is undamaged."
        if not whole:
            message = f"The file is damaged: {'; '.join(answer)}. Restore a backup."
        yield HealthCheck("database.whole", "Database", State.GOOD if whole else State.BAD, message)
    else:
        yield _server(home)
    try:
        require_current_schema()
        yield HealthCheck("database.version", "Database", State.GOOD, "Up to date.")
    except GateError as error:
        yield HealthCheck("database.version", "Database", State.BAD, str(error))


def _server(home: Home) -> HealthCheck:
    """The version of PostgreSQL, and whether the connection to it is safe."""
    chosen = home.settings.database
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('server_version'), current_schema()")
        version, schema = cursor.fetchone()
    message = f"PostgreSQL {version}, schema {schema}."
    is_local = chosen.host.startswith("/") or chosen.host in {"", "localhost", "127.0.0.1", "::1"}
    if is_local or chosen.sslmode == "verify-full":
        return HealthCheck("database.server", "Database", State.GOOD, message)
    message += ' The connection can be read or changed on the way. Set sslmode = "verify-full".'
    return HealthCheck("database.server", "Database", State.WARNING, message)


def _quick_check() -> list[str]:
    try:
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA quick_check(5)")
            return [str(row[0]) for row in cursor.fetchall()]
    except DatabaseError as error:  # too damaged even to be checked
        return [str(error)]


def clock(home: Home) -> Iterator[HealthCheck]:
    """Whether the clock is behind. A clock that is behind would keep expired consents valid."""
    last = AuditEntry.objects.order_by("-sequence").first()
    newest = ImportRun.objects.exclude(exported_on=None).order_by("-exported_on").first()
    if last and datetime.fromisoformat(last.at) - home.clock() > CLOCK_TOLERANCE:
        message = f"The clock says {home.now():%d %B %Y, %H:%M}. The newest audit entry is later."
        yield HealthCheck("clock", "Clock", State.BAD, message)
    elif newest and newest.exported_on and newest.exported_on > home.now().date():
        message = "The clock is behind the date of the newest SIMS export. Set the clock."
        yield HealthCheck("clock", "Clock", State.BAD, message)
    else:
        message = f"{home.now():%d %B %Y, %H:%M} in {home.settings.school.timezone}"
        yield HealthCheck("clock", "Clock", State.GOOD, message)


CHECKS: tuple[Callable[[Home], Iterable[HealthCheck]], ...] = (
    settings,
    keys,
    permissions,
    separation,
    file_systems,
    limits,
    database_integrity,
    templates,
    clock,
    films,
    mail,
    sign_in,
)
