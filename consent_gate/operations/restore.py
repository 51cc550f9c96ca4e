"""Putting a home back from a backup, without undoing what was closed since.

What a backup cannot know is what happened after it. So a restored home
- destroys again the templates, and erases, seals, refuses and recalls again the pictures, that any
  list of closings at hand tells of (``consent_gate.db.revocations``);
- counts its consent list as stale, and compares no face, until an export of today or later has been
  imported: a withdrawal nobody wrote down can then release nothing (``db.register_store``).

The settings file is put in place last: a home half restored is none, and restoring goes on.
"""

from __future__ import annotations

import contextlib
import hashlib
import shutil
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from django.contrib.sessions.models import Session
from django.db import transaction

from consent_gate import bootstrap
from consent_gate.audit import Entry
from consent_gate.db import audit_log, revocations
from consent_gate.db.models import ImportRun, Item, Restore
from consent_gate.db.vacuum import vacuum_deleted
from consent_gate.errors import GateError
from consent_gate.home.database_url import replace_section
from consent_gate.home.home import Home
from consent_gate.home.keys import KEY_NAMES, load_keys
from consent_gate.home.settings import FILE_NAME, Database, load_settings
from consent_gate.operations.backup_copy import BLOCK, copy_whole
from consent_gate.operations.backup_format import (
    DATABASE,
    HEADER,
    LIST,
    Backup,
    BackupDamaged,
    File,
    digest,
    files_of,
    read_header,
)
from consent_gate.operations.move_database import clear_move_claim, fill_from_file
from consent_gate.operations.restore_replay import replay_revocations
from consent_gate.subject_rights.erase import erase_pupil
from consent_gate.vault.originals import vault_of
from publish.channel.folder import FolderUnavailable, adopt, folder_of

UNFINISHED = ".restoring"
"""Marks a folder in which a restore was begun: it may be taken up again there."""

Progress = Callable[[int, int], None]


class HomeNotEmpty(GateError):
    """There is something where the home should be put back."""

    exit_code = 26
    next_step = "Move what is there aside, then restore into an empty folder."


@dataclass(frozen=True)
class RestoreReport:
    """What a restore did."""

    backup: Backup
    items: int
    closed_again: dict[str, int]
    """By action of the audit trail."""
    emptied: tuple[str, ...]
    """Channels whose folder was empty: filled again after the next import."""


def restore(  # noqa: PLR0913  each of them is somewhere else
    backup: Path,
    root: Path,
    keys: Path,
    actor: str,
    progress: Progress,
    *,
    lists: Collection[Path] = (),
    clock: Callable[[], datetime] | None = None,
    database: Database | None = None,
) -> RestoreReport:
    """Put the home back into an empty folder.

    ``keys``: folder with the copy of ``secrets/``. ``lists``: further lists of closings, such as
    that of the lost home; those beside the backup and beside the keys are found by themselves.
    ``database``: where the rows go, if not where the backup's settings say.
    Raises HomeNotEmpty, KeyUnavailable, BackupDamaged, RevocationLogCorrupt or OSError.
    """
    root = root.resolve()
    _claim(root)
    _put_keys(keys, root / "secrets")
    audit_key = load_keys(root / "secrets").audit
    header = read_header(backup, audit_key)
    found = [
        *lists,
        backup / revocations.FILE,
        backup.parent / revocations.FILE,
        keys / revocations.FILE,
    ]
    closed = [entry for path in found for entry in revocations.read(audit_key, path)]
    home = _home(root, backup, clock)
    _put_files(home, backup, progress)
    if database is not None:
        home = _with_rows_in(home, database)
    bootstrap.bind_database(home)
    if home.settings.database.engine == "postgresql":
        fill_from_file(home, home.database)
    bootstrap.migrate()
    counts = _replay_revocations(home, closed, header, actor)
    emptied = tuple(name for name in home.settings.channels if _rebuild_channel(home, name, actor))
    (root / UNFINISHED).replace(root / FILE_NAME)
    clear_move_claim(home)
    return RestoreReport(header, Item.objects.count(), counts, emptied)


def check(backup: Path, keys: Path) -> Backup:
    """Read a whole backup and compare every byte. Writes nothing. Raises BackupDamaged."""
    header = read_header(backup, _audit_key(keys))
    for file in files_of(backup):
        if not (backup / file.path).is_file() or digest(backup / file.path) != file.sha256:
            raise BackupDamaged(f"A file of {backup.name} is missing or was altered.")
    return header


def _claim(root: Path) -> None:
    """Take an empty folder, or one where a restore was begun."""
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    if any(root.iterdir()) and not (root / UNFINISHED).exists():
        raise HomeNotEmpty(f"{root} is not empty.")
    (root / UNFINISHED).touch(mode=0o600)


