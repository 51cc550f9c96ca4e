"""Down to which size faces are found, measured on the portraits that pupils were enrolled with.

Portraits aren't kept after enrolment, so a calibration is given them again. As at enrolment, the
photo of a pupil who may not be enrolled is not opened, and nothing of what is seen is stored.
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
from ingest.workers.worker import measure_detectability
from publish.rendition import RenditionRefused

MAX_PORTRAITS = 100
"""Looked at, evenly spread over the pupils: a share is then known to within 10 % at worst, in a
minute or two."""


def found_by_size(
    home: Home,
    photos: Photos,
    listed: Mapping[str, ListedPhoto],
    progress: Callable[[int, int], None],
    open_pool: OpenTaskRunner = AnalysisPool,
) -> DetectionBySize:
    """Take the portraits again and count how the finder fares as they shrink."""
    take, _ = plan_enrolment(photos.names(), load_snapshot().pupils, listed, home.now().date())
    chosen = _spread(list({photo.pupil: photo for photo in take}.values()))
    seen: list[Mapping[int, FaceKind | None]] = []
    unusable = 0
    with open_pool(home, gallery_of([])) as pool:
        for done, kinds in enumerate(_looks(pool, photos, chosen), 1):
            progress(done, len(chosen))
            if isinstance(kinds, RenditionRefused) or kinds is None:
                unusable += 1
            else:
                seen.append(kinds)
    sizes = {height: _counted([k[height] for k in seen if height in k]) for height in HEIGHTS}
    return DetectionBySize(len(seen), unusable, sizes)


def _spread(take: list[PhotoToEnrol]) -> list[PhotoToEnrol]:
    count = min(len(take), MAX_PORTRAITS)
    return [take[index] for index in np.linspace(0, len(take) - 1, count).astype(int)]


def _looks(
    pool: TaskRunner, photos: Photos, chosen: list[PhotoToEnrol]
) -> Iterator[Mapping[int, FaceKind | None] | RenditionRefused | None]:
    """What each portrait gives, in any order; few are in memory at once."""
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


def _counted(kinds: list[FaceKind | None]) -> DetectionCounts:
    return DetectionCounts(
        face=kinds.count(FaceKind.FACE),
        possible=kinds.count(FaceKind.POSSIBLE),
        missed=kinds.count(None),
    )
