"""Turn the URL of a database into the ``[database]`` section of consent-gate.toml."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from pydantic import ValidationError

from consent_gate.errors import SettingsInvalid
from consent_gate.home.filesystem import replace_with
from consent_gate.home.settings_machine import Database

_SECTION = re.compile(r"^\[database\][^\n]*\n(?:(?!\[).*(?:\n|\Z))*?(?=^\s*$|^\[|^#|\Z)", re.M)
"""The heading and the lines below it, up to an empty line, a comment or the next heading."""


def from_address(address: str) -> Database:
    """Return the settings for a URL.

    Its form is ``postgresql://ROLE@HOST:PORT/DATABASE?schema=SCHOOL&sslmode=verify-full``. A
    password in the URL is refused, because other accounts can see command lines.

    Raises:
        SettingsInvalid: The address has another form, or has a password.
    """
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError as error:
        raise SettingsInvalid(f"'{address}' is not an address: {error}.") from error
    if parts.scheme not in {"postgresql", "postgres"} or parts.fragment:
        raise SettingsInvalid("Write postgresql://ROLE@HOST:PORT/DATABASE?schema=SCHOOL.")
    if parts.password is not None:
        raise SettingsInvalid(
            "Leave out the password. Put it into the file secrets/database-password."
        )
    values: dict[str, object] = {
        "engine": "postgresql",
        "host": unquote(parts.hostname or ""),
        "user": unquote(parts.username or ""),
        "name": unquote(parts.path.lstrip("/")),
        "port": port,
        **dict(parse_qsl(parts.query)),
    }
    try:
        return Database.model_validate({name: v for name, v in values.items() if v})
    except ValidationError as error:
        problems = "; ".join(f"{e['loc'][0]}: {e['msg']}" for e in error.errors())
        raise SettingsInvalid(f"The address cannot be used: {problems}.") from error


def replace_section(file: Path, database: Database) -> None:
    """Write ``database`` into consent-gate.toml. The other lines stay unchanged.

    Raises:
        SettingsInvalid: The form of the file is unusual, so a person has to edit it.
        OSError: The file cannot be read or written.
    """
    text = file.read_text("utf-8")
    values = {
        name: value
        for name, value in database.model_dump(mode="json", by_alias=True).items()
        if name == "engine" or value != Database.model_fields[_field(name)].default
    }
    lines = "".join(f"{name} = {json.dumps(value)}\n" for name, value in values.items())
    section = f"[database]\n{lines}"
    new, found = _SECTION.subn(lambda _: section, text, count=1)
    if not found:
        new = f"{text.rstrip()}\n\n{section}"
    try:
        written = tomllib.loads(new).pop("database")
    except tomllib.TOMLDecodeError:
        written = None
    if written != values:
        raise SettingsInvalid(f"Write this into {file} yourself:\n{section}")
    replace_with(file, new.encode())


def _field(name: str) -> str:
    return "schema_name" if name == "schema" else name
