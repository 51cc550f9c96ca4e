"""The lines of consent-gate.toml that say where the rows are, made from an address."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from pydantic import ValidationError

from consent_gate.errors import SettingsInvalid
from consent_gate.home.filesystem import replace_with
from consent_gate.home.settings import Database

_SECTION = re.compile(r"^\[database\][^\n]*\n(?:(?!\[).*(?:\n|\Z))*?(?=^\s*$|^\[|^#|\Z)", re.M)
"""The heading and the lines below it, up to an empty line, a note or the next heading."""


def from_address(address: str) -> Database:
    """``postgresql://ROLE@HOST:PORT/DATABASE?schema=SCHOOL&sslmode=verify-full`` as settings.

    Raises SettingsInvalid. A password in it is refused: command lines are seen by other accounts.
    """
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError as error:
        raise SettingsInvalid(f"'{address}' is not an address: {error}.") from error
    if parts.scheme not in {"postgresql", "postgres"} or parts.fragment:
        raise SettingsInvalid("Write postgresql://ROLE@HOST:PORT/DATABASE?schema=SCHOOL.")
    if parts.password is not None:
        raise SettingsInvalid("Leave the password out, and put it into secrets/database-password.")
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
        wrong = "; ".join(f"{e['loc'][0]}: {e['msg']}" for e in error.errors())
        raise SettingsInvalid(f"The address cannot be used: {wrong}.") from error


def replace_section(file: Path, chosen: Database) -> None:
    """Write these settings into the file, whose other lines stay as they are. Raises OSError, or
    SettingsInvalid where the file is built so unusually that a person has to do it."""
    text = file.read_text("utf-8")
    values = {
        name: value
        for name, value in chosen.model_dump(mode="json", by_alias=True).items()
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
