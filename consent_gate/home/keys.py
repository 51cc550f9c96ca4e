"""Keys of one home, and sealing small values with them.

AES-256-GCM with a random 96-bit nonce (NIST SP 800-38D); associated data ties each ciphertext to
its place, so that a template or wrapped key moved to another row does not open.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from consent_gate.errors import DecryptionError, KeyUnavailable

KEY_BYTES = 32
NONCE_BYTES = 12
KEY_NAMES = ("vault", "templates", "audit", "web")

CURRENT, NEXT = ".key", ".key.next"
"""Endings of key files: in force, and about to be."""


class KeyRotationUnfinished(KeyUnavailable):
    """A change of keys was stopped in the middle."""

    exit_code = 46
    next_step = "Finish it: consent-gate keys change."


@dataclass(frozen=True)
class Keys:
    """The secrets of a home. Never printed: ``repr`` shows nothing."""

    vault: bytes
    """Wraps the key of each item."""
    templates: bytes
    """Encrypts face templates."""
    audit: bytes
    """Authenticates the audit chain and makes subject ids pseudonymous."""
    web: bytes
    """Signs sessions."""

    def __repr__(self) -> str:
        return "Keys(…)"


NO_KEYS = Keys(b"-", b"-", b"-", b"-")
"""For a process that has not opened a home: nothing can be opened or signed with them."""


def create_keys(folder: Path) -> None:
    """Write fresh keys, readable by this account only. Existing keys are left alone."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)
    for name in KEY_NAMES:
        path = folder / f"{name}.key"
        if path.exists():
            continue
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(secrets.token_hex(KEY_BYTES))
            file.flush()
            os.fsync(file.fileno())


def load_keys(folder: Path, ending: str = CURRENT, others: Keys | None = None) -> Keys:
    """Read all keys. Raises KeyUnavailable when one is absent, malformed or open to others.

    ``others``: where a key is taken from that has no file of this ending.
    """
    found = {}
    for name in KEY_NAMES:
        path = folder / f"{name}{ending}"
        kept = others is not None and not path.exists()
        found[name] = getattr(others, name) if kept else _load_key(path)
    return Keys(**found)


def require_finished_rotation(folder: Path) -> None:
    """Raises KeyUnavailable where a change of keys was stopped: rows may follow the old or the
    new."""
    if any((folder / f"{name}{NEXT}").exists() for name in KEY_NAMES):
        raise KeyRotationUnfinished("Changing the keys was not finished.")


def _load_key(path: Path) -> bytes:
    try:
        text = path.read_text("ascii")
        mode = path.stat().st_mode
    except (OSError, UnicodeDecodeError) as error:
        raise KeyUnavailable(f"The key file secrets/{path.name} cannot be read.") from error
    if os.name == "posix" and mode & 0o077:
        raise KeyUnavailable(f"The key file secrets/{path.name} can be read by other accounts.")
    try:
        key = bytes.fromhex(text.strip())
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        raise KeyUnavailable(f"The key file secrets/{path.name} is damaged.")
    return key


def encrypt(key: bytes, plain: bytes, associated: str) -> bytes:
    """Encrypt a small value for one place. Returns nonce + ciphertext + tag."""
    nonce = os.urandom(NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, plain, associated.encode())


def decrypt(key: bytes, ciphertext: bytes, associated: str) -> bytes:
    """Decrypt what ``encrypt`` made for this place. Raises Undecryptable."""
    try:
        nonce, body = bytes(ciphertext[:NONCE_BYTES]), bytes(ciphertext[NONCE_BYTES:])
        return AESGCM(key).decrypt(nonce, body, associated.encode())
    except (InvalidTag, ValueError) as error:
        raise DecryptionError("A stored secret does not open with this home's keys.") from error


def pseudonym(key: bytes, subject: str) -> str:
    """A stable id that says nothing without the key: 20 hexadecimal digits."""
    return hmac.new(key, b"subject:" + subject.encode(), hashlib.sha256).hexdigest()[:20]
