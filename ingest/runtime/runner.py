"""The gate that keeps running: watch the inbox, examine, release, take back, for a year.

One thread does everything in turns, so that no two steps can disagree; examining is done by the
workers meanwhile. Whatever goes wrong is told in the sign of life and tried again. Only a damaged
database ends the program: going on could make it worse.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, ExitStack
from threading import Event, Thread

from django.db import close_old_connections
from django.db.utils import DatabaseError

from consent_gate.db import audit_log, jobs
from consent_gate.db.models import Priority
from consent_gate.decisions.lookalikes import gallery_to_match
from consent_gate.errors import StorageFull
from consent_gate.home.home import Home
from consent_gate.matching.gallery import Gallery
from consent_gate.register.gallery_version import GalleryStamp, gallery_stamp
from ingest.inbox.scanner import InboxAway
from ingest.inbox.watcher import Watcher
from ingest.intake import Intake
from ingest.pipeline import ExaminationRunner, Examinations, GalleryChanged, take_back_lapsed
from ingest.runtime.dispatcher import HandedOut, nobody_here
from ingest.runtime.faults import DatabaseDamaged, check_database, explain
from ingest.runtime.heartbeat import Heartbeat, beat, waiting_files
from ingest.runtime.periodic import Chore, Pool, Turn
from ingest.scheduling.lock import at_work
from ingest.scheduling.queue import waiting
from ingest.workers.analysis_pool import AnalysisPool
from publish.release import publish_pending

log = logging.getLogger("consent_gate")

SECONDS_AFTER_A_FAULT = 30.0
SECONDS_BETWEEN_BEATS = 20.0
SECONDS_BETWEEN_GALLERY_CHECKS = 10.0
SECONDS_BETWEEN_FILLING = 3.0
SECONDS_BETWEEN_PUBLISHING = 1.0
SECONDS_UNTIL_PUBLISHING_AGAIN = 30.0
"""With nothing to publish: a folder that was away may be back."""

LOOK_WITH_EVENTS, LOOK_WITHOUT_EVENTS, LOOK_AFTER_A_HINT = 60.0, 5.0, 1.0
"""Seconds between two looks through the inbox."""

SHARE_OF_TIME_LOOKING = 0.005
"""Looking through a large inbox may take no more of the time: idle, the gate uses under 1 %."""

SHARE_AFTER_HINTS = 0.05
"""The same while photos arrive."""

MOST_HINTS = 10_000

TAKEN_AHEAD = 200
"""Photos in the vault waiting for examination above which an archive waits in the inbox."""

TAKEN_AT_A_TIME = 20
"""Between two such handfuls results are recorded and released."""

REACTS_WITHIN = 1.0
"""Seconds until a wish to stop is noticed."""


OpenPool = Callable[[Home, Gallery], AbstractContextManager[Pool | None]]
"""None where worker machines do the work: ``ingest.runtime.dispatcher``."""


def keep_running(
    home: Home, stop: Event, chores: Iterable[Chore] = (), open_pool: OpenPool | None = None
) -> None:
    """Work until told to stop. A fault is told and tried again; it never ends in a release.

    Photos are examined by a pool of this machine's, or by worker machines: the settings say.

    Raises DatabaseDamaged, and any GateError that keeps it from starting at all.
    """
    check_database()
    opened = open_pool or (nobody_here if jobs.hands_out(home) else AnalysisPool)
    with ExitStack() as stack:
        try:
            stack.enter_context(at_work(home))
        except (OSError, DatabaseError) as error:
            raise explain(error) or error from error
        gate = _Gate(home, stop, [Turn(chore) for chore in chores])
        stack.callback(gate.close)
        while not stop.is_set():
            gate.work_for_a_while(opened)


class _Gate:
    """What outlives a set of workers: the watching and what is known of the inbox."""

    def __init__(self, home: Home, stop: Event, turns: list[Turn]) -> None:
        self._home = home
        self._stop = stop
        self._turns = turns
        self._wake = Event()
        self._hinted: deque[str] = deque()
        self._watcher = Watcher(home.inbox, home.settings.inbox.watch, self._hint)
        self._intake: Intake | None = None
        self._trouble = ""
        self._away = self._full = ""
        self._next_look = self._soonest = self._full_until = 0.0
        self._next_beat = self._next_publishing = self._next_filling = 0.0

    def close(self) -> None:
        self._watcher.close()

    def work_for_a_while(self, open_pool: OpenPool) -> None:
        """Work with one set of workers, until their templates change or something goes wrong."""
        try:
            close_old_connections()
            take_back_lapsed(self._home)
            self._with_a_pool(open_pool)
            self._trouble = ""
        except Exception as error:  # noqa: BLE001  told, and tried again
            if self._stop.is_set():
                return
            self._tell_of(error)
            self._wait_out_the_fault()

    def _tell_of(self, error: Exception) -> None:
        """Say what is wrong. Raises DatabaseDamaged."""
        known = explain(error)
        if isinstance(known, DatabaseDamaged):
            beat(self._home, self._sign(0, str(known)))
            raise known from error
        if known is None:
            log.exception("The gate stumbled and starts again in a moment.")
            self._trouble = "Something went wrong that is not known; the log says more."
        else:
            log.error("%s", known)
            self._trouble = str(known)

    def _wait_out_the_fault(self) -> None:
        beat(self._home, self._sign(0, self._trouble))
        try:
            self._do_chores(None)  # none of them waits for photos to be examined again
        except Exception as error:  # noqa: BLE001  of a damaged database
            self._tell_of(error)
        self._stop.wait(SECONDS_AFTER_A_FAULT)

    def _do_chores(self, pool: Pool | None) -> None:
        for turn in self._turns:
            turn.take(self._home, pool)

    def _with_a_pool(self, open_pool: OpenPool) -> None:
        gallery, stamp = gallery_to_match(self._home)
        with open_pool(self._home, gallery) as pool:
            # A picture being made is waited for: only another thread can cut that short.
            over = Event()
            Thread(target=self._dismiss_when_stopped, args=(pool, over), daemon=True).start()
            examinations: ExaminationRunner = HandedOut(self._home)
            if pool is not None:
                examinations = Examinations(self._home, pool, stamp, self._wake)
            try:
                self._next_publishing = 0.0
                self._turn_until_changed(pool, examinations, stamp)
            except GalleryChanged:
                return
            finally:
                over.set()
                examinations.give_back()

    def _dismiss_when_stopped(self, pool: Pool | None, over: Event) -> None:
        while pool is not None and not over.wait(REACTS_WITHIN):
            if self._stop.is_set():
                pool.dismiss()
                return

    def _turn_until_changed(
        self, pool: Pool | None, examinations: ExaminationRunner, stamp: GalleryStamp
    ) -> None:
        next_check = 0.0
        while not self._stop.is_set():
            if time.monotonic() >= next_check:
                if gallery_stamp(self._home) != stamp:
                    return
                next_check = time.monotonic() + SECONDS_BETWEEN_GALLERY_CHECKS
            if not self._turn(pool, examinations):
                self._wake.wait(REACTS_WITHIN)
            self._wake.clear()

    def _turn(self, pool: Pool | None, examinations: ExaminationRunner) -> bool:
        """Everything once, each only if it is due. False when there is nothing to do just now."""
        taken = self._look_and_take()
        decided = examinations.collect()
        self._begin_examinations(examinations, taken=taken > 0, decided=decided > 0)
        self._publish_if_due(pool, examinations, decided)
        self._do_chores(pool)
        self._beat_if_due()
        return taken > 0

    def _begin_examinations(
        self, examinations: ExaminationRunner, *, taken: bool, decided: bool
    ) -> None:
        """Hand out work; now and then anyway, as staff and imports have photos looked at again."""
        now = time.monotonic()
        if taken:
            examinations.plan_again()
        if taken or decided or now >= self._next_filling:
            self._next_filling = now + SECONDS_BETWEEN_FILLING
            try:
                examinations.fill()
            except StorageFull as error:  # what was withdrawn still goes
                self._full, self._full_until = str(error), now + SECONDS_AFTER_A_FAULT
                self._next_filling = self._full_until

    def _publish_if_due(
        self, pool: Pool | None, examinations: ExaminationRunner, decided: int
    ) -> None:
        now = time.monotonic()
        if decided:
            self._next_publishing = min(self._next_publishing, now + SECONDS_BETWEEN_PUBLISHING)
        if now < self._next_publishing:
            return
        publish_pending(self._home, pool)
        if len(examinations) == 0:
            audit_log.save_anchor(self._home)
        self._next_publishing = time.monotonic() + SECONDS_UNTIL_PUBLISHING_AGAIN

    def _beat_if_due(self) -> None:
        if time.monotonic() >= self._next_beat:
            self._next_beat = time.monotonic() + SECONDS_BETWEEN_BEATS
            beat(self._home, self._sign(waiting().count(), self._away or self._full))

    def _look_and_take(self) -> int:
        """Look through the inbox if it is time, and take what is ready. Returns how many."""
        if self._watcher.keep_watching():
            self._next_look = 0.0
        intake = self._known_inbox()
        for source in self._hints():
            intake.stir(source)
        now = time.monotonic()
        try:
            if now >= self._next_look:
                self._look(intake)
                self._away = ""
            if self._away or now < self._full_until or intake.next_due() != 0:
                return 0
            room = self._taken_ahead() - waiting(Priority.LIVE).count()
            taken = intake.take(TAKEN_AT_A_TIME, room, self._stop.is_set).new
            self._full = ""
        except InboxAway as error:
            self._away, self._next_look = str(error), now + LOOK_WITHOUT_EVENTS
            return 0
        except StorageFull as error:
            # What is in the vault is still examined, and above all what was withdrawn goes.
            self._full, self._full_until = str(error), now + SECONDS_AFTER_A_FAULT
            return 0
        return taken

    def _taken_ahead(self) -> int:
        """Enough for every worker machine to have something to do."""
        hands_out = jobs.hands_out(self._home)
        return TAKEN_AHEAD * max(1, jobs.machines()) if hands_out else TAKEN_AHEAD

    def _look(self, intake: Intake) -> None:
        started = time.monotonic()
        self._soonest = started + LOOK_AFTER_A_HINT
        intake.look()
        now = time.monotonic()
        pause = LOOK_WITH_EVENTS if self._watcher.has_events else LOOK_WITHOUT_EVENTS
        self._next_look = now + max(pause, (now - started) / SHARE_OF_TIME_LOOKING)
        self._soonest = now + max(LOOK_AFTER_A_HINT, (now - started) / SHARE_AFTER_HINTS)

    def _known_inbox(self) -> Intake:
        if self._intake is None:
            patience = self._home.settings.inbox.patience_minutes * 60
            self._intake = Intake(self._home, patience)
        return self._intake

    def _hint(self, source: str) -> None:
        """Called by the watching thread. More than can be remembered are as good as one."""
        if len(self._hinted) < MOST_HINTS:
            self._hinted.append(source)

    def _hints(self) -> set[str]:
        """What happened since the last turn; the next look comes the sooner for it."""
        hinted = {self._hinted.popleft() for _ in range(len(self._hinted))}
        if hinted:
            self._next_look = min(self._next_look, self._soonest)
        return hinted

    def _sign(self, waits: int, trouble: str) -> Heartbeat:
        now = self._home.now()
        files = self._intake.waiting() if self._intake else []
        return Heartbeat(
            at=now.isoformat(timespec="seconds"),
            watching=self._watcher.words,
            trouble=trouble,
            waiting=waits,
            files_waiting=len(files),
            files=waiting_files(now, files),
        )
