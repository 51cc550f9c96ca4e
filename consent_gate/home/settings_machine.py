"""The sections of the settings about the machine: folders, database, workers, web and mail."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from consent_gate.home.settings_section import Section


class Paths(Section):
    """Each path may be absolute or relative to the home."""

    inbox: Path = Path("inbox")
    sims: Path = Path("sims")
    vault: Path = Path("vault")
    approved: Path = Path("approved")
    database: Path = Path("gate.sqlite3")


class Database(Section):
    """Where the database is: a file in this home, or a schema of a PostgreSQL server."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    engine: Literal["sqlite", "postgresql"] = "sqlite"
    host: str = ""
    """Name or address of the server, or the folder of its socket; empty means libpq's default."""
    port: Annotated[int, Field(ge=1, le=65535)] = 5432
    name: str = "consent_gate"
    user: str = ""
    """The school's own role; empty means the name of the account that runs the gate."""
    schema_name: Annotated[str, Field(alias="schema", pattern=r"^[a-z_][a-z0-9_]{0,62}$")] = (
        "consent_gate"
    )
    """The school's own schema. The gate reads nothing outside it."""
    sslmode: Literal["disable", "prefer", "require", "verify-ca", "verify-full"] = "prefer"
    password_file: Path = Path("secrets/database-password")
    """Without this file libpq uses its own password file, or the server needs no password."""


WatchMode = Literal["auto", "events", "polling"]


class Inbox(Section):
    settle_seconds: Annotated[float, Field(ge=0, le=3600)] = 5.0
    afterwards: Literal["leave", "move", "delete"] = "leave"
    watch: WatchMode = "auto"
    """``auto``: file events on a local disk, polling on a network share, which sends no events."""
    patience_minutes: Annotated[float, Field(ge=0, le=1440)] = 15.0
    """How long to wait for the rest of an incomplete file before it counts as damaged."""


class Storage(Section):
    """Where the encrypted originals are stored: below ``paths.vault``, or in a bucket."""

    originals: Annotated[str, Field(pattern=r"^(s3://[a-z0-9][a-z0-9.-]{2,62}(/[^/]+)*)?$")] = ""
    """``s3://bucket/folder``; empty means the vault's folder."""
    endpoint: Annotated[str, Field(pattern=r"^(https?://\S+)?$")] = ""
    """URL of an S3-compatible store; empty means Amazon S3."""


class Analysis(Section):
    where: Literal["here", "workers"] = "here"
    """``workers``: ``consent-gate worker`` examines photos, on this or other machines."""
    workers: Annotated[int, Field(ge=0, le=64)] = 0
    """Number of worker processes; 0 means one for each core."""
    sandbox: Literal["required", "best_effort"] = "required"
    """``required``: no photo is examined where the kernel cannot restrict the workers completely.
    ``best_effort``: workers run with what the kernel has."""
    seconds_per_picture: Annotated[int, Field(ge=5, le=3600)] = 180
    megabytes_per_worker: Annotated[int, Field(ge=512)] = 3072
    max_megapixels: Annotated[int, Field(ge=1, le=500)] = 80
    max_megabytes: Annotated[int, Field(ge=1, le=4000)] = 500
    """Larger files, such as films, stay in the inbox and are never opened."""
    visible_names: bool = True
    """Whether the text in pictures is read and compared with the names of the pupils."""


class FilmSettings(Section):
    """Films; they need the extra ``consent-gate[film]``."""

    max_side: Annotated[int, Field(ge=320, le=1920)] = 1280
    """Longest side of a published film in pixels; a channel's ``max_side`` may be smaller."""
    codec: Literal["h264", "vp9"] = "h264"
    """How the pictures of published films are compressed."""
    max_megabytes: Annotated[int, Field(ge=1, le=64_000)] = 8000
    """Larger files stay in the inbox and are never opened."""
    max_minutes: Annotated[int, Field(ge=1, le=240)] = 30
    """A longer film is held."""
    minutes_to_examine: Annotated[int, Field(ge=1, le=1440)] = 240
    """The longest time that one film may take a worker."""


class Web(Section):
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=1, le=65535)] = 8000
    allowed_hosts: tuple[str, ...] = ("127.0.0.1", "localhost")
    session_minutes: Annotated[int, Field(ge=1)] = 30
    https: bool = False
    proxy: Annotated[str, Field(pattern=r"^(\*|[0-9A-Fa-f.:]+)$")] = "127.0.0.1"
    """Address of the web server that handles https, as the gate sees it; ``*`` means any."""


class Mail(Section):
    """The mail server and the addresses for warnings; no mail while ``host`` or ``to`` is empty."""

    host: str = ""
    port: Annotated[int, Field(ge=1, le=65535)] = 587
    security: Literal["starttls", "tls", "none"] = "starttls"
    user: str = ""
    password_file: Path = Path("secrets/mail-password")
    """Read only if ``user`` is given."""
    sender: str = ""
    to: tuple[str, ...] = ()
    digest: bool = False
    """Whether reviewers get a daily summary of held pictures: counts, no names."""
    digest_hour: Annotated[int, Field(ge=0, le=23)] = 7
    """From which hour of the school's day it goes out."""
