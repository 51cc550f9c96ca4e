"""Replace the keys of a home, and encrypt everything again under the new keys in one transaction.

The new keys are stored beside the old ones (``<name>.key.next``) until the rows are committed. Then
they replace the old ones. If the program is killed in between, the home does not open
(``bootstrap.open_home``). The same command then tries one row to see which keys it needs, and
either finishes the change or starts again.

The audit key is never replaced, because it authenticates the existing audit entries.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from django.db import transaction
from django.db.models import Model

from consent_gate.bootstrap import open_home
from consent_gate.db import audit_log
from consent_gate.db.models import ClosedPicture, Item, ItemState, Portrait, Template
from consent_gate.decisions.copies.copy_traits import description_place
from consent_gate.errors import DecryptionError, GateError
from consent_gate.home.filesystem import replace_with, sync_folder
from consent_gate.home.home import Home
from consent_gate.home.keys import KEY_BYTES, NEXT, Keys, decrypt, encrypt, load_keys
from consent_gate.register.portraits import portrait_place
from consent_gate.register.template_vectors import template_place
from ingest.scheduling.lock import IngestRunning, exclusive_ingest_lock

CHANGED = ("vault", "templates", "web")


class KeysInUse(GateError):
    """The keys cannot be replaced while a program uses them."""

    exit_code = 39
    next_step = "Stop 'consent-gate run' and every worker of this school, then try again."


@dataclass(frozen=True)
class _Ciphertext:
    """A column of a row, encrypted under one of the keys."""

    row: Model
    column: str
    key: str
    """``vault`` or ``templates``."""
    place: str
    """Associated data of the encryption."""


def rotate_keys(root: Path, actor: str) -> int:
    """Replace a home's keys, or finish a replacement that was interrupted.

    Returns how many rows were encrypted again; 0 when an interrupted replacement was finished. Also
    raises what opening the home raises.

    Raises:
        KeysInUse: The gate is running.
        DecryptionError: A row cannot be decrypted; nothing is changed.
    """
    home = open_home(root, unfinished_keys=True)
    try:
        with exclusive_ingest_lock(home):
            if _finish_rotation(home):
                _install_keys(home)
                return 0
            _discard_next(home)
            _write_next(home)
            count = _reencrypt_all(home, load_keys(home.secrets, NEXT, fallback=home.keys), actor)
            _install_keys(home)
            return count
    except IngestRunning as error:
        raise KeysInUse("The gate is running.") from error


def _finish_rotation(home: Home) -> bool:
    """Whether the rows are already committed under the next keys."""
    if not any((home.secrets / f"{name}{NEXT}").exists() for name in CHANGED):
        return False
    try:
        following = load_keys(home.secrets, NEXT, fallback=home.keys)
    except GateError:
        return False  # incompletely written, so no row was encrypted under them
    sample = next(_all_ciphertexts(), None)
    if sample is None:
        return False
    try:
        decrypt(
            getattr(following, sample.key),
            bytes(getattr(sample.row, sample.column)),
            sample.place,
        )
    except DecryptionError:
        return False
    return True


def _write_next(home: Home) -> None:
    for name in CHANGED:
        fresh = secrets.token_hex(KEY_BYTES).encode()
        replace_with(home.secrets / f"{name}{NEXT}", fresh, 0o600)


def _discard_next(home: Home) -> None:
    for name in CHANGED:
        (home.secrets / f"{name}{NEXT}").unlink(missing_ok=True)
    sync_folder(home.secrets)


def _install_keys(home: Home) -> None:
    """Rename the next keys into place. ``open_home`` refuses the home until the last is renamed."""
    for name in CHANGED:
        following = home.secrets / f"{name}{NEXT}"
        if following.exists():
            following.replace(home.secrets / f"{name}.key")
    sync_folder(home.secrets)
    for path in (home.vault / "uploads").glob("*"):
        path.unlink(missing_ok=True)  # unconfirmed exports, encrypted under the old key


def _reencrypt_all(home: Home, following: Keys, actor: str) -> int:
    """Encrypt every row again, or none. Raises DecryptionError."""
    count = 0
    with transaction.atomic():
        for cipher in _all_ciphertexts():
            old = bytes(getattr(cipher.row, cipher.column))
            plain = decrypt(getattr(home.keys, cipher.key), old, cipher.place)
            new = encrypt(getattr(following, cipher.key), plain, cipher.place)
            setattr(cipher.row, cipher.column, new)
            cipher.row.save(update_fields=[cipher.column])
            count += 1
        audit_log.record(home, "keys.changed", "home", {"rows": count}, actor)
    return count


def _all_ciphertexts() -> Iterator[_Ciphertext]:
    """Everything in the database that is encrypted under these keys."""
    for item in Item.objects.exclude(wrapped_key=None).order_by("pk").iterator():
        place = f"{'sealed' if item.state == ItemState.SEALED else 'item'}:{item.pk}"
        yield _Ciphertext(item, "wrapped_key", "vault", place)
    for closed in ClosedPicture.objects.exclude(description=b"").order_by("pk").iterator():
        yield _Ciphertext(closed, "description", "vault", description_place(closed.item_id))
    for template in Template.objects.select_related("photo__pupil").order_by("pk").iterator():
        number = template.photo.pupil.admission_number
        place = template_place(number, template.model, template.model_version)
        yield _Ciphertext(template, "ciphertext", "templates", place)
    rows = Portrait.objects.select_related("template__photo__pupil").order_by("pk")
    for portrait in rows.iterator():
        number = portrait.template.photo.pupil.admission_number
        yield _Ciphertext(
            portrait, "ciphertext", "templates", portrait_place(number, portrait.template)
        )
