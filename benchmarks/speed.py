"""How fast photos go through: time a stage, photos a minute, memory, beside face_recognition's CLI.

    python -m benchmarks.speed [--photos 6]

Makes 12 MP photos with 1, 5, 12 and 30 faces from pictures of ../shared/data (one background each,
faces of strangers pasted in), enrols 181 portraits, and measures: each stage in one process; the
real worker pool on all cores, with decoding, faces, matching, decision, preview and two renditions;
and ``face_recognition``'s own command line with as many processes on the same files.
"""

from __future__ import annotations

import argparse
import io
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image, ImageFilter

from benchmarks.data import SHARED
from benchmarks.machine import heading
from consent_gate.bootstrap import create_home, prepare_django

FACES = (1, 5, 12, 30)
SIZE = (4000, 3000)


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


def gallery_home(folder: Path) -> object:
    """A home with the made-up school enrolled."""
    from sims_import.apply import ExportFile, carry_out
    from sims_import.enrol import FolderOfPhotos, enrol

    home = create_home(folder)
    export = SHARED / "school" / "sims" / "consent_wide.csv"
    carry_out(home, ExportFile(export.name, export.read_bytes()), (), "benchmark")
    enrol(home, FolderOfPhotos(SHARED / "school" / "portraits"), {}, "benchmark", lambda *_: None)
    return home


def time_stages(home: object, photos: dict[int, list[bytes]]) -> None:
    """Median milliseconds of each stage, in this process."""
    from consent_gate.db.register_store import load_gallery
    from consent_gate.db.threshold_store import thresholds_in_force
    from ingest import worker
    from ingest.decode import DecodeLimits, decode
    from ingest.worker import Setup
    from publish.render import RenditionSpec, render
    from publish.verify import Expected, verify

    limits = DecodeLimits()
    worker.start(Setup(load_gallery(home), thresholds_in_force(), limits, 8192))
    models = worker._models()
    finder = models.analyser._finder
    print("\nmilliseconds a photo, one process (median):")
    print(
        f"{'faces':>6} {'decode':>8} {'find':>8} {'find+compare':>13} {'render':>8} {'verify':>8}"
    )
    for faces, files in photos.items():
        spec = RenditionSpec()
        rows = []
        for data in files:
            picture, decoding = _timed(lambda data=data: decode(data, limits))
            _, finding = _timed(lambda p=picture: finder.find(p.rgb))
            _, all_faces = _timed(
                lambda p=picture: models.analyser.analyse(p.rgb, models.setup.gallery)
            )
            made, rendering = _timed(lambda p=picture, s=spec: render(p.rgb, s))
            _, proving = _timed(lambda m=made, p=picture, s=spec: verify(m, Expected(p.rgb, s)))
            rows.append((decoding, finding, all_faces, rendering, proving))
        medians = np.median(np.array(rows), axis=0) * 1000
        print(
            f"{faces:>6} "
            + " ".join(f"{m:>{w}.0f}" for m, w in zip(medians, (8, 8, 13, 8, 8), strict=True))
        )


def _timed(work: Callable[[], object]) -> tuple[object, float]:
    began = time.perf_counter()
    result = work()
    return result, time.perf_counter() - began


def photos_a_minute(home: object, photos: dict[int, list[bytes]]) -> dict[int, float]:
    """Through the real pool: examination and one rendition, all cores."""
    from consent_gate.db.register_store import load_gallery
    from ingest.pool import AnalysisPool, examination_of
    from publish.render import RenditionSpec
    from publish.rendition import RenditionOrder

    rates = {}
    with AnalysisPool(home, load_gallery(home)) as pool:
        warm = [pool.examine(next(iter(photos.values()))[0]) for _ in range(pool.size)]
        for future in warm:
            examination_of(future)
        for faces, files in photos.items():
            began = time.perf_counter()
            running = [(data, pool.examine(data)) for data in files]
            for data, future in running:
                seen = examination_of(future).evidence
                boxes = tuple(face.box for face in seen.faces)
                order = RenditionOrder(RenditionSpec(), seen.pixels_sha256, boxes)
                pool.make_renditions(data, [order])
            rates[faces] = 60 * len(files) / (time.perf_counter() - began)
    return rates


def command_line_rate(photos: dict[int, list[bytes]], cpus: int) -> dict[int, float]:
    """``face_recognition KNOWN UNKNOWN --cpus N``, as its documentation shows it."""
    rates = {}
    with tempfile.TemporaryDirectory() as folder:
        known = Path(folder, "known")
        known.mkdir()
        for path in sorted((SHARED / "school" / "portraits").iterdir())[:10]:
            (known / path.name).write_bytes(path.read_bytes())
        tool = Path(sys.executable).parent / "face_recognition"
        for faces, files in photos.items():
            unknown = Path(folder, f"unknown-{faces}")
            unknown.mkdir()
            for number, data in enumerate(files):
                (unknown / f"{number}.jpg").write_bytes(data)
            command = [str(tool), str(known), str(unknown), "--cpus", str(cpus)]
            began = time.perf_counter()
            subprocess.run(command, capture_output=True, check=True)
            rates[faces] = 60 * len(files) / (time.perf_counter() - began)
    return rates


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--photos", type=int, default=6, help="photos of each kind")
    count = parser.parse_args().photos
    prepare_django()
    print(heading("Speed on 12 MP photos"))
    photos = {n: [make_photo(n, 100 * n + k) for k in range(count)] for n in FACES}
    with tempfile.TemporaryDirectory() as folder:
        home = gallery_home(Path(folder) / "home")
        ours = photos_a_minute(home, photos)
        worker_peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
        time_stages(home, photos)
    rival = command_line_rate(photos, 2)
    print("\nphotos a minute, all cores, everything included:")
    print(f"{'faces':>6} {'consent-gate':>13} {'face_recognition':>17} {'ratio':>7}")
    for faces in FACES:
        ratio = ours[faces] / rival[faces]
        print(f"{faces:>6} {ours[faces]:>13.0f} {rival[faces]:>17.1f} {ratio:>6.1f}x")
    print(f"\npeak memory of the largest worker: {worker_peak:.0f} MB")


if __name__ == "__main__":
    main()
