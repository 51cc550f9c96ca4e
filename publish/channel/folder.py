"""Check that each channel's approved folder is available and is the folder that the ledger knows.

A folder may be a network share. When the share is disconnected, its mount point is missing or is an
empty folder of the local disk. If that counted as "all pictures deleted", everything would be
published again in the wrong place. So a folder that has been used must contain its manifest or a
picture of the ledger, and the manifest must not be another channel's or another school's, as where
two folders are swapped in the settings. Otherwise nothing is written to it, no file counts as
removed, and staff see a message. A folder outside the home that was never used must be empty: the
gate takes every file that it did not publish out of a channel's folder, and a website may keep
others there.
"""

from __future__ import annotations

import json
import logging
import re
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from django.db import transaction

from consent_gate.db import audit_log
from consent_gate.db.models import AuditEntry, ChannelState, Publication, PublicationState
from consent_gate.decisions.ledger import mark_manifest_dirty
from consent_gate.errors import StorageFull
from consent_gate.home.home import Home
from consent_gate.publication import IN_MANIFEST, RECALLED

log = logging.getLogger("consent_gate")

MANIFEST = "manifest.json"
ADOPTED = "folder.adopted"
"""Audit action: a person accepted a channel's folder with what it contains."""
_MONTH = re.compile(r"\d{4}-\d\d")
_CHANNEL = re.compile(rb'"channel":\s*"([^"]*)"')
_HEAD_BYTES = 300
"""The list names its channel within the first bytes, so that a long list need not be read."""
_MOST_KEYS = 500
"""Pictures of a list that are looked up. Older versions of SQLite accept at most 999 values."""
_SYSTEM_NAMES = frozenset(
    {
        "lost+found",
        "system volume information",
        "$recycle.bin",
        "@eadir",
        "thumbs.db",
        "desktop.ini",
    }
)
"""Files and folders, in lower case, that operating systems and file servers put into any folder."""
SPARE_BYTES = 64 << 20
"""Bytes kept free on the folder's disk, so that a recall can always write the manifest. The
manifest of 100 000 pictures has about 40 MB."""


class FolderUnavailable(StorageFull):
    """A channel's folder is missing, or is not the folder that was used before."""

    next_step = (
        "Connect the share again. If the folder was moved or emptied on purpose, run"
        " 'consent-gate publish adopt CHANNEL'."
    )


class FolderOfOthers(FolderUnavailable):
    """The folder has files or the list of somebody else."""


@dataclass(frozen=True)
class FolderProblem:
    """Why a channel's folder cannot be brought in line with the ledger now."""

    channel: str
    message: str
    """For staff. Contains no file name."""


def folder_of(home: Home, channel: str) -> Path:
    """The channel's folder. A folder inside the home that was never used is created.

    Raises:
        FolderOfOthers: The folder had files of others before the first release, or has the list of
            another channel or school.
        FolderUnavailable: The folder is missing, or is empty although pictures were released.
        OSError: The folder cannot be created or read.
    """
    folder = home.approved(channel)
    used = ChannelState.objects.filter(channel=channel, listed_sequence__gt=0).exists()
    if not used and home.root in folder.parents:
        folder.mkdir(parents=True, exist_ok=True)
    if not folder.is_dir():
        raise FolderUnavailable(f"The folder of '{channel}' is not there.")
    if not used and home.root not in folder.parents and _has_files_of_others(folder, channel):
        raise FolderOfOthers(
            f"The folder of '{channel}' has files that the gate did not put there. It would take"
            " them away. Give the channel an empty folder."
        )
    if used and not (folder / MANIFEST).exists() and not _has_known_picture(folder, channel):
        raise FolderUnavailable(
            f"The folder of '{channel}' is empty, but pictures were released to it."
        )
    if used and _lists_pictures_of_others(folder, channel):
        raise FolderOfOthers(
            f"The folder of '{channel}' has the list of another channel or school."
        )
    return folder


def adopt(home: Home, channel: str, actor: str) -> None:
    """Accept the folder in the settings as the channel's, whatever it contains.

    The next round publishes all released pictures to it again.
    """
    with transaction.atomic():
        mark_manifest_dirty(channel)
        ChannelState.objects.filter(channel=channel).update(listed_sequence=0)
        audit_log.record(home, ADOPTED, f"channel:{channel}", {}, actor)


