"""Create and open a home: load its settings and keys and connect Django to its database."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import permutations
from pathlib import Path
from typing import Any

import django
from django.conf import settings as django_settings
from django.db import connections
from django.db.utils import DatabaseError, OperationalError
from django.utils import timezone

from consent_gate.errors import (
    DatabaseUnreachable,
    DatabaseUnusable,
    HomeNotFound,
    SettingsInvalid,
    UpgradeNeeded,
)
from consent_gate.home import filesystem
from consent_gate.home.database_url import replace_section
from consent_gate.home.django_settings import options
from consent_gate.home.home import Home
from consent_gate.home.keys import NO_KEYS, create_keys, load_keys, require_finished_rotation
from consent_gate.home.settings import FILE_NAME, default_settings, default_toml, load_settings
from consent_gate.home.settings_machine import Database


def create_home(root: Path, database: Database | None = None) -> Home:
    """Create a home, or add what is missing to an existing one. Existing files stay unchanged.

    ``database`` says where a new home keeps its rows; None means the default, SQLite.

    Raises:
        SettingsInvalid: The existing consent-gate.toml cannot be used.
        KeyUnavailable: An existing key file cannot be used.
        UpgradeNeeded: The existing database has the tables of another version.
        DatabaseUnusable: The database cannot be opened or created.
    """
    root.mkdir(parents=True, exist_ok=True)
    settings_file = root / FILE_NAME
    if not settings_file.exists():
        filesystem.replace_with(settings_file, default_toml().encode())
        if database is not None:
            replace_section(settings_file, database)
    create_keys(root / "secrets")
    home = open_home(root, migrated=False)
    for folder in (home.inbox, home.sims, *map(home.approved, home.settings.channels)):
        folder.mkdir(parents=True, exist_ok=True)
    home.vault.mkdir(mode=0o700, parents=True, exist_ok=True)
    migrate() if is_new_database(home) else require_current_schema()
    return home


def is_new_database(home: Home) -> bool:
    """Whether the open home's database has no tables. Creates an empty file or schema if needed.

    Raises:
        DatabaseUnusable: The database cannot be reached, or the schema cannot be created.
    """
    if home.settings.database.engine == "sqlite":
        new = not home.database.exists() or home.database.stat().st_size == 0
        home.database.touch(mode=0o600)  # before SQLite does: its side files copy the mode
        return new
    schema = home.settings.database.schema_name
    try:
        with connections["default"].cursor() as cursor:
            cursor.execute("SELECT 1 FROM pg_namespace WHERE nspname = %s", [schema])
            if cursor.fetchone() is None:
                cursor.execute(f"CREATE SCHEMA {connections['default'].ops.quote_name(schema)}")
        return not connections["default"].introspection.table_names()
    except OperationalError as error:
        raise _unreachable(error) from error
    except DatabaseError as error:
        message = f"The schema {schema} cannot be created: {' '.join(str(error).split())}."
        raise DatabaseUnusable(message) from error


def open_home(root: Path, *, migrated: bool = True, unfinished_keys: bool = False) -> Home:
    """Open the home in the folder ``root`` and connect Django to its database.

    ``migrated=False`` also opens a home whose database is missing or of an older version.
    ``unfinished_keys=True`` also opens a home whose key rotation was interrupted.

    Raises:
        HomeNotFound: The folder has no consent-gate.toml.
        SettingsInvalid: consent-gate.toml cannot be used.
        KeyUnavailable: A key file cannot be used, or a key rotation was interrupted.
        DatabaseUnusable: The database is missing, damaged or on a network share.
        DatabaseUnreachable: The PostgreSQL server does not answer.
        UpgradeNeeded: The database has the tables of another version.
    """
    root = root.resolve()
    if not (root / FILE_NAME).is_file():
        raise HomeNotFound(f"{root} is not a consent-gate home.")
    if not unfinished_keys:
        require_finished_rotation(root / "secrets")
    home = Home(root, load_settings(root / FILE_NAME), load_keys(root / "secrets"))
    _refuse_shared_folders(home)
    _refuse_channels_in_private_folders(home)
    if home.settings.database.engine == "sqlite":
        _refuse_bad_files(home, must_exist=migrated)
    bind_database(home)
    if home.settings.database.engine == "postgresql":
        _refuse_unreachable_server(home, must_exist=migrated)
    if migrated:
        require_current_schema()
    return home


def _refuse_shared_folders(home: Home) -> None:
    """Refuse channel folders that overlap: readers of one channel would see another's pictures.

    Compares the paths only, so that a home opens while a network share is offline.

    Raises:
        SettingsInvalid: Two channels use the same folder, or one folder contains the other.
    """
    folders = {n: Path(os.path.normpath(home.approved(n))) for n in home.settings.channels}
    for inner, outer in permutations(folders, 2):
        if folders[inner].is_relative_to(folders[outer]):
            raise SettingsInvalid(
                f"The folder of the channel '{inner}' is the folder of '{outer}' or lies inside it."
            )


def _refuse_channels_in_private_folders(home: Home) -> None:
    """Refuse a channel folder that overlaps a folder with photos, keys or rows of the gate.

    Its readers would see them, and the gate would put them into quarantine: it takes every file
    that it did not publish out of a channel's folder.

    Raises:
        SettingsInvalid: The folder is the home, contains it, or overlaps one of its folders.
    """
    root = Path(os.path.normpath(home.root))
    own = [root / name for name in ("done", "quarantine", "logs", "certificates")]
    private = [home.inbox, home.sims, home.vault, home.secrets, home.database, *own]
    for name in home.settings.channels:
        folder = Path(os.path.normpath(home.approved(name)))
        for other in (root, *(Path(os.path.normpath(path)) for path in private)):
            is_within = other != root and folder.is_relative_to(other)
            if is_within or other.is_relative_to(folder):
                raise SettingsInvalid(
                    f"The folder of the channel '{name}' overlaps '{other.name}', which the gate"
                    " needs for itself. Give the channel a folder of its own."
                )


def _refuse_bad_files(home: Home, *, must_exist: bool) -> None:
    if must_exist and not home.database.is_file():
        raise DatabaseUnusable(f"The database {home.database.name} is missing.")
    if filesystem.is_shared(home.database.parent):
        raise DatabaseUnusable(f"{home.database} is on a network share, which can damage it.")


def _refuse_unreachable_server(home: Home, *, must_exist: bool) -> None:
    connection, schema = connections["default"], home.settings.database.schema_name
    try:
        if must_exist and not connection.introspection.table_names():
            raise DatabaseUnusable(f"The schema {schema} has no tables. Check its name.")
        connection.ensure_connection()
    except DatabaseError as error:
        raise _unreachable(error) from error


def _unreachable(error: DatabaseError) -> DatabaseUnreachable:
    return DatabaseUnreachable(f"PostgreSQL cannot be used: {' '.join(str(error).split())}.")


def require_current_schema() -> None:
    """Check that the open database has exactly the tables of this version of the program.

    Raises:
        UpgradeNeeded: Its tables are those of an older or a newer version.
        DatabaseUnusable: The database cannot be read.
    """
    from django.db.migrations.loader import MigrationLoader

    try:
        loader = MigrationLoader(connections["default"])
    except DatabaseError as error:
        raise DatabaseUnusable(f"The database cannot be read: {error}.") from error
    ours, theirs = set(loader.disk_migrations or ()), set(loader.applied_migrations or ())
    if any(app == "gate" and (app, name) not in ours for app, name in theirs):
        raise UpgradeNeeded(
            "The database was made by a newer version of the program: install that version."
        )
    if ours - theirs:
        raise UpgradeNeeded("The database was made by an older version of the program.")


def migrate() -> None:
    """Create the tables of the open home's database, or update them to this version.

    Raises:
        DatabaseUnusable: The tables cannot be changed.
    """
    from django.core.management import call_command

    from consent_gate.db import jobs

    try:
        call_command("migrate", verbosity=0, interactive=False)
        jobs.disable_cross_schema_notify()
    except DatabaseError as error:
        raise DatabaseUnusable(
            f"The database cannot be updated to this version: {error}."
        ) from error


@contextmanager
def secondary_database(name: str, database: dict[str, Any]) -> Iterator[None]:
    """Open a second database as the Django connection ``name`` while the block runs.

    ``database`` has the form of an entry in Django's ``DATABASES``.
    """
    connections.settings[name] = connections.configure_settings({"default": database})["default"]
    try:
        yield
    finally:
        connections[name].close()
        del connections[name]
        del connections.settings[name]


def configure_django() -> None:
    """Configure Django without a home, so that models can be imported. Later calls do nothing."""
    if not django_settings.configured:
        no_home = Home(Path("/nonexistent"), default_settings(), NO_KEYS)
        django_settings.configure(**options(no_home))
        django.setup()


def bind_database(home: Home) -> None:
    """Configure Django for this home; a process has one home at a time."""
    configure_django()
    values = options(home)
    for name, value in values.items():
        if name != "DATABASES" and getattr(django_settings, name) != value:
            setattr(django_settings, name, value)
    timezone.get_default_timezone.cache_clear()  # type: ignore[attr-defined]  # django-stubs lack it
    connections["default"].close()
    current, database = connections.settings["default"], values["DATABASES"]["default"]
    # Ask the connection itself: each event loop has one of its own, maybe of an earlier engine.
    if type(connections["default"]).__module__ != f"{database['ENGINE']}.base":
        del connections["default"]
    current.clear()  # in place: the connections of all threads share this dictionary
    current.update(connections.configure_settings({"default": database})["default"])
