"""A look at the whole installation, for whoever looks after the machine.

Each check stands alone: one that fails does not hide the next, and none changes anything but a
probe file that it removes again.
"""

from __future__ import annotations

import importlib
import os
import platform
import smtplib
import sqlite3
import ssl
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
from consent_gate.operations.health import HealthCheck, State, all_checks, run_check
from consent_gate.vault.originals import read_part
from ingest.faces.weights import ALL_WEIGHTS, locate

LIBRARIES = ("cv2", "dlib", "onnxruntime", "PIL", "pi_heif", "cryptography", "numpy")
"""What has parts in C: a wrong wheel or a missing system library shows here first."""

MAIL_SECONDS = 10

CLOCK_PLAY = timedelta(minutes=2)
"""A time server may set a clock back by so much without anything being wrong."""

OPEN_FILES = 1024
"""What Linux gives a process by default; workers, database and web server share them."""


def examine(root: Path) -> list[HealthCheck]:
    """All findings about a home, whether or not it can be opened."""
    found = [*program(), *models()]
    try:
        home = open_home(root)
    except GateError as error:
        return [*found, HealthCheck("home", "Home", State.BAD, str(error))]
    found.append(HealthCheck("home", "Home", State.GOOD, str(home.root)))
    found += [finding for check in CHECKS for finding in run_check(home, check)]
    return found + all_checks(home)


def program() -> Iterator[HealthCheck]:
    """The program and its libraries."""
    missing = []
    for name in LIBRARIES:
        try:
            importlib.import_module(name)
        except ImportError:
            missing.append(name)
    words = f"consent-gate {__version__}, Python {platform.python_version()}"
    words += f", SQLite {sqlite3.sqlite_version}"
    if missing:
        words += f". Cannot be loaded: {', '.join(missing)}. Install again with 'make setup'."
    yield HealthCheck("program", "Program", State.BAD if missing else State.GOOD, words)


def models() -> Iterator[HealthCheck]:
    """The weight files, by their SHA-256."""
    for weights in ALL_WEIGHTS:
        name = Path(weights.path).name
        try:
            locate(weights)
        except ModelUnavailable as error:
            yield HealthCheck("model", f"Model {name}", State.BAD, str(error))
        else:
            yield HealthCheck("model", f"Model {name}", State.GOOD, "The file that was measured.")


def settings(home: Home) -> Iterator[HealthCheck]:
    """What in the settings is allowed but unwise."""
    prefix = str(Settings.model_config.get("env_prefix"))
    overridden = sorted(name for name in os.environ if name.startswith(prefix))
    if overridden:
        words = f"The environment sets what the file leaves out: {', '.join(overridden)}."
        yield HealthCheck("settings.environment", "Settings", State.WARNING, words)
    web = home.settings.web
    if web.host not in {"127.0.0.1", "::1", "localhost"} and not web.https:
        words = "The queue is open to the network without https: passwords travel in the clear."
        yield HealthCheck("settings.https", "Settings", State.WARNING, words)
    if not overridden:
        yield HealthCheck("settings", "Settings", State.GOOD, "consent-gate.toml is in order.")


def keys(home: Home) -> Iterator[HealthCheck]:
    """Whether the keys are private and are the ones this home was written with."""
    mode = stat.S_IMODE(home.secrets.stat().st_mode)
    open_files = [p.name for p in home.secrets.iterdir() if p.stat().st_mode & 0o077]
    if os.name == "posix" and (mode & 0o077 or open_files):
        words = f"Other accounts can read {home.secrets}: chmod -R go= {home.secrets}"
        yield HealthCheck("keys.private", "Keys", State.BAD, words)
    else:
        yield HealthCheck("keys.private", "Keys", State.GOOD, "Readable by this account only.")
    sample = Item.objects.exclude(wrapped_key=None).filter(state="decided").first()
    if sample is None:
        yield HealthCheck("keys.fit", "Keys", State.GOOD, "Nothing is stored yet to try them on.")
        return
    try:
        read_part(home, sample)
    except (GateError, OSError) as error:
        words = f"A stored original does not open: {error}"
        yield HealthCheck("keys.fit", "Keys", State.BAD, words)
    else:
        yield HealthCheck("keys.fit", "Keys", State.GOOD, "They open what is stored.")


