"""Measure, on the school's own portraits, down to which size faces are found.

Portraits are not kept after enrolment, so they are passed in again for a calibration. As at
enrolment, the photo of a pupil who may not be enrolled is not opened. No measurement of a face is
stored.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future

import numpy as np

from consent_gate.home.home import Home
from consent_gate.matching.calibration import DetectionBySize, DetectionCounts
from consent_gate.matching.gallery import gallery_of
from consent_gate.model import FaceKind
from consent_gate.register.snapshot_loader import load_snapshot
from ingest.enrolment.plan import ListedPhoto, PhotoToEnrol, plan_enrolment
from ingest.enrolment.sources import Photos
from ingest.faces.detectability import HEIGHTS
from ingest.workers.analysis_pool import AnalysisPool, OpenTaskRunner, TaskRunner, result_of
from ingest.workers.face_tasks import measure_detectability
from publish.renditions.rendition import RenditionRefused

MAX_PORTRAITS = 100
"""The most portraits measured, evenly spread over the pupils. A share is then known to within 10 %
at worst, in a minute or two."""


def found_by_size(
    home: Home,
    photos: Photos,
    listed: Mapping[str, ListedPhoto],
    progress: Callable[[int, int], None],
    open_pool: OpenTaskRunner = AnalysisPool,
) -> DetectionBySize:
    """Count at each face height how many portraits' faces the finder still finds.

    Args:
        home: The home whose pupils are measured.
        photos: The folder or ZIP of portraits.
        listed: The school's own list of photos by ``photo_key``.
        progress: Called with the number of portraits done and the total.
        open_pool: Starts the workers.
    """
    to_measure, _ = plan_enrolment(
        photos.names(), load_snapshot().pupils, listed, home.now().date()
    )
    chosen = _spread(list({photo.pupil: photo for photo in to_measure}.values()))
    measured: list[Mapping[int, FaceKind | None]] = []
    unusable = 0
    with open_pool(home, gallery_of([])) as pool:
        for done, kinds in enumerate(_measure_portraits(pool, photos, chosen), 1):
            progress(done, len(chosen))
            if isinstance(kinds, RenditionRefused) or kinds is None:
                unusable += 1
            else:
                measured.append(kinds)
    sizes = {
        height: _count_kinds([k[height] for k in measured if height in k]) for height in HEIGHTS
    }
    return DetectionBySize(len(measured), unusable, sizes)


def _spread(to_measure: list[PhotoToEnrol]) -> list[PhotoToEnrol]:
    count = min(len(to_measure), MAX_PORTRAITS)
    return [to_measure[index] for index in np.linspace(0, len(to_measure) - 1, count).astype(int)]


def _measure_portraits(
    pool: TaskRunner, photos: Photos, chosen: list[PhotoToEnrol]
) -> Iterator[Mapping[int, FaceKind | None] | RenditionRefused | None]:
    """The result of each portrait, in any order; few portraits are in memory at once."""
    running: deque[Future[Mapping[int, FaceKind | None] | RenditionRefused | None]] = deque()
    for photo in chosen:
        try:
            data = photos.read(photo.name)
        except OSError:
            yield None
            continue
        running.append(pool.submit(measure_detectability, data))
        if len(running) >= 3 * pool.size:
            yield result_of(running.popleft())
    while running:
        yield result_of(running.popleft())


def _count_kinds(kinds: list[FaceKind | None]) -> DetectionCounts:
    return DetectionCounts(
        face=kinds.count(FaceKind.FACE),
        possible=kinds.count(FaceKind.POSSIBLE),
        missed=kinds.count(None),
    )
