"""Copy a home's keys, as files or as one file encrypted with a passphrase.

The encrypted file is for a school that has no separate place for the keys. scrypt derives its key
from the passphrase (RFC 7914; N=2**17, r=8, p=1, as OWASP's password storage cheat sheet advises:
128 MB and about half a second for each guess). AES-256-GCM encrypts the keys.
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
"""In characters. With scrypt, guessing takes years unless the passphrase is in a word list."""
SALT_BYTES = 16
MAGIC = b"CGK1"
"""First bytes of the file."""
PLACE = "keys"
"""Associated data of the encryption."""


class PassphraseTooShort(GateError):
    """The passphrase is too short to protect the keys."""

    exit_code = 28
    next_step = f"Use at least {MIN_PASSPHRASE_LENGTH} characters: four or five words are good."


def copy_keys(home: Home, folder: Path) -> None:
    """Copy the key files and the revocation list to a folder.

    Raises:
        OSError: The folder cannot be written.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    paths = [home.secrets / f"{name}.key" for name in KEY_NAMES]
    for path in [*paths, revocations_file(home)]:
        if path.is_file():
            replace_with(folder / path.name, path.read_bytes(), 0o600)


def encrypt_keys(home: Home, folder: Path, passphrase: str) -> Path:
    """Write the keys into one encrypted file below ``folder``. Returns its path.

    Raises:
        PassphraseTooShort: The passphrase has fewer than MIN_PASSPHRASE_LENGTH characters.
        OSError: The folder cannot be written.
    """
    if len(passphrase) < MIN_PASSPHRASE_LENGTH:
        raise PassphraseTooShort("The passphrase is too short.")
    salt = os.urandom(SALT_BYTES)
    plain = json.dumps({n: getattr(home.keys, n).hex() for n in KEY_NAMES}).encode()
    replace_with(
        folder / FILE, MAGIC + salt + encrypt(_derive_key(passphrase, salt), plain, PLACE), 0o600
    )
    return folder / FILE


def decrypt_keys(file: Path, passphrase: str, folder: Path) -> None:
    """Decrypt a file written by ``encrypt_keys`` and write the key files into a folder.

    Raises:
        DecryptionError: The file holds no keys, or the passphrase is wrong.
        OSError: The file cannot be read or the folder cannot be written.
    """
    data = file.read_bytes()
    salt, body = data[len(MAGIC) : len(MAGIC) + SALT_BYTES], data[len(MAGIC) + SALT_BYTES :]
    if not data.startswith(MAGIC):
        raise DecryptionError(f"{file.name} holds no keys.")
    keys = json.loads(decrypt(_derive_key(passphrase, salt), body, PLACE))
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name in KEY_NAMES:
        replace_with(folder / f"{name}.key", str(keys[name]).encode(), 0o600)


def _derive_key(passphrase: str, salt: bytes) -> bytes:
    return Scrypt(salt=salt, length=KEY_BYTES, n=2**17, r=8, p=1).derive(passphrase.encode())
