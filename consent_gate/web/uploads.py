"""Uploaded exports, kept encrypted for up to a day until somebody applies or cancels them."""

from __future__ import annotations

import hmac
import json
from base64 import b64decode, b64encode
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from consent_gate.errors import DecryptionError, GateError
from consent_gate.home.filesystem import replace_with, set_modified
from consent_gate.home.home import Home
from consent_gate.home.ids import new_id
from consent_gate.home.keys import decrypt, encrypt
from ingest.enrolment import upload_queue

MAX_AGE_SECONDS = 24 * 3600
"""An export holds the data of all pupils, so one that nobody applies is deleted after a day."""


MAX_OF_ONE = 3
"""Uploads of one person that wait for an answer; a further one takes the place of the oldest."""

MAX_STORED_BYTES = 2 << 30
"""All uploads that wait, and all ZIPs of photos that are not enrolled yet."""

OWNER_LETTERS = 12
"""Letters of a token that say whose upload it is."""


class TooManyUploads(GateError):
    """So many uploaded files wait that there is no room for another."""

    next_step = "Apply or cancel the imports that wait, or try again tomorrow."


class UploadExpired(GateError):
    """The uploaded file was applied or cancelled, or is older than a day."""

    next_step = "Please upload it again."


@dataclass(frozen=True)
class Upload:
    """One uploaded export."""

    name: str
    data: bytes
    exported_on: str = ""
    """ISO date on which the report was run, as a person gave it; empty: read it from the file."""
    mapping: str = ""
    """TOML mapping with a person's answers so far; empty: the mapping saved in the home."""
    photos_taken_on: str = ""
    """ISO date on which the enrolment photos were taken, as a person gave it."""
    blocked_run: int = 0
    """Number of the blocked import from the drop folder; 0 for an upload from the browser."""

    def as_file(self) -> BinaryIO:
        """Return the contents as a binary file."""
        return BytesIO(self.data)


def store(home: Home, upload: Upload, token: str = "", owner: str = "") -> str:
    """Store an upload encrypted, replacing an upload with the same token.

    Args:
        home: The home whose vault holds it.
        upload: The file and what is known about it.
        token: Token of the upload to replace; empty makes a new one.
        owner: Log-in name of the person who uploads, for a new one.

    Returns:
        The token for ``find``.

    Raises:
        TooManyUploads: ``MAX_STORED_BYTES`` are stored.
    """
    delete_expired(home)
    if not token:
        token = _owner_letters(home, owner) + new_id()
        _make_room(home, token[:OWNER_LETTERS])
    body = json.dumps({**vars(upload), "data": b64encode(upload.data).decode()}).encode()
    sealed = encrypt(home.keys.vault, body, f"upload:{token}")
    replace_with(_folder(home) / token, sealed, 0o600)
    set_modified(_folder(home) / token, home.clock())
    return token


def _owner_letters(home: Home, owner: str) -> str:
    """Letters and digits that stand for a person and do not tell the name."""
    return hmac.new(home.keys.web, f"upload:{owner}".encode(), "sha256").hexdigest()[:OWNER_LETTERS]


def _make_room(home: Home, owner: str) -> None:
    """Delete the oldest uploads of a person who has ``MAX_OF_ONE``, with their photos.

    Raises:
        TooManyUploads: ``MAX_STORED_BYTES`` are stored even so.
    """
    own = sorted(_folder(home).glob(f"{owner}*"), key=lambda path: path.stat().st_mtime)
    for path in own[: max(0, len(own) - MAX_OF_ONE + 1)]:
        path.unlink(missing_ok=True)
        upload_queue.discard(home, path.name)
    stored = sum(path.stat().st_size for path in _folder(home).glob("*"))
    if stored + upload_queue.stored_bytes(home) >= MAX_STORED_BYTES:
        raise TooManyUploads("Too many uploaded files wait for an answer.")


def find(home: Home, token: str) -> Upload:
    """Return a stored upload.

    Raises:
        UploadExpired: There is no upload with this token.
    """
    try:
        body = json.loads(
            decrypt(home.keys.vault, _path(home, token).read_bytes(), f"upload:{token}")
        )
    except (OSError, DecryptionError) as error:
        raise UploadExpired("That uploaded file is no longer stored.") from error
    return Upload(**{**body, "data": b64decode(body["data"])})


def exists(home: Home, token: str) -> bool:
    """Return whether the upload is still stored."""
    return _path(home, token).is_file()


def delete(home: Home, token: str) -> None:
    """Delete one upload."""
    _path(home, token).unlink(missing_ok=True)


def delete_expired(home: Home) -> None:
    """Delete uploads older than ``MAX_AGE_SECONDS``."""
    oldest = home.clock().timestamp() - MAX_AGE_SECONDS
    for path in _folder(home).glob("*"):
        if path.stat().st_mtime < oldest:
            path.unlink(missing_ok=True)


def _folder(home: Home) -> Path:
    return home.vault / "uploads"


def _path(home: Home, token: str) -> Path:
    """Only letters and digits are valid, so a token cannot name another folder."""
    return _folder(home) / (token if token.isalnum() else "none")
