"""Screening an archive: what would the gate say of each picture? Nothing is taken in or released.

Rows are the progress: whoever stops the program and starts it again goes on where it was. A
picture is looked at again when it changed, or when consent, templates or thresholds did. Only
verdicts are kept, neither evidence nor names.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from consent_gate.db.models import Archive, ImportRun, ScreenedPicture, Template, ThresholdSet
from consent_gate.decisions.rules import rules_in_force
from consent_gate.home.filesystem import replace_with
from consent_gate.home.home import Home
from consent_gate.model import DeviceRule, Evidence, Examined, Hold
from consent_gate.policy import decide
from consent_gate.register.repository import load_gallery, load_register
from ingest.archive.sources import ArchiveFile, ArchiveSource, in_shard
from ingest.inbox.claim import ARCHIVES
from ingest.pipeline import IN_FLIGHT_PER_WORKER, TOO_LARGE, Analysis, OpenPool
from ingest.workers.analysis_pool import AnalysisPool, examination_result
from ingest.workers.in_flight import InFlight, completed_future
from ingest.workers.worker import Examination, examine, not_examined

CHECK_INTERVAL = 10.0
"""How soon a withdrawn template leaves the workers' memory."""

Progress = Callable[[int], None]
"""Called with how many pictures of this look are done."""


@dataclass(frozen=True)
class ScreeningOptions:
    """What the person who started it asked for."""

    shard: str = ""
    """``2/4``: this machine does the second of four shares."""
    only_new: bool = False
    """Leave out what an earlier look has judged and what has not changed since."""
    at_most_a_minute: float = 0
    """Pictures begun in a minute; 0: as many as can be."""
    take_in: str = ""
    """Name of the folder in the inbox into which every picture is copied; empty: none is."""


@dataclass(frozen=True)
class ScreeningRun:
    """What one look came to."""

    archive: Archive
    examined: int
    unchanged: int
    """Judged before, by the same list."""


def screen_archive(
    home: Home,
    source: ArchiveSource,
    options: ScreeningOptions,
    progress: Progress,
    open_pool: OpenPool = AnalysisPool,
) -> ScreeningRun:
    """Look through the archive, or go on with a look that was stopped. Raises
    ArchiveUnavailable."""
    archive = _begin(source.location, options)
    examined = 0
    while True:
        with open_pool(home, load_gallery(home)) as pool:
            screening = _Screening(home, pool, source, archive, options)
            unchanged = 0
            try:
                for done in screening.run():
                    examined += done
                    unchanged += not done
                    progress(examined + unchanged)
                break
            except _StaleRegister:
                examined = 0
    archive.pictures.exclude(run=archive.run).delete()  # they are not there any more
    archive.finished_at = home.now()
    archive.save()
    return ScreeningRun(archive, examined, unchanged)


def _begin(location: str, options: ScreeningOptions) -> Archive:
    archive, _ = Archive.objects.get_or_create(location=location, shard=options.shard)
    if archive.finished_at is not None or archive.run == 0:
        archive.run += 1
        archive.finished_at = None
        archive.save()
    return archive


class _StaleRegister(Exception):
    """Templates in the workers' hands may be withdrawn ones: begin again with today's."""


