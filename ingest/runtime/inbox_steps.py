"""Scan the inbox when that is due, and claim complete files a few at a time.

These are steps of the main loop (``ingest.runtime.runner``). A fault of the inbox or of the disk
pauses only these steps: photos in the vault are still examined, and withdrawn pictures are removed.
"""

from __future__ import annotations

import time
from collections import deque
from threading import Event

from consent_gate.db import jobs
from consent_gate.db.models import Priority
from consent_gate.errors import StorageFull
from consent_gate.home.home import Home
from ingest.inbox.scanner import InboxUnavailable
from ingest.inbox.stability import PendingFile
from ingest.inbox.watcher import Watcher
from ingest.intake import Intake
from ingest.scheduling.queue import pending_items

SCAN_INTERVAL_WITH_EVENTS, SCAN_INTERVAL_WITHOUT_EVENTS, SCAN_DELAY_AFTER_HINT = 60.0, 5.0, 1.0
"""Seconds between two scans of the inbox."""

MAX_SHARE_SCANNING = 0.005
"""The most share of time spent on scans: an idle gate uses less than 1 % of a processor."""

MAX_SHARE_AFTER_HINTS = 0.05
"""The same share while photos arrive."""

MAX_HINTS = 10_000
"""The most files with an event that are remembered between two scans."""

MAX_UNEXAMINED = 200
"""Photos of an archive stay in the inbox while this many wait in the vault for examination."""

CLAIM_BATCH = 20
"""Files claimed in one turn; results are recorded and released between two turns."""


class InboxSteps:
    """The inbox as the main loop sees it."""

    def __init__(self, home: Home, stop: Event, fault_pause: float) -> None:
        """``fault_pause``: seconds without claims after the disk was full."""
        self._home = home
        self._stop = stop
        self._fault_pause = fault_pause
        self._changed_files: deque[str] = deque()
        self._watcher = Watcher(home.inbox, home.settings.inbox.watch, self._on_event)
        self._intake: Intake | None = None
        self._inbox_unavailable = self._disk_full = ""
        self._next_scan = self._earliest_scan = self._disk_full_until = 0.0

    @property
    def watch_status(self) -> str:
        """How the inbox is watched, for the heartbeat."""
        return self._watcher.status

    @property
    def fault(self) -> str:
        """Why files cannot be claimed at present, for staff; empty without a fault."""
        return self._inbox_unavailable or self._disk_full

    def close(self) -> None:
        """Stop watching the inbox."""
        self._watcher.close()

    def pending_files(self) -> list[PendingFile]:
        """Files in the inbox that cannot be claimed yet."""
        return self._intake.pending_files() if self._intake else []

    def pause_claims(self, error: StorageFull) -> None:
        """Claim no file for a while, because the disk is full or the store does not answer."""
        self._disk_full, self._disk_full_until = str(error), time.monotonic() + self._fault_pause

    def scan_and_claim(self) -> int:
        """Scan the inbox if that is due, and claim complete files. Returns how many are new
        items."""
        if self._watcher.ensure_watching():
            self._next_scan = 0.0
        intake = self._open_intake()
        for source in self._drain_changed_files():
            intake.touch(source)
        now = time.monotonic()
        try:
            if now >= self._next_scan:
                self._scan(intake)
                self._inbox_unavailable = ""
            if self._inbox_unavailable or now < self._disk_full_until or intake.next_due() != 0:
                return 0
            capacity = self._claim_limit() - pending_items(Priority.LIVE).count()
            claimed = intake.claim_due(CLAIM_BATCH, capacity, self._stop.is_set).new
            self._disk_full = ""
        except InboxUnavailable as error:
            self._inbox_unavailable = str(error)
            self._next_scan = now + SCAN_INTERVAL_WITHOUT_EVENTS
            return 0
        except StorageFull as error:
            self.pause_claims(error)
            return 0
        return claimed

    def _claim_limit(self) -> int:
        """How many photos may wait in the vault: more where several worker machines need work."""
        is_remote = jobs.uses_remote_workers(self._home)
        return MAX_UNEXAMINED * max(1, jobs.live_workers()) if is_remote else MAX_UNEXAMINED

    def _scan(self, intake: Intake) -> None:
        started = time.monotonic()
        self._earliest_scan = started + SCAN_DELAY_AFTER_HINT
        intake.scan()
        now = time.monotonic()
        pause = (
            SCAN_INTERVAL_WITH_EVENTS if self._watcher.has_events else SCAN_INTERVAL_WITHOUT_EVENTS
        )
        self._next_scan = now + max(pause, (now - started) / MAX_SHARE_SCANNING)
        self._earliest_scan = now + max(
            SCAN_DELAY_AFTER_HINT, (now - started) / MAX_SHARE_AFTER_HINTS
        )

    def _open_intake(self) -> Intake:
        if self._intake is None:
            patience = self._home.settings.inbox.patience_minutes * 60
            self._intake = Intake(self._home, patience)
        return self._intake

    def _on_event(self, source: str) -> None:
        """Record an event; called by the watcher's thread. Events above ``MAX_HINTS`` are
        dropped."""
        if len(self._changed_files) < MAX_HINTS:
            self._changed_files.append(source)

    def _drain_changed_files(self) -> set[str]:
        """The files with an event since the last call; also moves the next scan forward."""
        changed = {self._changed_files.popleft() for _ in range(len(self._changed_files))}
        if changed:
            self._next_scan = min(self._next_scan, self._earliest_scan)
        return changed
