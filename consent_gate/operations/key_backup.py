"""The keys in one encrypted file, for a school that has nowhere to keep them apart.

The passphrase is stretched with scrypt (RFC 7914; N=2**17, r=8, p=1, as OWASP's password storage
cheat sheet advises: 128 MB and about half a second a guess), the keys are sealed with AES-256-GCM.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from consent_gate.db.revocations import revocations_file
from consent_gate.errors import DecryptionError, GateError
from consent_gate.home.filesystem import replace_with
from consent_gate.home.home import Home
from consent_gate.home.keys import KEY_BYTES, KEY_NAMES, decrypt, encrypt

FILE = "keys.sealed"
MIN_PASSPHRASE_LENGTH = 12
"""Characters: with the stretching, out of reach for years if it is not a word from a list."""
SALT_BYTES = 16
MAGIC = b"CGK1"
PLACE = "keys"


class PassphraseTooShort(GateError):
    """The passphrase would not protect the keys."""

    exit_code = 28
    next_step = f"Take at least {MIN_PASSPHRASE_LENGTH} characters: four or five words do well."


def copy_keys(home: Home, folder: Path) -> None:
    """Copy the key files, and the list of closings, to a folder. Raises OSError."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    paths = [home.secrets / f"{name}.key" for name in KEY_NAMES]
    for path in [*paths, revocations_file(home)]:
        if path.is_file():
            replace_with(folder / path.name, path.read_bytes(), 0o600)


def encrypt_keys(home: Home, folder: Path, passphrase: str) -> Path:
    """Write the keys into one encrypted file. Raises PassphraseTooShort or OSError."""
    if len(passphrase) < MIN_PASSPHRASE_LENGTH:
        raise PassphraseTooShort("The passphrase is too short.")
    salt = os.urandom(SALT_BYTES)
    plain = json.dumps({n: getattr(home.keys, n).hex() for n in KEY_NAMES}).encode()
    replace_with(
        folder / FILE, MAGIC + salt + encrypt(_stretch(passphrase, salt), plain, PLACE), 0o600
    )
    return folder / FILE


def decrypt_keys(file: Path, passphrase: str, folder: Path) -> None:
    """Write the key files of a sealed copy into a folder. Raises Undecryptable or OSError."""
    data = file.read_bytes()
    salt, body = data[len(MAGIC) : len(MAGIC) + SALT_BYTES], data[len(MAGIC) + SALT_BYTES :]
    if not data.startswith(MAGIC):
        raise DecryptionError(f"{file.name} holds no keys.")
    keys = json.loads(decrypt(_stretch(passphrase, salt), body, PLACE))
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name in KEY_NAMES:
        replace_with(folder / f"{name}.key", str(keys[name]).encode(), 0o600)


def _stretch(passphrase: str, salt: bytes) -> bytes:
    return Scrypt(salt=salt, length=KEY_BYTES, n=2**17, r=8, p=1).derive(passphrase.encode())