class _Screening:
    """One look: never more under way than keeps the workers busy."""

    def __init__(
        self,
        home: Home,
        pool: Analysis,
        source: ArchiveSource,
        archive: Archive,
        options: ScreeningOptions,
    ) -> None:
        self._home = home
        self._pool = pool
        self._source = source
        self._archive = archive
        self._wishes = options
        self._register = load_register(home.now().date())
        # A website's pictures tell of no camera; that says nothing of who is shown.
        self._rules = replace(rules_in_force(home), devices=DeviceRule.OFF)
        self._judged_by = ruleset_digest()
        self._running = InFlight[tuple[ArchiveFile, bytes], Examination](
            IN_FLIGHT_PER_WORKER * pool.size
        )
        self._next_start = 0.0
        self._next_check = time.monotonic() + CHECK_INTERVAL

    def run(self) -> Iterator[bool]:
        """True for each picture examined, False for each that needed none.

        Raises ArchiveUnavailable and _ConsentChanged.
        """
        for stored in self._source.files():
            self._refuse_old_templates()
            if not in_shard(self._wishes.shard, stored.path):
                continue
            if self._is_current(stored):
                yield False
                continue
            while self._running.capacity <= 0:
                yield from self._collect()
            self._wait_for_idle_gate()
            self._start(stored)
        while len(self._running) > 0:
            yield from self._collect()

    def _is_current(self, stored: ArchiveFile) -> bool:
        """Whether what an earlier look found still counts."""
        row = self._archive.pictures.filter(path=stored.path, mark=stored.mark).first()
        if row is None or row.ruleset != self._judged_by:
            return False
        if row.run != self._archive.run and not self._wishes.only_new:
            return False
        self._archive.pictures.filter(pk=row.pk).update(run=self._archive.run)
        return True

    def _refuse_old_templates(self) -> None:
        if time.monotonic() >= self._next_check:
            if ruleset_digest() != self._judged_by:
                raise _StaleRegister
            self._next_check = time.monotonic() + CHECK_INTERVAL

    def _wait_for_idle_gate(self) -> None:
        if self._wishes.at_most_a_minute:
            time.sleep(max(0.0, self._next_start - time.monotonic()))
            self._next_start = time.monotonic() + 60 / self._wishes.at_most_a_minute

    def _start(self, stored: ArchiveFile) -> None:
        data = b""
        if stored.size > self._home.settings.analysis.max_megabytes << 20:
            future = completed_future(not_examined(TOO_LARGE))
        else:
            try:
                data = self._source.read(stored)
                future = self._pool.submit(examine, data)
            except OSError:
                future = completed_future(not_examined("The file cannot be read."))
        self._running.add((stored, data), future)

    def _collect(self) -> Iterator[bool]:
        for (stored, data), future in self._running.wait_for_any():
            self._running.remove(future)
            evidence = examination_result(future).evidence
            if self._wishes.take_in and data:
                self._copy_into_inbox(stored, data)
            self._save_outcome(stored, evidence)
            yield True

    def _copy_into_inbox(self, stored: ArchiveFile, data: bytes) -> None:
        """Before the row is written: a crash between the two copies it once more, to the same."""
        root = (self._home.inbox / ARCHIVES / self._wishes.take_in).resolve()
        target = (root / stored.path.lstrip("/")).resolve()
        if not target.is_relative_to(root):
            return  # a bucket may hold any name
        target.parent.mkdir(parents=True, exist_ok=True)
        replace_with(target, data)

    def _save_outcome(self, stored: ArchiveFile, evidence: Evidence) -> None:
        verdicts = decide(evidence, self._register, self._rules, self._home.now())
        reasons = {
            name: [reason.value for reason in verdict.reasons] if isinstance(verdict, Hold) else []
            for name, verdict in verdicts.items()
        }
        ScreenedPicture.objects.update_or_create(
            archive=self._archive,
            path=stored.path,
            defaults={
                "mark": stored.mark,
                "run": self._archive.run,
                "ruleset": self._judged_by,
                "exported_on": self._register.exported_on,
                "faces": len(evidence.faces) if isinstance(evidence, Examined) else 0,
                "reasons": reasons,
            },
        )


def ruleset_digest() -> str:
    """Changes with the consent list, the templates and the thresholds."""
    facts = (
        ImportRun.objects.order_by("-pk").values_list("pk", flat=True).first(),
        Template.objects.order_by("-pk").values_list("pk", flat=True).first(),
        Template.objects.count(),
        ThresholdSet.objects.exclude(accepted_at=None).order_by("-accepted_at").first(),
    )
    return hashlib.sha256(repr(facts).encode()).hexdigest()
