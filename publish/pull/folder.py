"""The folder of pulled pictures: know which files are ours, and write, check and delete them.

The hidden folder ``.consent-gate-pull`` marks the folder as ours. Its ``state.json``
(``publish.pull.state``) names every file that was written or is about to be. Only these files are
ever replaced or deleted. A name is recorded before its file is written, so a kill at any moment
leaves no file of ours unrecorded.

Files are reached through descriptors of their folders, which follow no symbolic link.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from publish.pull.errors import FolderBusy, FolderRefused, FolderUnwritable
from publish.pull.manifest import ListedFile
from publish.pull.state import MARKER, PullState, load_state, state_json

LISTING = "pictures.json"
"""The pictures with titles and descriptions, for the website's own program."""

_FOLDER_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


class PathOccupied(Exception):
    """A file of somebody else, a folder or a link stands where a picture should be."""


class PulledFolder:
    """The folder, locked for this run."""

    def __init__(self, root: Path, state: PullState, descriptor: int) -> None:
        self.root, self.state, self._descriptor = root, state, descriptor
        self._saved = ""

    def save(self) -> None:
        """Write the state, if it has changed.

        Raises:
            FolderUnwritable: It cannot be written.
        """
        text = state_json(self.state)
        if text != self._saved:
            self._write_atomically(self.root / MARKER / "state.json", text.encode(), 0o600)
            self._saved = text

    def write_listing(self, entries: list[dict[str, Any]]) -> None:
        """Write ``pictures.json``, if it has changed.

        Raises:
            FolderUnwritable: It cannot be written.
        """
        data, path = json.dumps(entries, ensure_ascii=False, indent=1).encode(), self.root / LISTING
        if not path.is_file() or path.read_bytes() != data:
            self._write_atomically(path, data, 0o644)

    def is_ours(self, name: str) -> bool:
        """Whether we wrote the file of this name."""
        return name in self.state.files

    def exists(self, name: str) -> bool:
        """Whether anything has this name, also a dead link. False if its folder is missing."""
        with suppress(FileNotFoundError), self._month_of(name) as (month, base):
            os.lstat(base, dir_fd=month)
            return True
        return False

    def is_intact(self, name: str) -> bool:
        """Whether our file is there, and has the recorded bytes. Remembers the comparison."""
        own = self.state.files[name]
        try:
            with self._month_of(name) as (month, base):
                found = os.stat(base, dir_fd=month, follow_symlinks=False)
                if not stat.S_ISREG(found.st_mode) or found.st_size != own.size:
                    return False
                if found.st_mtime_ns == own.modified_ns:
                    return True
                flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC
                with os.fdopen(os.open(base, flags, dir_fd=month), "rb") as file:
                    is_same = hashlib.file_digest(file, "sha256").hexdigest() == own.sha256
        except OSError:
            return False
        if is_same:
            self.state.files[name] = replace(own, modified_ns=found.st_mtime_ns)
        return is_same

    def remove(self, name: str) -> None:
        """Delete one of our files, and its folder if nothing else is in it.

        Raises:
            PathOccupied: A folder has its name, or its folder was replaced by a link.
            FolderUnwritable: It cannot be deleted.
            ValueError: The file is not one of ours.
        """
        if not self.is_ours(name):
            raise ValueError(f"not our file: {name}")
        try:
            with suppress(FileNotFoundError), self._month_of(name) as (month, base):
                os.unlink(base, dir_fd=month)
        except (IsADirectoryError, PermissionError) as error:
            if isinstance(error, IsADirectoryError) or (self.root / name).is_dir():
                raise PathOccupied(f"{name} is a folder") from error
            raise FolderUnwritable(f"{name} cannot be deleted: {error.strerror}.") from error
        except OSError as error:
            raise FolderUnwritable(f"{name} cannot be deleted: {error.strerror}.") from error
        with suppress(OSError):  # other files are in it
            os.rmdir(name.partition("/")[0], dir_fd=self._descriptor)
        with suppress(FileNotFoundError):
            self.partial(name).unlink()
        del self.state.files[name]

    def partial(self, name: str) -> Path:
        """Where a download is until it is complete."""
        return self.root / MARKER / "partial" / name.partition("/")[2]

    def place(self, file: ListedFile) -> None:
        """Move a complete download to its place.

        Raises:
            PathOccupied: A folder has its name, or its folder was replaced by a link.
            FolderUnwritable: It cannot be moved.
            ValueError: The name is not one of our files.
        """
        if not self.is_ours(file.name):
            raise ValueError(f"not our file: {file.name}")
        partial = self.partial(file.name)
        try:
            with suppress(FileExistsError):
                os.mkdir(file.name.partition("/")[0], 0o755, dir_fd=self._descriptor)
            partial.chmod(0o644)
            with self._month_of(file.name) as (month, base):
                os.rename(partial, base, dst_dir_fd=month)
                os.fsync(month)
                modified_ns = os.lstat(base, dir_fd=month).st_mtime_ns
        except IsADirectoryError as error:
            raise PathOccupied(f"{file.name} is a folder") from error
        except OSError as error:
            raise FolderUnwritable(f"{file.name} cannot be written: {error.strerror}.") from error
        own = self.state.files[file.name]
        self.state.files[file.name] = replace(own, modified_ns=modified_ns)

    def remove_partials(self, keep: set[str]) -> None:
        """Delete unfinished downloads of files that are not in ``keep``.

        Raises:
            FolderUnwritable: One cannot be deleted.
        """
        kept = {self.partial(name).name for name in keep}
        try:
            for path in (self.root / MARKER / "partial").iterdir():
                if path.name not in kept:
                    path.unlink()
        except OSError as error:
            raise FolderUnwritable(f"Downloads cannot be deleted: {error.strerror}.") from error

    @contextmanager
    def _month_of(self, name: str) -> Iterator[tuple[int, str]]:
        """Descriptor of the file's folder, and the file's name in it.

        Raises:
            PathOccupied: The folder is a link or a file.
            FileNotFoundError: There is no such folder.
        """
        folder, _, base = name.partition("/")
        try:
            month = os.open(folder, _FOLDER_FLAGS, dir_fd=self._descriptor)
        except FileNotFoundError:
            raise
        except OSError as error:
            raise PathOccupied(f"{folder} is no ordinary folder") from error
        try:
            yield month, base
        finally:
            os.close(month)

    def _write_atomically(self, path: Path, data: bytes, mode: int) -> None:
        fresh = self.root / MARKER / "new"
        try:
            flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
            with os.fdopen(os.open(fresh, flags, 0o600), "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            fresh.chmod(mode)
            fresh.replace(path)
        except OSError as error:
            message = f"{path.name} cannot be written: {error.strerror}."
            raise FolderUnwritable(message) from error


@contextmanager
def open_folder(root: Path, feed: str) -> Iterator[PulledFolder]:
    """Open and lock the folder; a new or empty one is marked as ours.

    Args:
        root: The folder. It is created if it is missing.
        feed: Address of the feed.

    Raises:
        FolderRefused: It holds files and is not marked, or was filled from another feed.
        FolderBusy: Another run is at work in it.
        FolderUnwritable: It cannot be written.
    """
    marker = root / MARKER
    try:
        root.mkdir(parents=True, exist_ok=True)
        is_marked = stat.S_ISDIR(marker.lstat().st_mode) if os.path.lexists(marker) else False
        if not is_marked and any(root.iterdir()):
            raise FolderRefused(f"{root} holds files that consent-gate-pull did not write.")
        (marker / "partial").mkdir(mode=0o700, parents=True, exist_ok=True)
        marker.chmod(0o700)
        descriptor = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise FolderUnwritable(f"{root} cannot be used: {error.strerror}.") from error
    try:
        with _locked(marker / "lock", root):
            folder = PulledFolder(root, load_state(root, feed), descriptor)
            if not (marker / "state.json").exists():  # else a full disk would keep us from removing
                folder.save()
            yield folder
    finally:
        os.close(descriptor)


@contextmanager
def _locked(path: Path, root: Path) -> Iterator[None]:
    with path.open("wb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise FolderBusy(f"Another consent-gate-pull is at work in {root}.") from error
        yield
