"""Runs a whole import for the command, the pages and the drop folder."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from consent_gate.home.home import Home
from ingest.enrolment.enrol import PhotoBatch, enrol_all, no_progress
from ingest.enrolment.enrolment_report import photos_report
from ingest.enrolment.new_photos import Progress
from publish.recall.withdraw import sync_folders
from sims_import.applying.apply import Applied, ExportFile, apply_import, remember

NO_PHOTOS = PhotoBatch()


def run_import(  # noqa: PLR0913, PLR0917  each is an input of an import
    home: Home,
    export: ExportFile,
    accepted: Collection[str],
    actor: str,
    photos: PhotoBatch = NO_PHOTOS,
    progress: Progress = no_progress,
) -> Applied:
    """Read an export, apply what no block stops, enrol the photos and store the report.

    Withdrawals come first, so that no slow or failing step delays them:

    1. One transaction writes the register, decides the affected pictures again and stores
       the report. A crash before its end leaves the old register whole.
    2. The folders are synced at once, before any photo is opened. After a crash here the next run
       of any command removes the withdrawn pictures.
    3. Photos are enrolled. Enrolment syncs the folders a second time, and only if it changed
       templates or lookalikes. The result for the photos is added to the report. After a crash
       here the report lacks the photos, and the same photos can be given again.

    Args:
        home: The school's home.
        export: The file.
        accepted: Codes of the blocks that a person accepts.
        actor: Who imports, for the audit log.
        photos: Enrolment photos that come with the export.
        progress: Called while photos are enrolled.

    Raises:
        ExportUnreadable: The file is no export. Nothing is changed.
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
