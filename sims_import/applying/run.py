"""Runs a whole import, for the command, the pages and the drop folder alike."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from consent_gate.home.home import Home
from ingest.enrolment.enrol import PhotoBatch, Progress, enrol_all, no_progress, photos_report
from publish.recall.withdraw import sync_folders
from sims_import.applying.apply import Applied, ExportFile, apply_import, remember

NO_PHOTOS = PhotoBatch()


def run_import(  # noqa: PLR0913, PLR0917  what an import consists of
    home: Home,
    export: ExportFile,
    accepted: Collection[str],
    actor: str,
    photos: PhotoBatch = NO_PHOTOS,
    progress: Progress = no_progress,
) -> Applied:
    """Read an export, apply what no block stops, enrol the photos, and keep the report.

    The order keeps withdrawals independent of everything that may be slow or fail:

    1. One transaction writes the register, decides the affected pictures again and keeps the
       report. A crash before its end leaves the old register whole.
    2. The folders are synced at once, before any photo is opened. After a crash here the next run
       of any command removes what is withdrawn.
    3. Photos are enrolled. Enrolment syncs the folders a second time, and only if it changed
       somebody's templates or lookalikes. What became of the photos is added to the report. A crash
       here leaves the report of the register; the same photos can be given again.

    Args:
        accepted: codes of the blocks that a person accepts.
        actor: who imports, for the audit log.
        progress: called while photos are enrolled.

    Raises:
        ExportUnreadable: nothing is changed.
    """
    applied = apply_import(home, export, accepted, actor)
    sync_folders(home)
    remember(home, applied)
    if not photos.sources:
        return applied
    enrolled = photos_report(enrol_all(home, photos, actor, progress))
    enrolled["recalled"] += applied.recalled
    enrolled["warnings"] = [*applied.report["warnings"], *enrolled["warnings"]]
    applied.run.summary |= enrolled
    applied.run.save(update_fields=["summary"])
    return replace(applied, recalled=enrolled["recalled"], report={**applied.report, **enrolled})
