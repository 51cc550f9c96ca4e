"""Measure time by stage, photos a minute and memory, and compare with face_recognition's CLI.

    python -m benchmarks.speed [--photos 8]

Makes 12 MP photos with 1, 5, 12 and 30 faces from the test photos (one background each, with faces
of strangers pasted in) and enrols 181 portraits. It measures each stage in one process; the real
worker pool on all cores, fed as ``ingest.pipeline`` feeds it, first examinations alone (decoding,
faces, matching, preview) and then with a rendition rendered and verified of each; and
``face_recognition``'s command line on the same files: with ``--cpus`` and the number of cores for
photos a minute, without it for processor time.

Processor seconds are valid on a busy machine; photos a minute only on an idle one.
"""

from __future__ import annotations

import argparse
import io
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageFilter

from benchmarks.data import SHARED
from benchmarks.machine import heading
from benchmarks.processes import memory_of, spent_by
from consent_gate.bootstrap import configure_django, create_home
from consent_gate.home.home import Home
from consent_gate.model import Examined

FACES = (1, 5, 12, 30)
SIZE = (4000, 3000)
KNOWN_PEOPLE = 10
"""People known to ``face_recognition``. It encodes them at each start; that time is subtracted."""

Photos = dict[int, list[bytes]]
"""Files by the number of faces in each."""


@dataclass(frozen=True)
class Rate:
    """Throughput and cost of photos of one kind."""

    a_minute: float
    seconds: float
    """Processor seconds a photo, of all processes."""