def _put_keys(source: Path, secrets: Path) -> None:
    """Copy the keys, private whatever the stick they come from."""
    secrets.mkdir(mode=0o700, exist_ok=True)
    for name in KEY_NAMES:
        with contextlib.suppress(FileNotFoundError):
            copy_whole(source / f"{name}.key", secrets / f"{name}.key")


def _audit_key(keys: Path) -> bytes:
    text = (keys / "audit.key").read_text("ascii").strip()
    try:
        return bytes.fromhex(text)
    except ValueError as error:
        raise BackupDamaged(f"{keys} holds no audit key.") from error


def _home(root: Path, backup: Path, clock: Callable[[], datetime] | None) -> Home:
    """The home to be, under the settings of the backup."""
    copy_whole(backup / FILE_NAME, root / UNFINISHED)
    home = Home(root, load_settings(root / UNFINISHED), load_keys(root / "secrets"))
    return home if clock is None else Home(root, home.settings, home.keys, clock)


def _with_rows_in(home: Home, database: Database) -> Home:
    """The home under settings that name another place for the rows than the backup's."""
    replace_section(home.root / UNFINISHED, database)
    return replace(home, settings=load_settings(home.root / UNFINISHED))


def _put_files(home: Home, backup: Path, progress: Progress) -> None:
    """Bring every file to its place and compare it there. Raises BackupDamaged."""
    files = [f for f in files_of(backup) if f.path not in {HEADER, LIST, revocations.FILE}]
    for folder in (home.inbox, home.sims, home.vault, home.database.parent):
        folder.mkdir(mode=0o700 if folder == home.vault else 0o755, parents=True, exist_ok=True)
    for suffix in ("-wal", "-shm"):
        home.database.with_name(home.database.name + suffix).unlink(missing_ok=True)
    for number, file in enumerate(files, 1):
        _put(home, backup, file)
        progress(number, len(files))


def _put(home: Home, backup: Path, file: File) -> None:
    folder, _, below = file.path.partition("/")
    try:
        if folder == "vault":
            put_back = _put_into_vault(home, backup / file.path, below)
        else:
            target = home.root / file.path
            if file.path in {DATABASE, FILE_NAME}:
                target = home.database if file.path == DATABASE else home.root / UNFINISHED
            copy_whole(backup / file.path, target)
            put_back = digest(target)
    except FileNotFoundError as error:
        raise BackupDamaged(f"A file of {backup.name} is missing.") from error
    if put_back != file.sha256:
        raise BackupDamaged(f"A file of {backup.name} was altered.")


def _put_into_vault(home: Home, source: Path, below: str) -> str:
    """Encrypted as it is, wherever the vault lies. Returns the digest of what lies there now."""
    folder, _, item = below.split("/")
    vault, part = vault_of(home), folder.removesuffix("s")
    with source.open("rb") as here, vault.create(item, part) as there:
        shutil.copyfileobj(here, there)
    now = hashlib.sha256()
    with vault.open_encrypted(item, part) as written:
        while block := written.read(BLOCK):
            now.update(block)
    return now.hexdigest()


def _replay_revocations(
    home: Home, closed: list[Entry], header: Backup, actor: str
) -> dict[str, int]:
    """Undo nothing that happened after the backup. Returns what was closed again, by action."""
    with transaction.atomic():
        Session.objects.all().delete()
        done = replay_revocations(home, closed, actor)
        _record_restore(home, header, done.counts, actor)
    for number in done.pupils_to_erase:
        erase_pupil(home, number, actor)
    vacuum_deleted()
    revocations.append_new(home)
    audit_log.save_anchor(home)
    return done.counts


def _record_restore(home: Home, header: Backup, closed: dict[str, int], actor: str) -> None:
    """From here on the consent list is stale until somebody imports a fresh one."""
    run = ImportRun.objects.order_by("-pk").values_list("pk", flat=True).first()
    made_at = datetime.fromisoformat(header.made_at)
    Restore.objects.create(
        restored_at=home.now(), on=home.now().date(), backup_made_at=made_at, newest_import=run or 0
    )
    detail = {"backup": header.made_at, "entry": header.audit_sequence, "closed_again": closed}
    audit_log.record(home, "home.restored", "home", detail, actor)


def _rebuild_channel(home: Home, channel: str, actor: str) -> bool:
    """An approved folder that was lost too is filled anew; one that survived is left as it is.

    A share that is away stays untouched: the status page tells of it.
    """
    if home.root in home.approved(channel).parents:
        home.approved(channel).mkdir(parents=True, exist_ok=True)
    try:
        folder_of(home, channel)
    except FolderUnavailable:
        if not home.approved(channel).is_dir():
            return False
        adopt(home, channel, actor)
        return True
    return False
