"""Export a sealed picture for the authorities. It takes two people, and shows it to neither.

The safeguarding lead asks, naming the authority. A second person confirms. The gate then packs the
picture into an AES-256 ZIP and shows the passphrase once, to the second person only. The lead
downloads the file. Neither can open it without the other, and the gate keeps no passphrase.
Requests and files lapse after ``[safeguarding] export_hours``. Every step is in the audit trail.
"""

from __future__ import annotations

import hashlib
import io
import json
import secrets
from datetime import datetime, timedelta
from pathlib import Path

import pyzipper
from django.db import transaction
from django.db.models import Q, QuerySet

from consent_gate.db import audit_log
from consent_gate.db.models import AuditEntry, Item, ItemState, SealedExport, User
from consent_gate.decisions.sealing import sealed_key
from consent_gate.errors import GateError
from consent_gate.home.filesystem import replace_with, set_modified
from consent_gate.home.home import Home
from consent_gate.home.ids import new_id
from consent_gate.vault.originals import vault_of
from publish.name_check import contains_pupil_name

PASSPHRASE_GROUPS = 6
"""Groups of four characters each: 24 characters out of 31 give 119 bits. That is beyond guessing,
even with the 1 000 rounds of PBKDF2 that the ZIP format sets (WinZip AES encryption, AE-2)."""
LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
"""Characters of a passphrase, without those that look alike on paper."""

STRAY_SECONDS = 3600
"""Age in seconds after which a package without a row is taken for the remains of a crash."""


class ExportRefused(GateError):
    """The export cannot be asked for, confirmed or downloaded."""

    next_step = ""


def sealed_items() -> QuerySet[Item]:
    """Every sealed item. The rows say nothing of what the pictures show."""
    return Item.objects.filter(state=ItemState.SEALED).order_by("pk")


def open_requests(home: Home) -> QuerySet[SealedExport]:
    """Requests that wait for a second person, oldest first."""
    rows = SealedExport.objects.filter(confirmed_at=None, refused_at=None)
    return rows.filter(asked_at__gt=_oldest(home)).order_by("asked_at")


def ready_packages(home: Home) -> QuerySet[SealedExport]:
    """Packages that the lead has not downloaded yet, oldest first."""
    rows = SealedExport.objects.exclude(package="").filter(confirmed_at__gt=_oldest(home))
    return rows.order_by("confirmed_at")


def ask(home: Home, item: Item, reason: str, actor: User) -> SealedExport:
    """Save a request for an export by the first of two people.

    Args:
        home: the school's home.
        item: the sealed picture.
        reason: the authority and its reference; at most 300 characters are kept.
        actor: who asks.

    Raises:
        ExportRefused: The picture is not sealed, the reason is empty or names a pupil, or another
            request for the picture is open.
    """
    reason = reason.strip()[:300]
    if not reason:
        raise ExportRefused("Say which authority asks for it, and its reference.")
    if contains_pupil_name(home, reason):
        raise ExportRefused("Please leave out the full names of pupils: the reference is enough.")
    with transaction.atomic():
        locked = Item.objects.select_for_update().get(pk=item.pk)
        if locked.state != ItemState.SEALED:
            raise ExportRefused("That picture is not sealed.")
        if open_requests(home).filter(item=locked).exists():
            raise ExportRefused("A request for this picture waits for a second person already.")
        row = SealedExport.objects.create(
            item=locked, reason=reason, asked_by=actor.username, asked_at=home.now()
        )
        _record(home, row, "asked", actor, {"reason": reason})
    return row


def confirm(home: Home, row: SealedExport, actor: User) -> str:
    """Pack the picture of a request. Returns the passphrase, which is stored nowhere.

    Raises:
        ExportRefused: ``actor`` is the person who asked, or the request is not open any more.
        DecryptionError: The original does not open with the sealed key.
        OSError: The original cannot be read, or the package cannot be written.
    """
    _check_second_person(home, row, actor)
    passphrase = _passphrase()
    data = _pack(home, row, actor, passphrase)
    name = new_id()
    replace_with(_path(home, name), data, 0o600)
    set_modified(_path(home, name), home.clock())
    try:
        with transaction.atomic():
            now = SealedExport.objects.select_for_update().get(pk=row.pk)
            _check_second_person(home, now, actor)
            now.confirmed_by, now.confirmed_at = actor.username, home.now()
            now.package, now.sha256 = name, hashlib.sha256(data).hexdigest()
            now.save()
            _record(home, now, "confirmed", actor, {"package_sha256": now.sha256})
    except BaseException:
        _path(home, name).unlink(missing_ok=True)
        raise
    return passphrase


def refuse(home: Home, row: SealedExport, actor: User) -> bool:
    """Close a request without an export. False when it was not open any more."""
    with transaction.atomic():
        asked = open_requests(home).filter(pk=row.pk)
        is_open = bool(asked.update(refused_by=actor.username, refused_at=home.now()))
        if is_open:
            _record(home, row, "refused", actor, {})
    return is_open


