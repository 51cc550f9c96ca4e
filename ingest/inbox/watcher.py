"""Hints that something happened in the inbox. A hint only makes the next look come sooner.

The truth is the look itself (``ingest.inbox.scanner``), which comes anyway: file systems lose
events, network shares send none (watchdog #409, paperless-ngx #1975), and watching ends silently
when a share goes away (watchdog #1065). So this can fail in any way without a photo being lost.
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
from consent_gate.home.settings import WatchMode

log = logging.getLogger("consent_gate")

RELEVANT_EVENTS: list[type[FileSystemEvent]] = [
    *(FileCreatedEvent, FileModifiedEvent, FileMovedEvent, FileClosedEvent),
    *(DirCreatedEvent, DirMovedEvent),
]
"""Not opening and reading: the gate does that itself and would wake itself for ever."""

EVENTS = "New photos are noticed at once, and the folder is looked through every minute."
BY_SETTING = "The folder is looked through every few seconds, as the settings say."
ON_A_SHARE = (
    "The inbox is on a share, which does not tell of new files: "
    "the folder is looked through every few seconds."
)
TOO_MANY_FOLDERS = (
    "This computer watches too many folders already (limit {limit}): the folder is looked through "
    "every few seconds instead. To raise the limit, set fs.inotify.max_user_watches in "
    "/etc/sysctl.d and restart the gate."
)
TOO_MANY_WATCHERS = (
    "Too many programs of this account watch folders already (limit {limit}): the folder is "
    "looked through every few seconds instead. To raise the limit, set "
    "fs.inotify.max_user_instances in /etc/sysctl.d and restart the gate."
)
NOT_POSSIBLE = "This folder cannot be watched ({why}): it is looked through every few seconds."
AWAY = "The inbox is not there. The gate goes on by itself when it is back."

Hint = Callable[[str], None]
"""Called from another thread with a file's path below the inbox."""


class Watcher:
    """Watches one folder where that is possible, again and again where it ends."""

    def __init__(self, inbox: Path, wanted: WatchMode, hint: Hint) -> None:
        self._inbox = inbox
        self._wanted = wanted
        self._hint = hint
        self._observer: BaseObserver | None = None
        self._folder: tuple[int, int] | None = None
        self.status = ""
        """How photos are noticed, for the status page."""

    @property
    def has_events(self) -> bool:
        """Whether hints come; without them the inbox has to be looked through more often."""
        return self._observer is not None

    def keep_watching(self) -> bool:
        """Begin, or begin again where the share came back or the watching ended. Never raises.

        True when that changed anything: it is time for a look.
        """
        folder = _identity(self._inbox)
        if folder is not None and folder == self._folder and self._is_alive():
            return False
        self.close()
        if folder is None:
            return self._set_status(AWAY)
        self._folder = folder
        self._set_status(self._begin())
        return True

    def close(self) -> None:
        """End watching."""
        observer, self._observer, self._folder = self._observer, None, None
        if observer is not None and observer.is_alive():
            observer.stop()
            observer.join(timeout=5)

    def _is_alive(self) -> bool:
        """True where nothing is watched on purpose, or every thread of the watching lives."""
        if self._observer is None:
            return True
        return self._observer.is_alive() and all(e.is_alive() for e in self._observer.emitters)

    def _begin(self) -> str:
        """Start where that makes sense. What to tell of it."""
        if self._wanted == "polling":
            return BY_SETTING
        if self._wanted == "auto" and is_shared(self._inbox):
            return ON_A_SHARE
        observer = Observer()
        handler = _Handler(self._inbox, self._hint)
        try:
            observer.schedule(
                handler, os.fspath(self._inbox), recursive=True, event_filter=RELEVANT_EVENTS
            )
            observer.start()
        except OSError as error:
            observer.unschedule_all()
            return why_not_watched(error)
        self._observer = observer
        return EVENTS

    def _set_status(self, status: str) -> bool:
        if status == self.status:
            return False
        log.info("%s", status)
        self.status = status
        return True


def why_not_watched(error: OSError) -> str:
    """An error of inotify in words (inotify_add_watch(2), inotify_init(2))."""
    if error.errno == errno.ENOSPC:
        return TOO_MANY_FOLDERS.format(limit=_limit("max_user_watches"))
    if error.errno == errno.EMFILE:
        return TOO_MANY_WATCHERS.format(limit=_limit("max_user_instances"))
    return NOT_POSSIBLE.format(why=os.strerror(error.errno or 0))


class _Handler(FileSystemEventHandler):
    def __init__(self, inbox: Path, hint: Hint) -> None:
        self._below = os.fspath(inbox) + "/"
        self._hint = hint

    def on_any_event(self, event: FileSystemEvent) -> None:
        for path in (os.fsdecode(event.src_path), os.fsdecode(event.dest_path)):
            if path:
                self._hint(path.removeprefix(self._below))


def _identity(folder: Path) -> tuple[int, int] | None:
    """Which folder it is: another one is under the same name when a share was mounted again."""
    try:
        facts = folder.stat()
    except OSError:
        return None
    return facts.st_dev, facts.st_ino


def _limit(name: str) -> str:
    try:
        return Path("/proc/sys/fs/inotify", name).read_text().strip()
    except OSError:
        return "not known"
