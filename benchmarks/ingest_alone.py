"""The same photos without the pipeline: decoding and models alone, in as many processes.

Previews, and the pictures of the channels with their proof, are made and timed here as well: the
gate makes them besides, and they are told apart from what its pipeline costs.
"""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from consent_gate.bootstrap import open_home
from consent_gate.home.home import Home
from publish.rendition import Rendition, RenditionRefused, RenditionRequest


@dataclass(frozen=True)
class Alone:
    """Processor seconds a photo, and how many photos a minute decoding and models alone come to."""

    models: float
    preview: float
    renditions: float
    a_minute: float


_homes: list[Home] = []


def work_alone(root: Path, items: list[str], processes: int) -> Alone:
    """Measure with these items of the home, each in one process as in one of the gate's workers."""
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, spawn, _start, (str(root),)) as pool:
        list(pool.map(_models_alone, items[: 2 * processes]))  # models are loaded and warm
        began = time.monotonic()
        models = list(pool.map(_models_alone, items))
        minutes = (time.monotonic() - began) / 60
        others = list(pool.map(_pictures_alone, items))
    count = len(items)
    preview, renditions = (sum(part) / count for part in zip(*others, strict=True))
    return Alone(sum(models) / count, preview, renditions, count / minutes)


def _start(root: str) -> None:
    from consent_gate.bootstrap import configure_django

    configure_django()
    from consent_gate.register.repository import load_gallery
    from consent_gate.register.thresholds import thresholds_in_force
    from ingest.decoding.decode import DecodeLimits
    from ingest.workers import worker

    home = open_home(Path(root))
    _homes.append(home)
    worker.start(worker.WorkerConfig(load_gallery(home), thresholds_in_force(), DecodeLimits(), 0))


def _models_alone(item_id: str) -> float:
    from ingest.decoding.decode import DecodeError, decode
    from ingest.workers import worker

    data, models = _original(item_id), worker._this_worker()
    before = time.process_time()
    try:
        picture = decode(data, models.config.limits)
    except DecodeError:
        return time.process_time() - before
    models.analyser.analyse(picture.rgb, models.config.gallery)
    return time.process_time() - before


def _pictures_alone(item_id: str) -> tuple[float, float]:
    """Of the preview, and of everything that went out of this photo."""
    from consent_gate.db.models import Publication
    from ingest.decoding.decode import DecodeError, decode
    from ingest.workers import worker
    from publish.rendition_requests import renditions_of

    try:
        rgb = decode(_original(item_id), worker._this_worker().config.limits).rgb
    except DecodeError:
        return 0.0, 0.0
    before = time.process_time()
    worker._preview(rgb)
    preview = time.process_time() - before
    out = list(Publication.objects.filter(item=item_id).select_related("item"))
    if not out:
        return preview, 0.0
    renderer = _Timed()
    renditions_of(_homes[0], renderer, out)
    return preview, renderer.spent


class _Timed:
    """Makes pictures in this process and remembers what they cost."""

    spent = 0.0

    def make_renditions(
        self, data: bytes, orders: Sequence[RenditionRequest]
    ) -> list[Rendition | RenditionRefused]:
        from ingest.workers import worker

        before = time.process_time()
        made = worker.make_renditions(data, orders)
        self.spent += time.process_time() - before
        return made


def _original(item_id: str) -> bytes:
    from consent_gate.db.models import Item
    from consent_gate.vault.originals import read_part

    return read_part(_homes[0], Item.objects.get(pk=item_id))
