"""Restore a home from a backup, and apply again what was revoked since.

A backup does not contain what happened after it. A restored home therefore
- replays the revocation lists that it finds (``consent_gate.db.revocations``): it destroys
  templates again, and erases, seals, refuses and recalls pictures again;
- treats its consent list as stale, and compares no face, until an export of the day of the restore
  or later was imported. A withdrawal that no list holds can then release nothing
  (``consent_gate.register.repository``).

The settings file is written last. A home that is only partly restored cannot be opened, and the
same command continues the restore.
"""

from __future__ import annotations

import contextlib
import hashlib
import shutil
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from django.contrib.sessions.models import Session
from django.db import transaction

from consent_gate import bootstrap
from consent_gate.db import audit_log, revocations
from consent_gate.db.audit_chain import Entry
from consent_gate.db.models import ImportRun, Item, Restore
from consent_gate.db.vacuum import vacuum_deleted
from consent_gate.errors import GateError
from consent_gate.home.database_url import replace_section
from consent_gate.home.home import Home
from consent_gate.home.keys import KEY_NAMES, load_keys
from consent_gate.home.settings import FILE_NAME, load_settings
from consent_gate.home.settings_machine import Database
from consent_gate.operations.backup.backup_copy import BLOCK, copy_verified
from consent_gate.operations.backup.backup_format import (
    DATABASE,
    HEADER,
    LIST,
    Backup,
    BackupDamaged,
    FileEntry,
    digest,
    files_of,
    read_header,
)
from consent_gate.operations.backup.restore_replay import replay_revocations
from consent_gate.operations.database.move_database import clear_move_claim, fill_from_file
from consent_gate.subject_rights.erase import erase_pupil
from consent_gate.vault.originals import vault_of
from publish.channel.folder import FolderOfOthers, FolderUnavailable, adopt, folder_of

UNFINISHED = ".restoring"
"""Settings file of an unfinished restore; a folder with it may be restored into again."""

Progress = Callable[[int, int], None]


class HomeNotEmpty(GateError):
    """The folder for the restored home is not empty."""

    exit_code = 26
    next_step = "Move its files away, or restore into an empty folder."


@dataclass(frozen=True)
class RestoreReport:
    """The result of a restore."""

    backup: Backup
    """Header of the restored backup."""
    items: int
    """Number of items in the restored home."""
    closed_again: dict[str, int]
    """Number of replayed revocations by audit action."""
    emptied: tuple[str, ...]
    """Channels whose folder was lost too; they are filled again after the next import."""