def permissions(home: Home) -> Iterator[HealthCheck]:
    """What is private must be so; what must be written is written to, once."""
    for what, path in (("Safe store", home.vault), ("Database", home.database)):
        if os.name == "posix" and path.exists() and path.stat().st_mode & 0o077:
            words = f"Other accounts can read {path}: chmod go= {path}"
            yield HealthCheck("private", what, State.BAD, words)
    for name, channel in home.settings.channels.items():
        if home.approved(name).is_dir():
            yield _can_write(f"write.{name}", channel.title, home.approved(name))
    yield _can_write("write.vault", "Safe store", home.vault)


def _can_write(code: str, what: str, folder: Path) -> HealthCheck:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with NamedTemporaryFile(prefix=".partial-", dir=folder) as probe:
            probe.write(b"probe")
    except OSError as error:
        words = f"Nothing can be written to {folder}: {error.strerror}."
        return HealthCheck(code, what, State.BAD, words)
    return HealthCheck(code, what, State.GOOD, f"{folder} can be written.")


def separation(home: Home) -> Iterator[HealthCheck]:
    """What readers see must not hold what is private, nor feed itself."""
    private = {"secrets": home.secrets, "vault": home.vault, "database": home.database}
    private |= {"settings": home.root / "consent-gate.toml", "inbox": home.inbox}
    wrong = [
        f"{what} lies inside the folder of {name}"
        for name in home.settings.channels
        for what, path in private.items()
        if path.resolve().is_relative_to(home.approved(name).resolve())
    ]
    wrong += [
        f"the folder of {name} lies inside the inbox"
        for name in home.settings.channels
        if home.approved(name).resolve().is_relative_to(home.inbox.resolve())
    ]
    if wrong:
        words = f"{'; '.join(wrong)}. Nothing private may lie where pictures are read."
        yield HealthCheck("separation", "Separation", State.BAD, words)
    else:
        words = "Keys, originals and database lie apart from the approved folders."
        yield HealthCheck("separation", "Separation", State.GOOD, words)


def file_systems(home: Home) -> Iterator[HealthCheck]:
    """Where each folder lies; shares send no file events and forget locks."""
    ours = [("Database", home.database.parent), ("Safe store", home.vault)]
    for what, path in ours[home.settings.database.engine != "sqlite" :]:
        kind = filesystem.mount_kind(path) or "unknown"
        state = State.WARNING if filesystem.is_shared(path) else State.GOOD
        yield HealthCheck("filesystem", what, state, f"{path} is on {kind}.")
    for what, path in (("Inbox", home.inbox), ("SIMS exports", home.sims)):
        kind = filesystem.mount_kind(path) or "unknown"
        share = filesystem.is_shared(path)
        words = f"{path} is on {kind}" + (": looked through by the clock." if share else ".")
        yield HealthCheck("filesystem", what, State.GOOD, words)


def limits(home: Home) -> Iterator[HealthCheck]:
    """Limits of the operating system that stop a gate after months."""
    watches = Path("/proc/sys/fs/inotify/max_user_watches")
    if watches.exists() and not filesystem.is_shared(home.inbox):
        allowed = int(watches.read_text("ascii"))
        used = sum(len(folders) for _, folders, _ in os.walk(home.inbox)) + 1
        tight = used * 2 > allowed
        words = f"{used} folders in the inbox; the system can watch {allowed} at once."
        if tight:
            words += " Raise fs.inotify.max_user_watches, or move old events out of the inbox."
        yield HealthCheck(
            "limits.inotify", "Watching", State.WARNING if tight else State.GOOD, words
        )
    if os.name == "posix":
        import resource

        soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        few = soft != resource.RLIM_INFINITY and soft < OPEN_FILES
        words = f"This account may have {soft} files open" + (
            " (ulimit -n): too few." if few else "."
        )
        yield HealthCheck("limits.files", "Open files", State.BAD if few else State.GOOD, words)


