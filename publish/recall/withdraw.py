"""Taking pictures back: out of the manifest first, then out of the folder.

What comes back goes before anything that goes out, and no fault in one channel keeps another's
pictures up. Where the disk is too full for the shorter manifest the files go first: better an entry
without its file for a moment than a picture that must not be seen (docs/adr/0002-recall.md).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from itertools import chain
from pathlib import Path

from django.db import transaction

from consent_gate.db import audit_log
from consent_gate.db.models import ChannelState, Publication, PublicationState
from consent_gate.db.models.publications import PENDING
from consent_gate.db.vacuum import vacuum_deleted
from consent_gate.errors import StorageFull
from consent_gate.home.filesystem import is_disk_full, sync_folder
from consent_gate.home.home import Home
from publish.channel.files import file_names_of
from publish.channel.folder import FolderProblem, folder_of, folder_problem
from publish.channel.manifest import manifest_is_stale, write_manifest
from publish.recall.tickets import close_answered

PARTIAL = ".partial-"


def sync_folders(home: Home) -> None:
    """Make folders and log agree with the ledger after a change of the register was committed.

    Removes withdrawn pictures first, then the bytes of destroyed templates. Call outside a
    transaction. Safe to repeat.
    """
    remove_withdrawn(home)
    vacuum_deleted()
    audit_log.save_anchor(home)


def remove_withdrawn(home: Home) -> list[FolderProblem]:
    """Remove every picture the ledger calls back. Safe to repeat.

    Returns what stood in the way; those pictures stay in the ledger as not yet removed.
    """
    found = []
    for channel in home.settings.channels:
        found += catching_folder_errors(channel, partial(remove_withdrawn_from, home, channel))
    return found


def catching_folder_errors(channel: str, task: Callable[[], None]) -> list[FolderProblem]:
    """Do something to one channel's folder; a fault of the folder is told, not raised."""
    try:
        task()
    except (OSError, StorageFull) as error:
        return [folder_problem(channel, error)]
    return []


def remove_withdrawn_from(home: Home, channel: str) -> None:
    """The same in one channel. Raises OSError or FolderUnavailable; repeating it finishes it."""
    if not _waiting(channel):
        return
    folder = folder_of(home, channel)
    back = list(Publication.objects.filter(channel=channel, state=PublicationState.WITHDRAWING))
    try:
        if manifest_is_stale(home, channel):
            write_manifest(home, channel)
        _remove_files(folder, back)
    except OSError as error:
        if not is_disk_full(error):
            raise
        _remove_files(folder, back)
        write_manifest(home, channel)
    _transition(back, PublicationState.WITHDRAWING, PublicationState.REMOVED)
    close_answered(home, back)
    stopped = list(Publication.objects.filter(channel=channel, state=PublicationState.CANCELLED))
    _remove_files(folder, stopped)
    remove_partials(home, channel)
    _transition(stopped, PublicationState.CANCELLED, PublicationState.CANCELLED_CLEANED)


def _waiting(channel: str) -> bool:
    states = (PublicationState.WITHDRAWING, PublicationState.CANCELLED)
    return Publication.objects.filter(channel=channel, state__in=states).exists()


def remove_partials(home: Home, channel: str) -> None:
    """Remove half-made files that no publication on its way out is waiting for.

    Under the channel's lock: a manifest is only ever half-written under the same lock.
    """
    with transaction.atomic():
        ChannelState.objects.select_for_update().get_or_create(channel=channel)
        leaving = Publication.objects.filter(channel=channel, state__in=PENDING)
        wanted = set(leaving.values_list("pk", flat=True))
        for path in home.approved(channel).glob(f"{PARTIAL}*"):
            if path.name.removeprefix(PARTIAL).split("-")[0] not in wanted and not path.is_dir():
                path.unlink(missing_ok=True)


def _remove_files(folder: Path, rows: Iterable[Publication]) -> None:
    touched = set()
    for name in chain.from_iterable(file_names_of(row) for row in rows):
        path = folder / name
        path.unlink(missing_ok=True)
        touched.add(path.parent)
    for parent in touched:
        if parent.is_dir():
            sync_folder(parent)


def _transition(rows: list[Publication], before: PublicationState, after: PublicationState) -> None:
    keys = [row.pk for row in rows]
    for start in range(0, len(keys), 500):
        some = Publication.objects.filter(pk__in=keys[start : start + 500], state=before)
        some.update(state=after)
