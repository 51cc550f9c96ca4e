"""Screen an archive: judge every picture as the gate would, without claiming or releasing any.

The rows in the database record the progress, so a stopped screening continues where it was. A
picture is examined again when it changed, or when consent, templates or thresholds changed. Only
the verdicts are stored, neither evidence nor names.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial

from django.db.models import Max

from consent_gate.db.models import (
    Archive,
    EnrolmentPhoto,
    ImportRun,
    ScreenedPicture,
    Template,
    ThresholdSet,
)
from consent_gate.decisions.rules.rules_in_force import rules_in_force
from consent_gate.home.filesystem import atomic_file, sync_folder
from consent_gate.home.home import Home
from consent_gate.model import DeviceRule, Evidence, Examined, Hold
from consent_gate.policy import decide
from consent_gate.register.repository import load_gallery, load_register
from ingest.archive.sources import ArchiveFile, ArchiveSource, in_shard
from ingest.examinations import TOO_LARGE
from ingest.film.animation_walk import is_film
from ingest.film.formats import HEAD_BYTES
from ingest.inbox.claim import ARCHIVES
from ingest.pipeline import IN_FLIGHT_PER_WORKER, Analysis, OpenPool
from ingest.visible_names import evidence_of
from ingest.workers.analysis_pool import AnalysisPool, examination_result
from ingest.workers.examination import Examination, not_examined
from ingest.workers.in_flight import InFlight, completed_future
from ingest.workers.served_file import ServedFile
from ingest.workers.worker import examine, examine_film

CHECK_INTERVAL = 10.0
"""Seconds between two checks of the register, after which workers forget withdrawn templates."""

IN_PARTS_FROM = 32 << 20
"""Bytes from which a file is read in parts if it is a film."""

Progress = Callable[[int], None]
"""Called with the number of pictures done in this screening."""


@dataclass(frozen=True)
class ScreeningOptions:
    """The options of one screening."""

    shard: str = ""
    """``2/4``: this machine screens the second of four shares; empty: everything."""
    only_new: bool = False
    """Whether pictures that an earlier screening judged are skipped where nothing changed since."""
    max_per_minute: float = 0
    """The most pictures started per minute; 0: no limit."""
    inbox_folder: str = ""
    """Folder below ``inbox/archive`` into which every picture is copied; empty: no copies."""


@dataclass(frozen=True)
class ScreeningRun:
    """What one screening did."""

    archive: Archive
    examined: int
    unchanged: int
    """Pictures already judged by the same register, templates and thresholds."""


def screen_archive(
    home: Home,
    source: ArchiveSource,
    options: ScreeningOptions,
    progress: Progress,
    open_pool: OpenPool = AnalysisPool,
) -> ScreeningRun:
    """Screen the archive, or continue a screening that was stopped.

    Raises:
        ArchiveUnavailable: The folder or bucket cannot be read.
        WorkerPoolUnavailable: No worker can be started.
    """
    archive = _begin(source.location, options)
    examined = 0
    while True:
        ruleset = ruleset_digest()  # before the gallery: a change in between starts again
        with open_pool(home, load_gallery(home)) as pool:
            screening = _Screening(home, pool, source, archive, options, ruleset)
            unchanged = 0
            try:
                for done in screening.run():
                    examined += done
                    unchanged += not done
                    progress(examined + unchanged)
                break
            except _StaleRegister:
                examined = 0
    archive.pictures.exclude(run=archive.run).delete()  # pictures that are no longer in the archive
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
    """The register, templates or thresholds changed. Start again with those now in force."""


class _SourceUnreadable(Exception):
    """A film of the archive could be read before, and cannot be read now."""


class _Screening:
    """One screening with one pool."""

    def __init__(  # noqa: PLR0913, PLR0917  what one screening consists of
        self,
        home: Home,
        pool: Analysis,
        source: ArchiveSource,
        archive: Archive,
        options: ScreeningOptions,
        ruleset: str,
    ) -> None:
        self._home = home
        self._pool = pool
        self._source = source
        self._archive = archive
        self._options = options
        self._register = load_register(home.now().date())
        # Pictures of a website name no camera, which says nothing about who is shown.
        self._rules = replace(rules_in_force(home), devices=DeviceRule.OFF)
        self._ruleset = ruleset
        self._running = InFlight[tuple[ArchiveFile, bytes | None], Examination](
            IN_FLIGHT_PER_WORKER * pool.size
        )
        self._next_start = 0.0
        self._next_check = time.monotonic() + CHECK_INTERVAL

    def run(self) -> Iterator[bool]:
        """Yield True for each picture examined and False for each that is still current.

        Raises:
            ArchiveUnavailable: The folder or bucket cannot be read.
            _StaleRegister: The register, templates or thresholds changed.
        """
        for file in self._source.files():
            self._check_register()
            if not in_shard(self._options.shard, file.path):
                continue
            if self._is_current(file):
                yield False
                continue
            while self._running.capacity <= 0:
                yield from self._collect()
            self._wait_for_rate_limit()
            self._submit(file)
        while len(self._running) > 0:
            yield from self._collect()

    def _is_current(self, file: ArchiveFile) -> bool:
        """Whether the stored result is still valid; if so, the row is marked as seen in this
        run."""
        row = self._archive.pictures.filter(path=file.path, mark=file.mark).first()
        if row is None or row.ruleset != self._ruleset:
            return False
        if row.run != self._archive.run and not self._options.only_new:
            return False
        self._archive.pictures.filter(pk=row.pk).update(run=self._archive.run)
        return True

    def _check_register(self) -> None:
        if time.monotonic() >= self._next_check:
            if ruleset_digest() != self._ruleset:
                raise _StaleRegister
            self._next_check = time.monotonic() + CHECK_INTERVAL

    def _wait_for_rate_limit(self) -> None:
        if self._options.max_per_minute:
            time.sleep(max(0.0, self._next_start - time.monotonic()))
            self._next_start = time.monotonic() + 60 / self._options.max_per_minute

    def _submit(self, file: ArchiveFile) -> None:
        data: bytes | None
        try:
            data, future = self._start(file)
        except OSError:
            data, future = b"", completed_future(not_examined("The file cannot be read."))
        self._running.add((file, data), future)

    def _start(self, file: ArchiveFile) -> tuple[bytes | None, Future[Examination]]:
        """Start the examination of a picture, or of a film, which is read in parts.

        Returns:
            The content, None where it is read in parts; and the examination.

        Raises:
            OSError: The file cannot be read.
        """
        settings = self._home.settings
        if file.size >= IN_PARTS_FROM and is_film(self._source.read_at(file, 0, HEAD_BYTES)):
            if file.size > settings.film.max_megabytes << 20:
                return b"", completed_future(not_examined(TOO_LARGE))
            read_at = partial(self._source.read_at, file)
            return None, self._pool.submit(examine_film, ServedFile(file.size, read_at))
        if file.size > settings.analysis.max_megabytes << 20:
            return b"", completed_future(not_examined(TOO_LARGE))
        data = self._source.read(file)
        if is_film(data[:HEAD_BYTES]):
            film = ServedFile(len(data), lambda offset, length: data[offset : offset + length])
            return data, self._pool.submit(examine_film, film)
        return data, self._pool.submit(examine, data)

    def _collect(self) -> Iterator[bool]:
        for (file, data), future in self._running.wait_for_any():
            self._running.remove(future)
            evidence = evidence_of(self._home, examination_result(future))
            if self._options.inbox_folder and data != b"":
                self._copy_into_inbox(file, data)
            self._save_outcome(file, evidence)
            yield True

    def _copy_into_inbox(self, file: ArchiveFile, data: bytes | None) -> None:
        """Copy the picture into the inbox before its row is written.

        After a crash between the two steps, the same file is only written again. A file that cannot
        be read any more is not copied.
        """
        root = (self._home.inbox / ARCHIVES / self._options.inbox_folder).resolve()
        target = (root / file.path.lstrip("/")).resolve()
        if not target.is_relative_to(root):
            return  # a bucket may contain names such as ../x
        target.parent.mkdir(parents=True, exist_ok=True)
        with suppress(_SourceUnreadable), atomic_file(target, 0o644) as copy:
            for part in self._parts(file) if data is None else (data,):
                copy.write(part)
        sync_folder(target.parent)

    def _parts(self, file: ArchiveFile) -> Iterator[bytes]:
        for offset in range(0, file.size, IN_PARTS_FROM):
            length = min(IN_PARTS_FROM, file.size - offset)
            try:
                part = self._source.read_at(file, offset, length)
            except OSError as error:
                raise _SourceUnreadable from error
            if len(part) != length:
                raise _SourceUnreadable
            yield part

    def _save_outcome(self, file: ArchiveFile, evidence: Evidence) -> None:
        verdicts = decide(evidence, self._register, self._rules, self._home.now())
        reasons = {
            name: [reason.value for reason in verdict.reasons] if isinstance(verdict, Hold) else []
            for name, verdict in verdicts.items()
        }
        ScreenedPicture.objects.update_or_create(
            archive=self._archive,
            path=file.path,
            defaults={
                "mark": file.mark,
                "run": self._archive.run,
                "ruleset": self._ruleset,
                "exported_on": self._register.exported_on,
                "faces": len(evidence.faces) if isinstance(evidence, Examined) else 0,
                "reasons": reasons,
            },
        )


def ruleset_digest() -> str:
    """A digest that changes with the consent list, the templates and the thresholds."""
    state = (
        ImportRun.objects.order_by("-pk").values_list("pk", flat=True).first(),
        Template.objects.order_by("-pk").values_list("pk", flat=True).first(),
        Template.objects.count(),
        EnrolmentPhoto.objects.exclude(confirmed_at=None).count(),
        EnrolmentPhoto.objects.aggregate(newest=Max("confirmed_at"))["newest"],
        ThresholdSet.objects.exclude(accepted_at=None).order_by("-accepted_at").first(),
    )
    return hashlib.sha256(repr(state).encode()).hexdigest()