def restore(  # noqa: PLR0913  the parts of a home come from different places
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
    """Restore the home into an empty folder.

    Args:
        backup: folder of the backup.
        root: folder of the restored home; empty, or with an unfinished restore.
        keys: folder with the copy of ``secrets/``.
        actor: who is named in the audit trail.
        progress: called with the files done and the files to do.
        lists: further revocation lists, such as that of the lost home. Logs beside the backup and
            beside the keys are found without being named.
        clock: replaces the system's clock in tests.
        database: where the rows go, if not where the backup's settings say.

    Raises:
        HomeNotEmpty: The folder holds other files.
        KeyUnavailable: A key is missing or malformed.
        BackupDamaged: A file of the backup is missing or was altered.
        RevocationListCorrupt: A revocation list was altered.
        OSError: A file cannot be read or written.
    """
    root = root.resolve()
    _claim(root)
    _copy_keys(keys, root / "secrets")
    audit_key = load_keys(root / "secrets").audit
    header = read_header(backup, audit_key)
    revoked = _read_revocations(audit_key, [*lists, *_logs_in(backup, backup.parent, keys)])
    home = _unfinished_home(root, backup, clock)
    _restore_files(home, backup, progress)
    home = _open_database(home, database)
    counts = _replay_revocations(home, revoked, header, actor)
    emptied = tuple(name for name in home.settings.channels if _rebuild_channel(home, name, actor))
    (root / UNFINISHED).replace(root / FILE_NAME)
    clear_move_claim(home)
    return RestoreReport(header, Item.objects.count(), counts, emptied)


def check(backup: Path, keys: Path) -> Backup:
    """Read a backup, compare every byte with its list, and return its header. Writes nothing.

    Raises:
        BackupDamaged: A file is missing or was altered, or the keys belong to another home.
    """
    header = read_header(backup, _audit_key(keys))
    for file in files_of(backup):
        if not (backup / file.path).is_file() or digest(backup / file.path) != file.sha256:
            raise BackupDamaged(f"A file of {backup.name} is missing or was altered.")
    return header


def _claim(root: Path) -> None:
    """Mark the folder as being restored. Raises HomeNotEmpty."""
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    if any(root.iterdir()) and not (root / UNFINISHED).exists():
        raise HomeNotEmpty(f"{root} is not empty.")
    (root / UNFINISHED).touch(mode=0o600)


def _copy_keys(source: Path, secrets: Path) -> None:
    """Copy the key files, readable by this account only."""
    secrets.mkdir(mode=0o700, exist_ok=True)
    for name in KEY_NAMES:
        with contextlib.suppress(FileNotFoundError):
            copy_verified(source / f"{name}.key", secrets / f"{name}.key")


def _audit_key(keys: Path) -> bytes:
    text = (keys / "audit.key").read_text("ascii").strip()
    try:
        return bytes.fromhex(text)
    except ValueError as error:
        raise BackupDamaged(f"{keys} holds no audit key.") from error


def _unfinished_home(root: Path, backup: Path, clock: Callable[[], datetime] | None) -> Home:
    """The home to restore, with the settings of the backup."""
    copy_verified(backup / FILE_NAME, root / UNFINISHED)
    home = Home(root, load_settings(root / UNFINISHED), load_keys(root / "secrets"))
    return home if clock is None else Home(root, home.settings, home.keys, clock)


def _logs_in(*folders: Path) -> list[Path]:
    """Where each folder holds its revocation list, if it has one."""
    return [folder / revocations.FILE for folder in folders]


def _read_revocations(audit_key: bytes, logs: Iterable[Path]) -> list[Entry]:
    """The entries of all these revocation lists. A missing log has none.

    Raises:
        RevocationListCorrupt: A revocation list was altered.
    """
    return [entry for path in logs for entry in revocations.read(audit_key, path)]


def _open_database(home: Home, database: Database | None) -> Home:
    """Connect the restored database, and bring its tables up to date.

    Args:
        home: The home with its files in place.
        database: Where the rows go, if not where the backup's settings say.

    Returns:
        The home with settings that name the database in use.
    """
    if database is not None:
        replace_section(home.root / UNFINISHED, database)
        home = replace(home, settings=load_settings(home.root / UNFINISHED))
    bootstrap.bind_database(home)
    if home.settings.database.engine == "postgresql":
        fill_from_file(home, home.database)
    bootstrap.migrate()
    return home


def _restore_files(home: Home, backup: Path, progress: Progress) -> None:
    """Copy every file to its place and compare it there. Raises BackupDamaged."""
    files = [f for f in files_of(backup) if f.path not in {HEADER, LIST, revocations.FILE}]
    for folder in (home.inbox, home.sims, home.vault, home.database.parent):
        folder.mkdir(mode=0o700 if folder == home.vault else 0o755, parents=True, exist_ok=True)
    for suffix in ("-wal", "-shm"):
        home.database.with_name(home.database.name + suffix).unlink(missing_ok=True)
    for number, file in enumerate(files, 1):
        _restore_file(home, backup, file)
        progress(number, len(files))


def _restore_file(home: Home, backup: Path, file: FileEntry) -> None:
    folder, _, below = file.path.partition("/")
    try:
        if folder == "vault":
            restored_digest = _restore_vault_file(home, backup / file.path, below)
        else:
            target = home.root / file.path
            if file.path in {DATABASE, FILE_NAME}:
                target = home.database if file.path == DATABASE else home.root / UNFINISHED
            copy_verified(backup / file.path, target)
            restored_digest = digest(target)
    except FileNotFoundError as error:
        raise BackupDamaged(f"A file of {backup.name} is missing.") from error
    if restored_digest != file.sha256:
        raise BackupDamaged(f"A file of {backup.name} was altered.")


def _restore_vault_file(home: Home, source: Path, below: str) -> str:
    """Copy an encrypted file into the vault. Returns the SHA-256 of what the vault holds now."""
    folder, _, item = below.split("/")
    vault, part = vault_of(home), folder.removesuffix("s")
    with source.open("rb") as reader, vault.create(item, part) as writer:
        shutil.copyfileobj(reader, writer)
    written_digest = hashlib.sha256()
    with vault.open_encrypted(item, part) as written:
        while block := written.read(BLOCK):
            written_digest.update(block)
    return written_digest.hexdigest()


def _replay_revocations(
    home: Home, revoked: list[Entry], header: Backup, actor: str
) -> dict[str, int]:
    """Apply again what was revoked after the backup. Returns the counts by audit action."""
    with transaction.atomic():
        Session.objects.all().delete()
        done = replay_revocations(home, revoked, actor)
        _record_restore(home, header, done.counts, actor)
    for number in done.pupils_to_erase:
        erase_pupil(home, number, actor)
    vacuum_deleted()
    revocations.append_new(home)
    audit_log.save_anchor(home)
    return done.counts


def _record_restore(home: Home, header: Backup, counts: dict[str, int], actor: str) -> None:
    """Record the restore. The consent list is stale from now on, until a new export is imported."""
    run = ImportRun.objects.order_by("-pk").values_list("pk", flat=True).first()
    made_at = datetime.fromisoformat(header.made_at)
    Restore.objects.create(
        restored_at=home.now(), on=home.now().date(), backup_made_at=made_at, newest_import=run or 0
    )
    detail = {"backup": header.made_at, "entry": header.audit_sequence, "closed_again": counts}
    audit_log.record(home, "home.restored", "home", detail, actor)


def _rebuild_channel(home: Home, channel: str, actor: str) -> bool:
    """Adopt a channel's folder that was lost too. True when it will be filled again.

    A folder that survived is left as it is. A share that is not mounted and a folder of somebody
    else are left alone; the health page reports them.
    """
    if home.root in home.approved(channel).parents:
        home.approved(channel).mkdir(parents=True, exist_ok=True)
    try:
        folder_of(home, channel)
    except (FolderOfOthers, OSError):
        return False
    except FolderUnavailable:
        if not home.approved(channel).is_dir():
            return False
        adopt(home, channel, actor)
        return True
    return False
