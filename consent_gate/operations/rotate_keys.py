"""Changing the keys of a home: everything they protect is sealed anew, in one transaction.

The new keys lie beside the old ones (``<name>.key.next``) until the rows are committed, and take
their place after that. Killed between the two, the home does not open (``bootstrap.open_home``),
and the same command finds out by one row which keys the rows follow, and finishes or begins again.

The audit key is never changed: it authenticates what was written before.
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
from consent_gate.db.models import Item, ItemState, Portrait, Template
from consent_gate.errors import DecryptionError, GateError
from consent_gate.home.filesystem import replace_with, sync_folder
from consent_gate.home.home import Home
from consent_gate.home.keys import KEY_BYTES, NEXT, Keys, decrypt, encrypt, load_keys
from consent_gate.register.portraits import portrait_place
from consent_gate.register.repository import template_place
from ingest.scheduling.lock import IngestRunning, exclusive_ingest_lock

CHANGED = ("vault", "templates", "web")


class KeysInUse(GateError):
    """The keys cannot be changed while a program uses them."""

    exit_code = 39
    next_step = "Stop 'consent-gate run' and every worker of this school, then try again."


@dataclass(frozen=True)
class _Ciphertext:
    """A column that is sealed under one of the keys, for one place."""

    row: Model
    column: str
    key: str
    """``vault`` or ``templates``."""
    place: str


def rotate_keys(root: Path, actor: str) -> int:
    """Give a home new keys, or finish a change that was stopped. Returns how many rows were sealed
    anew.

    Raises KeysInUse while the gate runs, Undecryptable when a row opens with no key at hand (then
    nothing is changed), or whatever opening the home raises.
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
        raise KeysInUse("The gate runs.") from error


def _finish_rotation(home: Home) -> bool:
    """Whether the rows were committed under the next keys already."""
    if not any((home.secrets / f"{name}{NEXT}").exists() for name in CHANGED):
        return False
    try:
        following = load_keys(home.secrets, NEXT, fallback=home.keys)
    except GateError:
        return False  # half written: nothing follows it
    one = next(_all_ciphertexts(), None)
    if one is None:
        return False
    try:
        decrypt(getattr(following, one.key), bytes(getattr(one.row, one.column)), one.place)
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
    """The last one makes the home open again: ``open_home`` refuses while any waits."""
    for name in CHANGED:
        following = home.secrets / f"{name}{NEXT}"
        if following.exists():
            following.replace(home.secrets / f"{name}.key")
    sync_folder(home.secrets)
    for path in (home.vault / "uploads").glob("*"):
        path.unlink(missing_ok=True)  # exports that nobody confirmed: sealed under the old key


def _reencrypt_all(home: Home, following: Keys, actor: str) -> int:
    """All or nothing. Raises Undecryptable."""
    count = 0
    with transaction.atomic():
        for one in _all_ciphertexts():
            plain = decrypt(
                getattr(home.keys, one.key), bytes(getattr(one.row, one.column)), one.place
            )
            setattr(one.row, one.column, encrypt(getattr(following, one.key), plain, one.place))
            one.row.save(update_fields=[one.column])
            count += 1
        audit_log.record(home, "keys.changed", "home", {"rows": count}, actor)
    return count


def _all_ciphertexts() -> Iterator[_Ciphertext]:
    """Everything in the database that these keys open."""
    for item in Item.objects.exclude(wrapped_key=None).order_by("pk").iterator():
        place = f"{'sealed' if item.state == ItemState.SEALED else 'item'}:{item.pk}"
        yield _Ciphertext(item, "wrapped_key", "vault", place)
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
