"""Remove withdrawn pictures from the approved folders: first from the manifest, then the files.

Removals run before any release. An error in one channel does not delay the removals in another.
If the disk is too full to write the shorter manifest, the files are removed first: for a moment the
manifest then lists a missing file, but no picture that must not be seen stays
(docs/adr/0002-recall.md).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from itertools import chain
from pathlib import Path

from django.db import transaction

from consent_gate.db import audit_log
from consent_gate.db.models import ChannelState, Publication, PublicationState
from consent_gate.db.vacuum import vacuum_deleted
from consent_gate.decisions.publications import apply_step
from consent_gate.errors import StorageFull
from consent_gate.home.filesystem import is_disk_full, sync_folder
from consent_gate.home.home import Home
from consent_gate.publication import PENDING, RemoveFiles
from publish.albums import remove_albums_with_names
from publish.channel.files import file_names_of
from publish.channel.folder import FolderProblem, folder_of, folder_problem
from publish.channel.manifest import manifest_is_stale, write_manifest
from publish.recall.captions import remove_captions_with_names
from publish.recall.tickets import close_confirmed

PARTIAL = ".partial-"
"""Prefix of temporary files in approved folders."""


def sync_folders(home: Home) -> None:
    """Carry out a committed change of the register outside the database. Safe to repeat.

    Removes withdrawn pictures and published texts that name a pupil, then the deleted rows' bytes
    from the database file, then saves the anchor of the audit log. Call it outside a transaction.
    """
    remove_withdrawn(home)
    remove_albums_with_names(home)
    remove_captions_with_names(home)
    vacuum_deleted()
    audit_log.save_anchor(home)


def remove_withdrawn(home: Home) -> list[FolderProblem]:
    """Remove the files of all withdrawn and cancelled publications. Safe to repeat.

    Returns:
        The channels whose files could not be removed; their publications stay in the state
        "withdrawing".
    """
    problems = []
    for channel in home.settings.channels:
        problems += catching_folder_errors(channel, partial(remove_withdrawn_from, home, channel))
    return problems


def catching_folder_errors(channel: str, task: Callable[[], None]) -> list[FolderProblem]:
    """Run ``task``; return an error of the channel's folder instead of raising it."""
    try:
        task()
    except (OSError, StorageFull) as error:
        return [folder_problem(channel, error)]
    return []


def remove_withdrawn_from(home: Home, channel: str) -> None:
    """Remove one channel's withdrawn and cancelled files. A repeated call finishes the work.

    Raises:
        FolderUnavailable: The channel's folder is not there.
        OSError: The folder cannot be written.
    """
    if not _has_files_to_remove(channel):
        return
    folder = folder_of(home, channel)
    withdrawing = list(
        Publication.objects.filter(channel=channel, state=PublicationState.WITHDRAWING)
    )
    try:
        if manifest_is_stale(home, channel):
            write_manifest(home, channel)
        _remove_files(folder, withdrawing)
    except OSError as error:
        if not is_disk_full(error):
            raise
        _remove_files(folder, withdrawing)
        write_manifest(home, channel)
    apply_step(home, withdrawing, RemoveFiles())
    close_confirmed(home, withdrawing)
    cancelled = list(Publication.objects.filter(channel=channel, state=PublicationState.CANCELLED))
    _remove_files(folder, cancelled)
    remove_partials(home, channel)
    apply_step(home, cancelled, RemoveFiles())


def _has_files_to_remove(channel: str) -> bool:
    states = (PublicationState.WITHDRAWING, PublicationState.CANCELLED)
    return Publication.objects.filter(channel=channel, state__in=states).exists()


def remove_partials(home: Home, channel: str) -> None:
    """Remove temporary files that belong to no pending publication.

    Holds the channel's lock. ``write_manifest`` holds it as well, so its temporary file is safe.
    """
    with transaction.atomic():
        ChannelState.objects.select_for_update().get_or_create(channel=channel)
        pending = Publication.objects.filter(channel=channel, state__in=PENDING)
        wanted = set(pending.values_list("pk", flat=True))
        for path in home.approved(channel).glob(f"{PARTIAL}*"):
            if path.name.removeprefix(PARTIAL).split("-")[0] not in wanted and not path.is_dir():
                path.unlink(missing_ok=True)


def _remove_files(folder: Path, rows: Iterable[Publication]) -> None:
    parents = set()
    for name in chain.from_iterable(file_names_of(row) for row in rows):
        path = folder / name
        path.unlink(missing_ok=True)
        parents.add(path.parent)
    for parent in parents:
        if parent.is_dir():
            sync_folder(parent)