def database_integrity(home: Home) -> Iterator[HealthCheck]:
    """The database file page by page, and whether it is of this version."""
    if connection.vendor == "sqlite":
        said = _quick_check()
        whole = said == ["ok"]
        words = "The file is whole." if whole else f"The file is damaged: {'; '.join(said)}"
        yield HealthCheck("database.whole", "Database", State.GOOD if whole else State.BAD, words)
    else:
        yield _server(home)
    try:
        require_current_schema()
        yield HealthCheck("database.version", "Database", State.GOOD, "Up to date.")
    except GateError as error:
        yield HealthCheck("database.version", "Database", State.BAD, str(error))


def _server(home: Home) -> HealthCheck:
    """Which PostgreSQL it is, and whether words on the way to it are safe."""
    chosen = home.settings.database
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('server_version'), current_schema()")
        version, schema = cursor.fetchone()
    words = f"PostgreSQL {version}, schema {schema}."
    here = chosen.host.startswith("/") or chosen.host in {"", "localhost", "127.0.0.1", "::1"}
    if here or chosen.sslmode == "verify-full":
        return HealthCheck("database.server", "Database", State.GOOD, words)
    words += ' Who sits between could read and change what is sent: sslmode = "verify-full".'
    return HealthCheck("database.server", "Database", State.WARNING, words)


def _quick_check() -> list[str]:
    try:
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA quick_check(5)")
            return [str(row[0]) for row in cursor.fetchall()]
    except DatabaseError as error:  # too damaged even to be checked
        return [str(error)]


def clock(home: Home) -> Iterator[HealthCheck]:
    """A clock that is behind what was written with it would keep consents alive."""
    last = AuditEntry.objects.order_by("-sequence").first()
    newest = ImportRun.objects.exclude(exported_on=None).order_by("-exported_on").first()
    if last and datetime.fromisoformat(last.at) - home.clock() > CLOCK_PLAY:
        words = f"The clock says {home.now():%d %B %Y, %H:%M}, before the newest audit entry."
        yield HealthCheck("clock", "Clock", State.BAD, words)
    elif newest and newest.exported_on and newest.exported_on > home.now().date():
        words = "The clock is behind the date of the newest SIMS export."
        yield HealthCheck("clock", "Clock", State.BAD, words)
    else:
        words = f"{home.now():%d %B %Y, %H:%M} in {home.settings.school.timezone}"
        yield HealthCheck("clock", "Clock", State.GOOD, words)


def mail(home: Home) -> Iterator[HealthCheck]:
    """Whether the mail server takes us. Nothing is sent."""
    settings = home.settings.mail
    if not settings.host:
        words = "No mail is set up: warnings are shown on the pages only."
        yield HealthCheck("mail", "Mail", State.GOOD, words)
        return
    try:
        kind = smtplib.SMTP_SSL if settings.security == "tls" else smtplib.SMTP
        with kind(settings.host, settings.port, timeout=MAIL_SECONDS) as server:
            if settings.security == "starttls":
                server.starttls(context=ssl.create_default_context())
            if settings.user:
                password = (home.root / settings.password_file).read_text("utf-8").strip()
                server.login(settings.user, password)
            server.noop()
    except (OSError, smtplib.SMTPException) as error:
        words = f"{settings.host}:{settings.port} does not take us ({type(error).__name__})."
        yield HealthCheck("mail", "Mail", State.BAD, words)
    else:
        yield HealthCheck("mail", "Mail", State.GOOD, f"{settings.host} answers.")


def sign_in(home: Home) -> Iterator[HealthCheck]:
    """Whether the secrets of Google and Microsoft are there, where staff sign in with them."""
    for name, provider in home.settings.sign_in.providers().items():
        path = home.root / provider.secret_file
        there = path.is_file() and bool(path.read_text("utf-8").strip())
        words = "Set up." if there else f"{path} is missing or empty: nobody signs in this way."
        title = f"Sign-in with {provider.title}"
        yield HealthCheck(f"sign_in.{name}", title, State.GOOD if there else State.BAD, words)


CHECKS: tuple[Callable[[Home], Iterable[HealthCheck]], ...] = (
    settings,
    keys,
    permissions,
    separation,
    file_systems,
    limits,
    database_integrity,
    clock,
    mail,
    sign_in,
)
