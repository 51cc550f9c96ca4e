"""Measure decoding and models without the pipeline, for ``benchmarks.ingest``.

Previews, and rendering with verification, are timed separately, so that their cost is not counted
as the pipeline's.
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
from consent_gate.vault.interface import PartReader
from publish.renditions.rendition import FilmRequest, Rendition, RenditionRefused, RenditionRequest
from publish.renditions.requests import WaitForRenditions


@dataclass(frozen=True)
class BaselineCost:
    """Processor seconds a photo; photos a minute of decoding and models alone."""

    models: float
    preview: float
    renditions: float
    photos_a_minute: float


_homes: list[Home] = []


def measure_baseline(root: Path, items: list[str], processes: int) -> BaselineCost:
    """Measure with these items of the home, in as many processes as the gate has workers."""
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, spawn, _start, (str(root),)) as pool:
        list(pool.map(_analysis_seconds, items[: 2 * processes]))  # loads the models
        began = time.monotonic()
        models = list(pool.map(_analysis_seconds, items))
        minutes = (time.monotonic() - began) / 60
        others = list(pool.map(_rendering_seconds, items))
    count = len(items)
    preview, renditions = (sum(part) / count for part in zip(*others, strict=True))
    return BaselineCost(sum(models) / count, preview, renditions, count / minutes)


def _start(root: str) -> None:
    from consent_gate.bootstrap import configure_django

    configure_django()
    from consent_gate.register.repository import load_gallery
    from consent_gate.register.thresholds import thresholds_in_force
    from ingest.decoding.decode import DecodeLimits
    from ingest.workers import worker
    from ingest.workers.worker_config import WorkerConfig

    home = open_home(Path(root))
    _homes.append(home)
    worker.start(WorkerConfig(load_gallery(home), thresholds_in_force(), DecodeLimits()))


def _analysis_seconds(item_id: str) -> float:
    from ingest.decoding.decode import DecodeError, decode
    from ingest.workers import worker

    data, models = _original(item_id), worker.loaded_worker()
    before = time.process_time()
    try:
        picture = decode(data, models.config.limits)
    except DecodeError:
        return time.process_time() - before
    models.analyser.analyse(picture.rgb, models.config.gallery)
    return time.process_time() - before


def _rendering_seconds(item_id: str) -> tuple[float, float]:
    """Seconds of the preview, and of all published renditions of this photo."""
    from consent_gate.db.models import Publication
    from ingest.decoding.decode import DecodeError, decode
    from ingest.workers import worker
    from publish.rendering.render import render
    from publish.renditions.requests import start_renditions

    try:
        rgb = decode(_original(item_id), worker.loaded_worker().config.limits).rgb
    except DecodeError:
        return 0.0, 0.0
    before = time.process_time()
    render(worker._scaled(rgb, worker.PREVIEW.max_side), worker.PREVIEW)
    preview = time.process_time() - before
    out = list(Publication.objects.filter(item=item_id).select_related("item"))
    if not out:
        return preview, 0.0
    renderer = _TimedRenderer()
    start_renditions(_homes[0], renderer, out)()
    return preview, renderer.spent


class _TimedRenderer:
    """Renders in this process and sums the processor seconds."""

    spent = 0.0

    def make_films(
        self, original: PartReader, requests: Sequence[FilmRequest]
    ) -> list[Rendition | RenditionRefused]:
        raise NotImplementedError  # the benchmark has no films

    def start_renditions(
        self, data: bytes, requests: Sequence[RenditionRequest]
    ) -> WaitForRenditions:
        from ingest.workers import rendition_tasks

        before = time.process_time()
        made = rendition_tasks.make_renditions(data, requests)
        self.spent += time.process_time() - before
        return lambda: made


def _original(item_id: str) -> bytes:
    from consent_gate.db.models import Item
    from consent_gate.vault.originals import read_part

    return read_part(_homes[0], Item.objects.get(pk=item_id))
