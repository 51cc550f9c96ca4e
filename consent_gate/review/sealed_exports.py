"""Handing a sealed picture to the authorities. It takes two people, and shows it to neither.

The safeguarding lead asks, naming the authority. A second person confirms: then the picture is
packed, unseen, into an AES-256 ZIP, and its passphrase is shown to the second person alone, once.
The lead takes the file. Neither can open it without the other, and the gate keeps no passphrase.
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
from consent_gate.errors import GateError
from consent_gate.home.filesystem import replace_with, set_modified
from consent_gate.home.home import Home
from consent_gate.ids import new_id
from consent_gate.review.sealing import sealed_key
from consent_gate.vault.originals import vault_of
from publish.name_check import contains_pupil_name

PASSPHRASE_GROUPS = 6
"""Of four characters each: 119 bits (24 of 31 characters), far beyond guessing even with the 1 000
rounds of PBKDF2 that the ZIP format prescribes (WinZip AES encryption information, AE-2)."""
LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
"""Without those that look alike on paper."""

STRAY_SECONDS = 3600
"""A package without its row is older than this when a crash left it."""


class ExportRefused(GateError):
    """The request cannot be made, confirmed or used."""

    next_step = ""


def sealed_items() -> QuerySet[Item]:
    """Everything that is sealed; the rows say nothing of what is shown."""
    return Item.objects.filter(state=ItemState.SEALED).order_by("pk")


def open_requests(home: Home) -> QuerySet[SealedExport]:
    """Requests that wait for a second person, oldest first."""
    rows = SealedExport.objects.filter(confirmed_at=None, refused_at=None)
    return rows.filter(asked_at__gt=_oldest(home)).order_by("asked_at")


def ready(home: Home) -> QuerySet[SealedExport]:
    """Packages that the lead has not taken yet."""
    rows = SealedExport.objects.exclude(package="").filter(confirmed_at__gt=_oldest(home))
    return rows.order_by("confirmed_at")


def ask(home: Home, item: Item, reason: str, actor: User) -> SealedExport:
    """The first of two people asks.

    Raises ExportRefused where nothing is sealed or stated, a pupil is named, or somebody asked
    before.
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
    """Pack the picture. Returns the passphrase, which is kept nowhere.

    Raises ExportRefused for the person who asked, and for what has lapsed; Undecryptable or
    OSError where the safe copy cannot be read.
    """
    _check_second_person(home, row, actor)
    passphrase = _passphrase()
    data = _packed(home, row, actor, passphrase)
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
    """Either person takes the request back. False where it is not open any more."""
    with transaction.atomic():
        asked = open_requests(home).filter(pk=row.pk)
        is_open = bool(asked.update(refused_by=actor.username, refused_at=home.now()))
        if is_open:
            _record(home, row, "refused", actor, {})
    return is_open


def download(home: Home, row: SealedExport, actor: User) -> bytes:
    """The encrypted ZIP, once, for the person who asked. Raises ExportRefused."""
    with transaction.atomic():
        now = ready(home).select_for_update().filter(pk=row.pk).first()
        if now is None:
            raise ExportRefused("That file is not here any more. Please ask again.")
        if now.asked_by != actor.username:
            raise ExportRefused("Only the person who asked for it may take it.")
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
    """Delete packages that nobody took in time, and strays that a crash left."""
    keep = set(ready(home).values_list("package", flat=True))
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
        raise ExportRefused("Somebody else has to confirm it: it takes two people.")


def _is_the_same_person(user: User, other: User) -> bool:
    """Whether two accounts are one person's, as far as their entries tell."""
    names = user.get_full_name().casefold(), other.get_full_name().casefold()
    addresses = user.email.casefold(), other.email.casefold()
    return any(a == b != "" for a, b in (names, addresses))


def _packed(home: Home, row: SealedExport, actor: User, passphrase: str) -> bytes:
    """The original and what is known of it, encrypted; nothing of it touches the disk in clear."""
    item = row.item
    original = vault_of(home).read(item.pk, sealed_key(home, item))
    digest, packed_at = hashlib.sha256(original).hexdigest(), home.now()
    facts = {
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
        "about.json": json.dumps(facts, indent=2, ensure_ascii=False).encode(),
    }
    out, at = io.BytesIO(), packed_at.timetuple()[:6]
    with pyzipper.AESZipFile(out, "w", encryption=pyzipper.WZ_AES) as archive:
        archive.setpassword(passphrase.encode())
        for name, data in files.items():
            archive.writestr(archive.zipinfo_cls(name, at), data)
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
    home: Home, row: SealedExport, what: str, actor: User, detail: dict[str, object]
) -> None:
    audit_log.record(home, f"sealed_export.{what}", f"item:{row.item_id}", detail, actor.username)
