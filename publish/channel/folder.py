"""The channels' folders: whether each is there, and is the one the ledger knows.

A folder may be a network share. When the share is away, its mount point is missing or an empty
folder of the local disk: taking that for "all pictures deleted" would publish everything anew in
the wrong place. So a folder that was ever used must hold its manifest or a picture of the ledger;
otherwise nothing is written to it, nothing is taken for removed, and staff are told.
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from django.db import transaction

from consent_gate.db import audit_log
from consent_gate.db.models import ChannelState, Publication
from consent_gate.db.models.publications import IN_MANIFEST, RECALLED
from consent_gate.decisions.ledger import mark_manifest_dirty
from consent_gate.errors import StorageFull
from consent_gate.home.home import Home

log = logging.getLogger("consent_gate")

MANIFEST = "manifest.json"
SPARE_BYTES = 64 << 20
"""Left free in a channel's folder, so that a withdrawal can always write its manifest: that of
100 000 pictures has about 40 MB."""


class FolderUnavailable(StorageFull):
    """A channel's folder is not there, or is not the one that was used before."""

    next_step = (
        "Connect the share again. If the folder was moved or emptied on purpose, say so with"
        " 'consent-gate publish adopt CHANNEL'."
    )


@dataclass(frozen=True)
class FolderProblem:
    """Why a channel's folder does not follow the ledger just now."""

    channel: str
    message: str
    """For staff; holds no file name."""


def folder_of(home: Home, channel: str) -> Path:
    """The channel's folder, ready for use. Raises FolderUnavailable."""
    folder = home.approved(channel)
    used = ChannelState.objects.filter(channel=channel, listed_sequence__gt=0).exists()
    if not used and home.root in folder.parents:
        folder.mkdir(parents=True, exist_ok=True)
    if not folder.is_dir():
        raise FolderUnavailable(f"The folder of '{channel}' is not there.")
    if used and not (folder / MANIFEST).exists() and not _holds_a_picture(folder, channel):
        raise FolderUnavailable(
            f"The folder of '{channel}' is empty, but pictures were released to it."
        )
    return folder


def adopt(home: Home, channel: str, actor: str) -> None:
    """Take the folder of the settings as the channel's, whatever is in it: it is filled anew."""
    with transaction.atomic():
        mark_manifest_dirty(channel)
        ChannelState.objects.filter(channel=channel).update(listed_sequence=0)
        audit_log.record(home, "folder.adopted", f"channel:{channel}", {}, actor)


def folder_problems(home: Home) -> list[FolderProblem]:
    """What stands in the way of each channel's folder, for the status page. Reads only."""
    found = []
    for channel in home.settings.channels:
        try:
            folder_of(home, channel)
        except OSError as error:
            found.append(folder_problem(channel, error))
        except FolderUnavailable as error:
            found.append(FolderProblem(channel, str(error)))
    return found + _orphaned_channels(home)


def require_space(folder: Path, size: int) -> None:
    """Raises StorageFull when a picture of this size would take what withdrawals need."""
    if shutil.disk_usage(folder).free < size + SPARE_BYTES:
        raise StorageFull("There is no room for another picture.")


def folder_problem(channel: str, error: Exception) -> FolderProblem:
    """In words; an OSError's own text would name the file."""
    if isinstance(error, OSError):
        return FolderProblem(
            channel, f"The folder cannot be used: {error.strerror or 'unknown fault'}."
        )
    return FolderProblem(channel, str(error))


_logged: dict[str, str] = {}


def log_problems(found: Iterable[FolderProblem]) -> None:
    """Log what is new: a share that is away for a day is one line, not one every round."""
    now = {each.channel: each.message for each in found}
    for channel, sentence in now.items():
        if _logged.get(channel) != sentence:
            log.error("Channel %s: %s", channel, sentence)
    for channel in _logged.keys() - now.keys():
        log.info("Channel %s: the folder is well again.", channel)
    _logged.clear()
    _logged.update(now)


def _holds_a_picture(folder: Path, channel: str) -> bool:
    rows = Publication.objects.filter(channel=channel, state__in=IN_MANIFEST)
    return any((folder / name).is_file() for name in rows.values_list("file", flat=True))


def _orphaned_channels(home: Home) -> list[FolderProblem]:
    """Channels that were taken out of the settings while pictures were out in them."""
    open_rows = Publication.objects.filter(state__in=(*IN_MANIFEST, RECALLED[0]))
    names = set(open_rows.values_list("channel", flat=True).distinct())
    sentence = "It is no longer in the settings, but pictures are still out. Put it back."
    return [FolderProblem(name, sentence) for name in sorted(names - home.settings.channels.keys())]
