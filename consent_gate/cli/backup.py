"""The commands ``backup``, ``restore`` and ``migrate``."""

from __future__ import annotations

import getpass
import os
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from consent_gate.bootstrap import open_home
from consent_gate.cli.app import AsJson, app, open_selected_home
from consent_gate.cli.console import echo, print_json, progress_bar
from consent_gate.home.database_url import from_address
from consent_gate.home.home import Home
from consent_gate.home.settings_machine import Database

PASSPHRASE_VARIABLE = "CONSENT_GATE_PASSPHRASE"  # noqa: S105  the name of a variable


@app.command()
def backup(  # noqa: PLR0913, PLR0917  one option each
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(help="Folder for the backups, on another disk.")],
    keys_to: Annotated[
        Path | None, typer.Option(help="Also copy the keys to this folder, apart from the backups.")
    ] = None,
    with_keys_encrypted: Annotated[
        bool,
        typer.Option(
            "--with-keys-encrypted",
            help=f"Add the keys, encrypted. Asks for a passphrase, or uses {PASSPHRASE_VARIABLE}.",
        ),
    ] = False,
    keep: Annotated[int, typer.Option(min=0, help="Number of backups to keep; 0 keeps all.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Back up database, originals and settings, and verify the copy. The gate may keep running.

    A backup is useless without the keys. Copy them once to another place.

    Example: consent-gate --home /srv/consent-gate backup /mnt/backup --keep 8
    """
    from consent_gate.operations.backup.backup import BackupMisplaced
    from consent_gate.operations.backup.key_backup import copy_keys, encrypt_keys

    home = open_selected_home(context)
    if keys_to is not None and _overlap(keys_to, folder):
        raise BackupMisplaced("Choose a folder for the keys apart from the backups.")
    phrase = _passphrase(twice=True) if with_keys_encrypted else ""
    done = _back_up(home, folder, keep)
    if keys_to is not None:
        copy_keys(home, keys_to)
    if with_keys_encrypted:
        encrypt_keys(home, folder, phrase)
    _print_result(home, done, as_json=as_json)
    if keys_to is None and not with_keys_encrypted and not as_json:
        echo(f"The backup does not hold the keys. Keep a copy of {home.secrets} in another place.")


def _back_up(home: Home, folder: Path, keep: int) -> Path:
    from consent_gate.operations.backup.backup import make_backup

    with progress_bar() as bar:
        task = bar.add_task("Backing up", total=None)
        return make_backup(
            home,
            folder,
            getpass.getuser(),
            lambda n, total: bar.update(task, completed=n, total=total),
            keep,
        )


def _print_result(home: Home, done: Path, *, as_json: bool) -> None:
    from consent_gate.operations.backup.backup_format import read_header

    header = read_header(done, home.keys.audit)
    if as_json:
        print_json({"folder": str(done), **asdict(header)})
        return
    echo(f"Backup written and verified: {done}, {header.files} files, {header.size / 1e9:.2f} GB.")
    if header.missing:
        echo(
            f"{header.missing} originals in the database are missing from the vault. Run 'doctor'."
        )


@app.command()
def restore(  # noqa: PLR0913, PLR0917  one option each
    context: typer.Context,
    source: Annotated[
        Path,
        typer.Argument(
            metavar="BACKUP",
            exists=True,
            file_okay=False,
            help="A backup folder, made by 'backup'.",
        ),
    ],
    keys: Annotated[
        Path | None, typer.Option(exists=True, help="Folder with the copy of the keys.")
    ] = None,
    keys_file: Annotated[
        Path | None,
        typer.Option(exists=True, help="File keys.sealed; the passphrase is asked for."),
    ] = None,
    closings: Annotated[
        list[Path] | None,
        typer.Option(
            exists=True,
            dir_okay=False,
            help="File closings.jsonl of the lost home: what was revoked.",
        ),
    ] = None,
    database: Annotated[
        str | None,
        typer.Option(help="Use another database: 'sqlite', or postgresql://ROLE@HOST/…"),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only verify the backup, byte for byte.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Restore a backup into the empty folder named with --home.

    Erasures, seals and recalls since the backup are applied again. Everything is held until you
    import a SIMS export made today.

    Example: consent-gate --home /srv/new restore /mnt/backup/consent-gate-20261122T020000Z --keys K
    """
    with tempfile.TemporaryDirectory(prefix="consent-gate-keys-") as opened:
        folder = keys or _open_keys(keys_file, Path(opened))
        if dry_run:
            _check(source, folder, as_json=as_json)
        else:
            chosen = _database_option(database)
            _restore(context.obj, source, folder, closings or [], chosen, as_json=as_json)


def _check(source: Path, keys: Path, *, as_json: bool) -> None:
    from consent_gate.operations.backup.restore import check

    header = check(source, keys)
    if as_json:
        print_json({"ok": True, **asdict(header)})
    else:
        echo(f"The backup of {header.made_at} is complete: {header.files} files, none changed.")


def _database_option(given: str | None) -> Database | None:
    if given is None:
        return None
    return Database() if given == "sqlite" else from_address(given)


def _restore(  # noqa: PLR0913  one parameter an option
    root: Path,
    source: Path,
    keys: Path,
    lists: list[Path],
    database: Database | None,
    *,
    as_json: bool,
) -> None:
    from consent_gate.operations.backup.restore import restore as restore_backup

    with progress_bar() as bar:
        task = bar.add_task("Restoring", total=None)
        done = restore_backup(
            source,
            root,
            keys,
            getpass.getuser(),
            lambda n, total: bar.update(task, completed=n, total=total),
            lists=lists,
            database=database,
        )
    if as_json:
        print_json(asdict(done))
        return
    echo(f"Restored: {done.items} photos, as of {done.backup.made_at}.")
    for action, count in done.closed_again.items():
        echo(f"  Applied again: {action}, {count}")
    echo("Everything is held until you import a SIMS export made today:")
    echo(f"  consent-gate --home {root} import-sims YOUR-EXPORT.csv")
    if done.emptied:
        echo("After that the approved folders are filled again automatically.")


@app.command()
def migrate(context: typer.Context) -> None:
    """Update the database to this version of the program. A copy is kept.

    Example: consent-gate --home /srv/consent-gate migrate
    """
    from consent_gate.operations.backup.backup import upgrade

    home: Home = open_home(context.obj, migrated=False)
    copy = upgrade(home)
    if copy is None:
        echo("The database is up to date.")
    else:
        echo(f"The database is up to date. The old one is kept until the next backup: {copy}")


def _overlap(path: Path, other: Path) -> bool:
    first, second = path.resolve(), other.resolve()
    return first.is_relative_to(second) or second.is_relative_to(first)


def _open_keys(file: Path | None, folder: Path) -> Path:
    from consent_gate.operations.backup.key_backup import decrypt_keys

    if file is None:
        raise typer.BadParameter("Give the keys with --keys FOLDER or --keys-file keys.sealed.")
    decrypt_keys(file, _passphrase(twice=False), folder)
    return folder


def _passphrase(*, twice: bool) -> str:
    """Read the passphrase from the environment, the terminal, or a line of standard input."""
    given = os.environ.get(PASSPHRASE_VARIABLE)
    if given is not None:
        return given
    if sys.stdin.isatty():
        return str(typer.prompt("Passphrase", hide_input=True, confirmation_prompt=twice))
    return sys.stdin.readline().rstrip("\n")