def make_photo(faces: int, seed: int) -> bytes:
    """A 12 MP JPEG with that many strangers in rows."""
    chance = random.Random(seed)  # noqa: S311  the same photos every time
    backgrounds = sorted((SHARED / "school" / "events" / "trip").iterdir())
    scene = Image.open(backgrounds[seed % len(backgrounds)]).convert("RGB").resize(SIZE)
    strangers = chance.sample(sorted((SHARED / "faces" / "strangers").iterdir()), faces)
    across = min(faces, 8)
    side = min(700, SIZE[0] // (across + 1))
    for number, path in enumerate(strangers):
        face = Image.open(path).convert("RGB").resize((side, side), Image.Resampling.LANCZOS)
        mask = Image.new("L", (side, side), 0)
        mask.paste(255, (side // 8, side // 8, side * 7 // 8, side * 7 // 8))
        mask = mask.filter(ImageFilter.GaussianBlur(side / 16))
        left = (number % across) * (SIZE[0] // across) + 20
        top = 200 + (number // across) * (side + 20)
        scene.paste(face, (left, min(top, SIZE[1] - side)), mask)
    out = io.BytesIO()
    scene.save(out, "JPEG", quality=92)
    return out.getvalue()


def gallery_home(folder: Path) -> Home:
    """A home with the made-up school enrolled."""
    from ingest.enrolment.enrol import enrol
    from ingest.enrolment.sources import FolderOfPhotos
    from sims_import.applying.apply import ExportFile
    from sims_import.applying.run import run_import

    home = create_home(folder)
    export = SHARED / "school" / "sims" / "consent_wide.csv"
    run_import(home, ExportFile(export.name, export.read_bytes()), (), "benchmark")
    enrol(home, FolderOfPhotos(SHARED / "school" / "portraits"), {}, "benchmark", lambda *_: None)
    return home


def time_stages(home: Home, photos: Photos) -> None:
    """Median milliseconds of processor time of each stage, in this process."""
    from consent_gate.register.repository import load_gallery
    from consent_gate.register.thresholds import thresholds_in_force
    from ingest.decoding.decode import DecodeLimits
    from ingest.workers import worker
    from ingest.workers.worker_config import WorkerConfig

    worker.start(WorkerConfig(load_gallery(home), thresholds_in_force(), DecodeLimits()))
    names = ("decode", "find", "find+compare", "preview", "render", "verify")
    print("\nmilliseconds of processor time a photo (median), one thread:")
    print(f"{'faces':>6}" + "".join(f"{name:>13}" for name in names))
    for faces, files in photos.items():
        medians = np.median([_stages(data) for data in files], axis=0) * 1000
        print(f"{faces:>6}" + "".join(f"{median:>13.0f}" for median in medians))


def _stages(data: bytes) -> list[float]:
    """Processor seconds of decoding, finding, finding and matching, preview, render, verify."""
    from ingest.decoding.decode import DecodeLimits, decode
    from ingest.workers import worker
    from publish.rendering.render import RenditionSpec, render
    from publish.verification.verify import Expected, verify

    models, spec = worker.loaded_worker(), RenditionSpec()
    picture, decoding = _timed(lambda: decode(data, DecodeLimits()))
    _, finding = _timed(lambda: models.finder.find(picture.rgb))
    _, both = _timed(lambda: models.analyser.analyse(picture.rgb, models.config.gallery))
    _, looking = _timed(lambda: render(worker._scaled(picture.rgb, 1600), worker.PREVIEW))
    made, rendering = _timed(lambda: render(picture.rgb, spec))
    _, proving = _timed(lambda: verify(made, Expected(picture.rgb, spec)))
    return [decoding, finding, both, looking, rendering, proving]


def _timed(work: Callable[[], Any]) -> tuple[Any, float]:
    began = time.process_time()
    result = work()
    return result, time.process_time() - began


def measure_pool(home: Home, photos: Photos) -> tuple[dict[int, Rate], dict[int, Rate], float, int]:
    """Rates of examinations, rates with a rendition of each, MB of the largest worker, workers."""
    from consent_gate.register.repository import load_gallery
    from ingest.workers.analysis_pool import AnalysisPool

    with AnalysisPool(home, load_gallery(home)) as pool:
        process_all(pool, photos[FACES[0]][: 2 * pool.size], with_rendition=True)  # warm
        examined = {n: rate(pool, files, with_rendition=False) for n, files in photos.items()}
        released = {n: rate(pool, files, with_rendition=True) for n, files in photos.items()}
        return examined, released, memory_of(os.getpid(), "VmHWM")[1], pool.size


def rate(pool: Any, files: Sequence[bytes], *, with_rendition: bool) -> Rate:
    """Process these files by the pool and measure."""
    before, began = spent_by(os.getpid()), time.perf_counter()
    process_all(pool, files, with_rendition=with_rendition)
    seconds = time.perf_counter() - began
    spent = spent_by(os.getpid()).since(before).total
    return Rate(60 * len(files) / seconds, spent / len(files))


def process_all(pool: Any, files: Sequence[bytes], *, with_rendition: bool) -> None:
    """Submit photos as the gate does: more than there are workers, so that no worker is idle."""
    from ingest.pipeline import IN_FLIGHT_PER_WORKER
    from ingest.workers.analysis_pool import examination_result
    from ingest.workers.worker import examine
    from publish.rendering.render import RenditionSpec
    from publish.renditions.rendition import RenditionRequest

    waiting, running = list(files), dict[Future[Any], bytes]()
    while waiting or running:
        while waiting and len(running) < IN_FLIGHT_PER_WORKER * pool.size:
            data = waiting.pop()
            running[pool.submit(examine, data)] = data
        done = wait(running, return_when=FIRST_COMPLETED).done
        for future in done:
            data, seen = running.pop(future), examination_result(future).evidence
            if with_rendition and isinstance(seen, Examined):
                boxes = tuple(face.box for face in seen.faces)
                request = RenditionRequest(RenditionSpec(), seen.pixels_sha256, boxes)
                pool.start_renditions(data, [request])()


def measure_command_line(photos: Photos, cpus: int) -> dict[int, Rate]:
    """Time ``face_recognition KNOWN UNKNOWN --cpus N``, minus its time without any photo."""
    with tempfile.TemporaryDirectory() as folder:
        known = Path(folder, "known")
        known.mkdir()
        for path in sorted((SHARED / "school" / "portraits").iterdir())[:KNOWN_PEOPLE]:
            (known / path.name).write_bytes(path.read_bytes())
        empty = Path(folder, "empty")
        empty.mkdir()
        start, start_alone = _run(known, empty, cpus), _run(known, empty, 1)
        rates = {}
        for faces, files in photos.items():
            unknown = Path(folder, f"unknown-{faces}")
            unknown.mkdir()
            for number, data in enumerate(files):
                (unknown / f"{number}.jpg").write_bytes(data)
            seconds = _run(known, unknown, cpus)[0] - start[0]
            # One process alone: those of --cpus are no children that could be asked.
            for extra in sorted(unknown.iterdir())[2:]:
                extra.unlink()
            alone = _run(known, unknown, 1)[1] - start_alone[1]
            rates[faces] = Rate(60 * len(files) / seconds, alone / min(len(files), 2))
        return rates


def _run(known: Path, unknown: Path, cpus: int) -> tuple[float, float]:
    """Seconds by the clock, and of processor time (correct only if ``cpus`` is 1)."""
    tool = Path(sys.executable).parent / "face_recognition"
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    command = [str(tool), str(known), str(unknown), "--cpus", str(cpus)]
    subprocess.run(command, capture_output=True, check=True)
    after, seconds = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter() - began
    return seconds, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--photos", type=int, default=8, help="photos of each kind")
    count = parser.parse_args().photos
    configure_django()
    print(heading("Speed on 12 MP photos"))
    photos = {n: [make_photo(n, 100 * n + k) for k in range(count)] for n in FACES}
    with tempfile.TemporaryDirectory() as folder:
        home = gallery_home(Path(folder) / "home")
        examined, released, megabytes, workers = measure_pool(home, photos)
        time_stages(home, photos)
    rival = measure_command_line(photos, workers)
    print(f"\nphotos a minute with {workers} processes, and processor seconds a photo:")
    print(
        f"{'faces':>6}{'examined':>17}{'with a rendition':>19}{'face_recognition':>19}{'times':>13}"
    )
    for faces in FACES:
        ours, made, theirs = examined[faces], released[faces], rival[faces]
        columns = "".join(
            f"{rate.a_minute:>10.1f} {rate.seconds:>7.2f}" for rate in (ours, made, theirs)
        )
        ratios = f"{ours.a_minute / theirs.a_minute:>7.1f}x {theirs.seconds / ours.seconds:>4.1f}x"
        print(f"{faces:>6}{columns}{ratios}")
    print("times: examined beside face_recognition, by the clock and by processor time")
    print(f"\npeak memory of the largest worker: {megabytes:.0f} MB")


if __name__ == "__main__":
    main()
