"""Make face templates of enrolment photos, only for pupils with biometric consent.

The file of any other pupil is not opened. A photo is refused, with the reason, when it shows no
usable face or several, when it is given for two pupils, when it looks like another enrolled pupil,
or when it does not look like the pupil's own confirmed photos. A photo under the wrong name would
clear the wrong child. Where two new photos of two pupils look alike, either may be wrong, so both
are refused. Where two unconfirmed photos of one pupil differ, both are in doubt. Siblings may look
alike; they are enrolled and recorded as lookalikes.

No new photo clears anybody until a person confirms it (``ingest.enrolment.confirmation``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from consent_gate.home.filesystem import printable_name
from consent_gate.home.home import Home
from consent_gate.matching.gallery import gallery_of
from consent_gate.register.snapshot_loader import load_snapshot
from ingest.enrolment.enrolment_report import REASON_MESSAGES, EnrolmentReport
from ingest.enrolment.new_photos import Progress, measure_faces, new_photos
from ingest.enrolment.plan import ListedPhoto, plan_enrolment
from ingest.enrolment.session import EnrolmentSession
from ingest.enrolment.sources import Photos
from ingest.workers.analysis_pool import AnalysisPool, OpenTaskRunner


def no_progress(_done: int, _total: int) -> None:
    """Progress for a caller that shows none."""


@dataclass(frozen=True)
class PhotoBatch:
    """Enrolment photos that came with an export or alone."""

    sources: Sequence[Photos] = ()
    listed: Mapping[str, ListedPhoto] = field(default_factory=dict)
    """By ``photo_key``, the school's own list of which pupil each photo shows."""
    stated_date: date | None = None
    """Day on which a person says that they were taken; used for photos without a date."""


def enrol(  # noqa: PLR0913, PLR0917  the photos, what is known of them, and who gives them
    home: Home,
    photos: Photos,
    listed: dict[str, ListedPhoto],
    actor: str,
    progress: Progress,
    stated_date: date | None = None,
    open_pool: OpenTaskRunner = AnalysisPool,
) -> EnrolmentReport:
    """Make templates of every photo that may and can be enrolled. Safe to repeat.

    Args:
        home: The home whose pupils are enrolled.
        photos: The folder or ZIP of photos.
        listed: By ``photo_key``, the school's own list of which pupil each photo shows.
        actor: Who gave the photos, for the audit.
        progress: Called after each photo.
        stated_date: Day on which a person says that the photos were taken; used for photos without
            a date.
        open_pool: Starts the workers.

    Raises:
        WorkerPoolUnavailable: No worker can be started.
    """
    today = home.now().date()
    accepted, left_out_files = plan_enrolment(photos.names(), load_snapshot().pupils, listed, today)
    new, refused = new_photos(home, photos, accepted, stated_date)
    session = EnrolmentSession(home, actor)
    try:
        if new:
            session.begin()
            with open_pool(home, gallery_of([])) as pool:
                for photo, face in measure_faces(pool, photos, new, progress):
                    session.accept(photo, face)
    finally:  # also for photos enrolled before an interruption
        pairs, recalled = session.finish()
    left_out = [
        (left.pupil or printable_name(left.name), REASON_MESSAGES[left.reason])
        for left in left_out_files
    ]
    return EnrolmentReport(
        tuple(session.enrolled),
        (*left_out, *refused, *session.refused),
        sum(undated for undated in session.enrolled.values()),
        pairs,
        recalled,
        tuple(sorted(session.in_doubt)),
    )


def enrol_all(
    home: Home, photos: PhotoBatch, actor: str, progress: Progress = no_progress
) -> EnrolmentReport:
    """Enrol from every source in turn and combine the results. Raises as ``enrol`` does."""
    listed, stated_date = dict(photos.listed), photos.stated_date
    done = [enrol(home, source, listed, actor, progress, stated_date) for source in photos.sources]
    return EnrolmentReport(
        enrolled=tuple(dict.fromkeys(number for report in done for number in report.enrolled)),
        not_enrolled=tuple(entry for report in done for entry in report.not_enrolled),
        undated=sum(report.undated for report in done),
        lookalikes=done[-1].lookalikes if done else (),
        recalled=sum(report.recalled for report in done),
        in_doubt=tuple(dict.fromkeys(number for report in done for number in report.in_doubt)),
    )