def download(home: Home, row: SealedExport, actor: User) -> bytes:
    """Return the encrypted ZIP to the person who asked, once, and delete it.

    Raises:
        ExportRefused: Another person asked for it, or the file is gone or has lapsed.
    """
    with transaction.atomic():
        now = ready_packages(home).select_for_update().filter(pk=row.pk).first()
        if now is None:
            raise ExportRefused("That file is not here any more. Please ask again.")
        if now.asked_by != actor.username:
            raise ExportRefused("Only the person who asked for this file may download it.")
        path = _path(home, now.package)
        try:
            data = path.read_bytes()
        except OSError as error:  # after a restore: backups hold no packages
            raise ExportRefused("That file is not here any more. Please ask again.") from error
        now.taken_at, now.package = home.now(), ""
        now.save(update_fields=["taken_at", "package"])
        _record(home, now, "taken", actor, {"package_sha256": now.sha256})
    path.unlink(missing_ok=True)
    return data


def forget_lapsed(home: Home) -> None:
    """Delete packages that nobody downloaded in time, and packages without a row."""
    keep = set(ready_packages(home).values_list("package", flat=True))
    lapsed = SealedExport.objects.exclude(Q(package="") | Q(package__in=keep))
    for name in lapsed.values_list("package", flat=True):
        _path(home, name).unlink(missing_ok=True)
    lapsed.update(package="")
    oldest = home.clock().timestamp() - STRAY_SECONDS
    for path in _folder(home).glob("*"):
        if path.name not in keep and path.stat().st_mtime < oldest:
            path.unlink(missing_ok=True)


def _check_second_person(home: Home, row: SealedExport, actor: User) -> None:
    if not open_requests(home).filter(pk=row.pk).exists():
        raise ExportRefused("That request is not open any more.")
    first = User.objects.filter(username=row.asked_by).first()
    if row.asked_by == actor.username or (first is not None and _is_the_same_person(first, actor)):
        raise ExportRefused("You cannot confirm your own request: it takes two people.")


def _is_the_same_person(user: User, other: User) -> bool:
    """Whether two accounts have the same full name or e-mail address."""
    names = user.get_full_name().casefold(), other.get_full_name().casefold()
    addresses = user.email.casefold(), other.email.casefold()
    return any(a == b != "" for a, b in (names, addresses))


def _pack(home: Home, row: SealedExport, actor: User, passphrase: str) -> bytes:
    """The encrypted ZIP with the original and its history. No plaintext is written to disk."""
    item = row.item
    original = vault_of(home).read(item.pk, sealed_key(home, item))
    digest, packed_at = hashlib.sha256(original).hexdigest(), home.now()
    about = {
        "school": home.settings.school.name,
        "reference": f"item:{item.pk}",
        "file": item.source,
        "sha256_when_it_came_in": item.sha256,
        "sha256_now": digest,
        "unchanged": digest == item.sha256,
        "came_in_at": item.received_at.isoformat(),
        "asked_for": row.reason,
        "asked_by": row.asked_by,
        "confirmed_by": actor.username,
        "packed_at": packed_at.isoformat(timespec="seconds"),
        "trail": _trail_of(item),
    }
    files = {
        f"picture{Path(item.source).suffix.lower()}": original,
        "about.json": json.dumps(about, indent=2, ensure_ascii=False).encode(),
    }
    out, modified_at = io.BytesIO(), packed_at.timetuple()[:6]
    with pyzipper.AESZipFile(out, "w", encryption=pyzipper.WZ_AES) as archive:
        archive.setpassword(passphrase.encode())
        for name, data in files.items():
            archive.writestr(archive.zipinfo_cls(name, modified_at), data)
    return out.getvalue()


def _trail_of(item: Item) -> list[dict[str, object]]:
    rows = AuditEntry.objects.filter(subject=f"item:{item.pk}").order_by("sequence")
    return [{"at": e.at, "who": e.actor, "what": e.action, "details": e.detail} for e in rows]


def _passphrase() -> str:
    groups = ("".join(secrets.choice(LETTERS) for _ in range(4)) for _ in range(PASSPHRASE_GROUPS))
    return "-".join(groups)


def _oldest(home: Home) -> datetime:
    return home.now() - timedelta(hours=home.settings.safeguarding.export_hours)


def _folder(home: Home) -> Path:
    return home.vault / "sealed-exports"


def _path(home: Home, name: str) -> Path:
    return _folder(home) / name


def _record(
    home: Home, row: SealedExport, step: str, actor: User, detail: dict[str, object]
) -> None:
    audit_log.record(home, f"sealed_export.{step}", f"item:{row.item_id}", detail, actor.username)
