"""Random identifiers, which reveal nothing about what they identify."""

import base64
import secrets


def new_id() -> str:
    """Return 128 random bits as 26 lower-case letters and digits, safe as a file name."""
    return base64.b32encode(secrets.token_bytes(16)).decode().rstrip("=").lower()