def folder_problems(home: Home) -> list[FolderProblem]:
    """Problems of all channels' folders, and channels that were removed from the settings."""
    problems = []
    for channel in home.settings.channels:
        try:
            folder_of(home, channel)
        except OSError as error:
            problems.append(folder_problem(channel, error))
        except FolderUnavailable as error:
            problems.append(FolderProblem(channel, str(error)))
    return problems + _orphaned_channels(home)


def require_space(folder: Path, size: int) -> None:
    """Check that ``size`` bytes can be written and ``SPARE_BYTES`` remain free.

    Raises:
        StorageFull: There is less free space.
    """
    if shutil.disk_usage(folder).free < size + SPARE_BYTES:
        raise StorageFull("The disk of the folder has no room for another picture.")


def folder_problem(channel: str, error: Exception) -> FolderProblem:
    """Describe an error for staff. The own text of an OSError is not used: it names the file."""
    if isinstance(error, OSError):
        return FolderProblem(
            channel, f"The folder cannot be used: {error.strerror or 'unknown fault'}."
        )
    return FolderProblem(channel, str(error))


_logged: dict[str, str] = {}


def log_problems(problems: Iterable[FolderProblem]) -> None:
    """Log each problem once, not every round, and log when it has ended."""
    current = {problem.channel: problem.message for problem in problems}
    for channel, message in current.items():
        if _logged.get(channel) != message:
            log.error("Channel %s: %s", channel, message)
    for channel in _logged.keys() - current.keys():
        log.info("Channel %s: the folder can be used again.", channel)
    _logged.clear()
    _logged.update(current)


def _has_files_of_others(folder: Path, channel: str) -> bool:
    """Whether a folder that was not used before has files, and nobody said that this is right.

    What the gate writes before its first manifest does not count.
    """
    if AuditEntry.objects.filter(action=ADOPTED, subject=f"channel:{channel}").exists():
        return False
    is_others = any(not _is_expected(path.name) for path in folder.iterdir())
    return is_others or _lists_pictures_of_others(folder, channel)


def _lists_pictures_of_others(folder: Path, channel: str) -> bool:
    """Whether the list in the folder is another channel's, or has no picture that this home knows.

    A damaged list, or something else in its place, is nobody's; the integrity check writes it.

    Raises:
        OSError: There is a list, and the disk does not give it.
    """
    path = folder / MANIFEST
    if not path.is_file():
        return False
    try:
        with path.open("rb") as file:
            head = _CHANNEL.search(file.read(_HEAD_BYTES))
        if head and head[1] != channel.encode():
            return True
        if _has_known_picture(folder, channel):
            return False
        listed = json.loads(path.read_bytes())
        keys = [str(e["id"]) for part in ("items", "withdrawn") for e in listed[part]]
    except (ValueError, LookupError, TypeError):
        return False
    known = Publication.objects.filter(channel=channel, pk__in=keys[:_MOST_KEYS])
    return bool(keys) and not known.exists()


def _is_expected(name: str) -> bool:
    """Whether an entry of a folder is hidden, the gate's or of an operating system."""
    is_own = name == MANIFEST or _MONTH.fullmatch(name) is not None
    return is_own or name.startswith(".") or name.lower() in _SYSTEM_NAMES


def _has_known_picture(folder: Path, channel: str) -> bool:
    out = (*IN_MANIFEST, PublicationState.WITHDRAWING)
    rows = Publication.objects.filter(channel=channel, state__in=out)
    return any((folder / name).is_file() for name in rows.values_list("file", flat=True))


def _orphaned_channels(home: Home) -> list[FolderProblem]:
    """Channels that were removed from the settings while pictures were published in them."""
    open_rows = Publication.objects.filter(state__in=(*IN_MANIFEST, RECALLED[0]))
    names = set(open_rows.values_list("channel", flat=True).distinct())
    message = (
        "It is no longer in the settings, but its pictures are still published. Put it back,"
        " recall its pictures, then delete it."
    )
    return [FolderProblem(name, message) for name in sorted(names - home.settings.channels.keys())]
