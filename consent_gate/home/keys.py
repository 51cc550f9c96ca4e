"""The secret keys of one home, and encryption of small values with them.

Values are encrypted with AES-256-GCM and a random 96-bit nonce (NIST SP 800-38D). The associated
data names the row of each ciphertext, so a template or wrapped key that was moved to another row
cannot be decrypted.
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
"""Suffixes of key files: the key in use, and the new key during a rotation."""


class KeyRotationUnfinished(KeyUnavailable):
    """A key rotation was interrupted."""

    exit_code = 46
    next_step = "Finish it: consent-gate keys change."


@dataclass(frozen=True)
class Keys:
    """The secret keys of a home, 32 bytes each. ``repr`` does not show them."""

    vault: bytes
    """Wraps the key of each item."""
    templates: bytes
    """Encrypts face templates."""
    audit: bytes
    """Authenticates the audit chain and makes the pseudonyms of pupils."""
    web: bytes
    """Signs sessions."""

    def __repr__(self) -> str:
        return "Keys(…)"


NO_KEYS = Keys(b"-", b"-", b"-", b"-")
"""Placeholder before a home is open; it cannot encrypt, decrypt or sign."""


def create_keys(folder: Path) -> None:
    """Write new random keys, readable by this account only. Existing keys stay unchanged.

    Raises:
        OSError: A key file cannot be written.
    """
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


def load_keys(folder: Path, suffix: str = CURRENT, fallback: Keys | None = None) -> Keys:
    """Read all keys from the files with this suffix.

    A key without such a file is taken from ``fallback``, if that is given.

    Raises:
        KeyUnavailable: A key file is missing, malformed or readable by other accounts.
    """
    found = {}
    for name in KEY_NAMES:
        path = folder / f"{name}{suffix}"
        use_fallback = fallback is not None and not path.exists()
        found[name] = getattr(fallback, name) if use_fallback else _load_key(path)
    return Keys(**found)


def require_finished_rotation(folder: Path) -> None:
    """Check that no key rotation was interrupted: then rows may be encrypted under either key.

    Raises:
        KeyRotationUnfinished: A key rotation was interrupted.
    """
    if any((folder / f"{name}{NEXT}").exists() for name in KEY_NAMES):
        raise KeyRotationUnfinished("The change of the keys was interrupted.")


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
    """Encrypt a small value. Returns nonce (12 bytes), ciphertext and tag (16 bytes).

    ``associated`` names where the value is stored; ``decrypt`` needs the same text.
    """
    nonce = os.urandom(NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, plain, associated.encode())


def decrypt(key: bytes, ciphertext: bytes, associated: str) -> bytes:
    """Decrypt a result of ``encrypt`` that was made with the same ``associated`` text.

    Raises:
        DecryptionError: The key or ``associated`` differs, or the bytes were altered.
    """
    try:
        nonce, body = bytes(ciphertext[:NONCE_BYTES]), bytes(ciphertext[NONCE_BYTES:])
        return AESGCM(key).decrypt(nonce, body, associated.encode())
    except (InvalidTag, ValueError) as error:
        raise DecryptionError(
            "A stored secret cannot be decrypted with this home's keys."
        ) from error


def pseudonym(key: bytes, subject: str) -> str:
    """Return a stable pseudonym of ``subject``: 20 hexadecimal digits of its HMAC-SHA256."""
    return hmac.new(key, b"subject:" + subject.encode(), hashlib.sha256).hexdigest()[:20]
