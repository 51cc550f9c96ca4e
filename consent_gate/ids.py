"""Random names that say nothing."""

import base64
import secrets


def new_id() -> str:
    """128 random bits as 26 small letters and digits: safe as a file name anywhere."""
    return base64.b32encode(secrets.token_bytes(16)).decode().rstrip("=").lower()
