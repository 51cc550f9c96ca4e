"""Exports that were uploaded and wait for somebody to say "apply": encrypted, for a day."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from consent_gate.errors import DecryptionError, GateError
from consent_gate.home.filesystem import replace_with, set_modified
from consent_gate.home.home import Home
from consent_gate.home.keys import decrypt, encrypt
from consent_gate.ids import new_id

KEPT_SECONDS = 24 * 3600
"""An export holds the data of all children: a forgotten one goes after a day."""


class UploadExpired(GateError):
    """The uploaded file was applied, cancelled or is too old."""

    next_step = "Please upload it again."


@dataclass(frozen=True)
class Upload:
    """One uploaded export."""

    name: str
    data: bytes
    exported_on: str = ""
    """Run date a person gave, ISO; empty where the file is to tell."""
    mapping: str = ""
    """What a person answered so far, as a mapping in TOML; empty: the one the home keeps."""
    photos_taken_on: str = ""
    """When a person says the enrolment photos were taken, ISO."""
    waiting: int = 0
    """Number of the stopped import whose dropped file this is; 0 for one from the browser."""

    def as_file(self) -> BinaryIO:
        """The bytes as a file."""
        return BytesIO(self.data)


def store(home: Home, upload: Upload, token: str = "") -> str:
    """Put it aside, in place of what is there under ``token``. Returns the token that finds it."""
    delete_expired(home)
    token = token or new_id()
    body = json.dumps({**vars(upload), "data": b64encode(upload.data).decode()}).encode()
    sealed = encrypt(home.keys.vault, body, f"upload:{token}")
    replace_with(_folder(home) / token, sealed, 0o600)
    set_modified(_folder(home) / token, home.clock())
    return token


def find(home: Home, token: str) -> Upload:
    """Raises UploadExpired."""
    try:
        body = json.loads(
            decrypt(home.keys.vault, _path(home, token).read_bytes(), f"upload:{token}")
        )
    except (OSError, DecryptionError) as error:
        raise UploadExpired("That file is not here any more.") from error
    return Upload(**{**body, "data": b64decode(body["data"])})


def exists(home: Home, token: str) -> bool:
    """Whether it was neither applied nor cancelled, and is not too old."""
    return _path(home, token).is_file()


def delete(home: Home, token: str) -> None:
    """Remove it."""
    _path(home, token).unlink(missing_ok=True)


def delete_expired(home: Home) -> None:
    """Remove what nobody applied in time."""
    oldest = home.clock().timestamp() - KEPT_SECONDS
    for path in _folder(home).glob("*"):
        if path.stat().st_mtime < oldest:
            path.unlink(missing_ok=True)


def _folder(home: Home) -> Path:
    return home.vault / "uploads"


def _path(home: Home, token: str) -> Path:
    """Tokens are letters and digits; anything else finds nothing."""
    return _folder(home) / (token if token.isalnum() else "none")
