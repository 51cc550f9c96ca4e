"""Remove withdrawn pictures from the approved folders: first from the manifest, then the files.

Removals run before any release. An error in one channel does not delay the removals in another.
If the folder does not take the shorter manifest, as on a full disk, the files are removed all the
same: until it does, the manifest lists missing files, but no picture that must not be seen stays
(docs/adr/0002-recall.md).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

from django.db import transaction

from consent_gate.db import audit_log
from consent_gate.db.models import ChannelState, Publication, PublicationState
from consent_gate.db.vacuum import vacuum_deleted
from consent_gate.decisions.publications import apply_step
from consent_gate.errors import StorageFull
from consent_gate.home.filesystem import sync_folder
from consent_gate.home.home import Home
from consent_gate.publication import PENDING, RemoveFiles
from publish.albums import remove_albums_with_names
from publish.channel.files import file_names_of
from publish.channel.folder import (
    FolderProblem,
    FolderUnavailable,
    folder_of,
    folder_problem,
)
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

    The list is written first. If it cannot be written, or a file cannot be deleted, the other files
    are deleted all the same.

    Raises:
        FolderUnavailable: The channel's folder is not there or has the list of others. The files
            are deleted all the same, but do not count as removed.
        OSError: The list cannot be written, or a file cannot be deleted.
    """
    if not _has_files_to_remove(channel):
        return
    withdrawing = list(
        Publication.objects.filter(channel=channel, state=PublicationState.WITHDRAWING)
    )
    try:
        folder = folder_of(home, channel)
    except FolderUnavailable:
        # The names are random, so a file of that name is ours whatever else the folder has.
        _remove_files(home.approved(channel), withdrawing)
        raise
    listed = _try_to_write_list(home, channel)
    removed, faults = _remove_files(folder, withdrawing)
    if not listed:
        write_manifest(home, channel)  # a full disk has room now
    apply_step(home, removed, RemoveFiles())
    close_confirmed(home, removed)
    cancelled = list(Publication.objects.filter(channel=channel, state=PublicationState.CANCELLED))
    removed, more_faults = _remove_files(folder, cancelled)
    remove_partials(home, channel)
    apply_step(home, removed, RemoveFiles())
    if faults or more_faults:
        raise (faults + more_faults)[0]


def _try_to_write_list(home: Home, channel: str) -> bool:
    """Write the manifest if it is old. Return whether the folder has the present one."""
    try:
        if manifest_is_stale(home, channel):
            write_manifest(home, channel)
    except OSError:
        return False
    return True


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


def _remove_files(
    folder: Path, rows: Iterable[Publication]
) -> tuple[list[Publication], list[OSError]]:
    """Delete the files of publications, each by itself.

    Returns:
        The publications whose files are gone, and the errors of the others.
    """
    removed, faults = list[Publication](), list[OSError]()
    for row in rows:
        before = len(faults)
        for name in file_names_of(row):
            try:
                (folder / name).unlink(missing_ok=True)
            except OSError as error:  # another program has the file open
                faults.append(error)
        if len(faults) == before:
            removed.append(row)
    for parent in {(folder / name).parent for row in removed for name in file_names_of(row)}:
        if parent.is_dir():
            sync_folder(parent)
    return removed, faults
