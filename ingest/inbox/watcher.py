"""Receive file system events of the inbox, so that the next scan starts sooner.

No photo depends on an event: ``ingest.inbox.scanner`` scans the inbox regularly anyway. File
systems drop events, network shares send none (watchdog #409, paperless-ngx #1975), and watching
ends silently when a share is disconnected (watchdog #1065).
"""

from __future__ import annotations

import errno
import logging
import os
from collections.abc import Callable
from pathlib import Path

from watchdog.events import (
    DirCreatedEvent,
    DirMovedEvent,
    FileClosedEvent,
    FileCreatedEvent,
    FileModifiedEvent,
    FileMovedEvent,
    FileSystemEvent,
    FileSystemEventHandler,
)
from watchdog.observers import Observer
from watchdog.observers.api import BaseObserver

from consent_gate.home.filesystem import is_shared
from consent_gate.home.settings_machine import WatchMode

log = logging.getLogger("consent_gate")

RELEVANT_EVENTS: list[type[FileSystemEvent]] = [
    *(FileCreatedEvent, FileModifiedEvent, FileMovedEvent, FileClosedEvent),
    *(DirCreatedEvent, DirMovedEvent),
]
"""Without opening and reading: the gate does both, and its own events would wake it for ever."""

WATCHED = "New photos are noticed at once, and the folder is checked every minute."
POLLED_BY_SETTING = "The folder is checked every few seconds, as set in the settings."
POLLED_ON_SHARE = (
    "The inbox is on a network share, which does not report new files: "
    "the folder is checked every few seconds."
)
TOO_MANY_FOLDERS = (
    "This computer already watches too many folders (limit {limit}): the folder is checked "
    "every few seconds instead. To raise the limit, set fs.inotify.max_user_watches in "
    "/etc/sysctl.d and restart the gate."
)
TOO_MANY_WATCHERS = (
    "Too many programs of this account already watch folders (limit {limit}): the folder is "
    "checked every few seconds instead. To raise the limit, set "
    "fs.inotify.max_user_instances in /etc/sysctl.d and restart the gate."
)
CANNOT_WATCH = "This folder cannot be watched ({error}): it is checked every few seconds instead."
INBOX_MISSING = (
    "The inbox is missing. Reconnect its folder or share; the gate then continues by itself."
)

Hint = Callable[[str], None]
"""Called in another thread with the path below the inbox of a file that changed."""


class Watcher:
    """Watches one folder where that is possible, and starts again when watching has ended."""

    def __init__(self, inbox: Path, mode: WatchMode, hint: Hint) -> None:
        self._inbox = inbox
        self._mode = mode
        self._hint = hint
        self._observer: BaseObserver | None = None
        self._folder: tuple[int, int] | None = None
        self.status = ""
        """How the gate notices photos: a message for the status page."""

    @property
    def has_events(self) -> bool:
        """Whether events arrive; without them the inbox must be scanned more often."""
        return self._observer is not None

    def ensure_watching(self) -> bool:
        """Start watching, or start again after the share was reconnected or watching ended.

        Never raises. Returns True when anything changed; the caller should then scan the inbox.
        """
        folder = _identity(self._inbox)
        if folder is not None and folder == self._folder and self._is_alive():
            return False
        self.close()
        if folder is None:
            return self._set_status(INBOX_MISSING)
        self._folder = folder
        self._set_status(self._start())
        return True

    def close(self) -> None:
        """Stop watching."""
        observer, self._observer, self._folder = self._observer, None, None
        if observer is not None and observer.is_alive():
            observer.stop()
            observer.join(timeout=5)

    def _is_alive(self) -> bool:
        """True where the folder is polled on purpose, or every thread of the observer is alive."""
        if self._observer is None:
            return True
        return self._observer.is_alive() and all(e.is_alive() for e in self._observer.emitters)

    def _start(self) -> str:
        """Start the observer where events can be expected; return the message for the status."""
        if self._mode == "polling":
            return POLLED_BY_SETTING
        if self._mode == "auto" and is_shared(self._inbox):
            return POLLED_ON_SHARE
        observer = Observer()
        handler = _Handler(self._inbox, self._hint)
        try:
            observer.schedule(
                handler, os.fspath(self._inbox), recursive=True, event_filter=RELEVANT_EVENTS
            )
            observer.start()
        except OSError as error:
            observer.unschedule_all()
            return watch_error_message(error)
        self._observer = observer
        return WATCHED

    def _set_status(self, status: str) -> bool:
        if status == self.status:
            return False
        log.info("%s", status)
        self.status = status
        return True


def watch_error_message(error: OSError) -> str:
    """The message for an error of inotify (inotify_add_watch(2), inotify_init(2))."""
    if error.errno == errno.ENOSPC:
        return TOO_MANY_FOLDERS.format(limit=_limit("max_user_watches"))
    if error.errno == errno.EMFILE:
        return TOO_MANY_WATCHERS.format(limit=_limit("max_user_instances"))
    return CANNOT_WATCH.format(error=os.strerror(error.errno or 0))


class _Handler(FileSystemEventHandler):
    def __init__(self, inbox: Path, hint: Hint) -> None:
        self._below = os.fspath(inbox) + "/"
        self._hint = hint

    def on_any_event(self, event: FileSystemEvent) -> None:
        for path in (os.fsdecode(event.src_path), os.fsdecode(event.dest_path)):
            if path:
                self._hint(path.removeprefix(self._below))


def _identity(folder: Path) -> tuple[int, int] | None:
    """Device and inode, which change when a share is mounted again; None where it is missing."""
    try:
        info = folder.stat()
    except OSError:
        return None
    return info.st_dev, info.st_ino


def _limit(name: str) -> str:
    try:
        return Path("/proc/sys/fs/inotify", name).read_text().strip()
    except OSError:
        return "unknown"
