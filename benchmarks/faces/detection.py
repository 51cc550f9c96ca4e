"""Measure how many faces are found by size, occlusion and pose, and what each detector adds.

    python -m benchmarks.faces.detection            all tables; plot and CSV in out/
    python -m benchmarks.faces.detection --fit      print what belongs in ingest/faces/ensemble.py
    python -m benchmarks.faces.detection --school   false boxes in the made-up school's photos

Weights and cut-offs are fitted on one half of the crowd pictures. All printed results are of the
other half. Times are CPU seconds of one thread.
"""

from __future__ import annotations

import argparse
import csv
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import matplotlib as mpl
import numpy as np

from benchmarks.data import SHARED
from benchmarks.faces.agreement_fit import FLOORS, chosen_cutoff, fitted, ranked, with_cutoff
from benchmarks.faces.crowd import (
    COLUMNS,
    OVERLAP,
    Boxes,
    Face,
    Recall,
    is_for_report,
    recall,
    truth,
)
from benchmarks.faces.detectors import Hog, RetinaFace
from benchmarks.faces.school_boxes import report_school
from benchmarks.machine import heading
from ingest.faces.augmentation import AugmentedView
from ingest.faces.detectors import CenterFace, YuNet
from ingest.faces.ensemble import FITTED_ENSEMBLE, DetectorEnsemble
from ingest.faces.finder import FaceFinder, default_finder
from ingest.faces.finder_settings import FinderSettings
from ingest.faces.protocols import RGB, Detection, Detector

OUT = Path(__file__).resolve().parents[2] / "out"
MAX_FALSE_TO_FIT = 2.3
"""Largest number of false boxes a picture on the fit half. The goal for other pictures is 2.6."""
SINGLES = (
    ("yunet", 832, 0.5),
    ("retinaface", 1280, 0.5),
    ("centerface", 832, 0.35),
    ("hog", 832, 0.5),
)
"""Detector, long side in pixels, threshold."""
Pass = tuple[str, str]
"""Name of a detector and of a view."""
PRODUCT: tuple[Pass, ...] = (
    ("centerface", "1280"),
    ("centerface", "832 mirrored"),
    ("yunet", "1664"),
)
"""The upright passes of the product."""
ENLARGE_AT_MOST = 4.0


@dataclass
class Picture:
    """One crowd picture and the detections in it, by detector and view."""

    size: tuple[int, int]
    """Width, height."""
    seen: dict[Pass, list[Detection]] = field(default_factory=dict)
    seconds: dict[Pass, float] = field(default_factory=dict)


def main() -> None:
    """Run what the arguments ask for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--fit", action="store_true", help="fit the agreement and print it")
    parser.add_argument("--school", action="store_true", help="false boxes in school photos")
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    print(heading("Faces found, times of one thread"), flush=True)
    if arguments.school:
        report_school(SHARED / "school", OUT)
        return
    faces = truth()
    if arguments.fit:
        print_fit(faces)
    else:
        report({file: detect_all(file) for file in sorted(faces)}, faces)


def detect_all(file: str) -> Picture:
    """Run every detector on every view that a table needs."""
    rgb = read(file)
    picture = Picture((rgb.shape[1], rgb.shape[0]))
    plain = AugmentedView(rgb, np.eye(3))
    views = {str(side): plain.resized(side, ENLARGE_AT_MOST) for side in (832, 1280, 1664)}
    views |= {f"{side} mirrored": views[str(side)].mirror() for side in (832, 1280)}
    for name, view in views.items():
        for detector in _detectors():
            if detector.name != "hog" or name == "832":
                _time(picture, detector, name, view)
    return picture


def read(file: str) -> RGB:
    """Pixels of a crowd picture."""
    path = SHARED / "groups" / "images" / file
    rgb = cv2.imread(str(path), cv2.IMREAD_COLOR_RGB)
    if rgb is None:
        raise SystemExit(f"Not a picture: {path}")
    return np.asarray(rgb, dtype=np.uint8)


_LOADED: list[Detector] = []


def _detectors() -> list[Detector]:
    if not _LOADED:
        _LOADED.extend([YuNet(FLOORS["yunet"]), RetinaFace(FLOORS["retinaface"])])
        _LOADED.extend([CenterFace(FLOORS["centerface"]), Hog()])
    return _LOADED


def _time(picture: Picture, detector: Detector, name: str, view: AugmentedView) -> None:
    start = time.process_time()
    picture.seen[detector.name, name] = view.detect(detector)
    picture.seconds[detector.name, name] = time.process_time() - start


def report(pictures: Mapping[str, Picture], faces: Mapping[str, Sequence[Face]]) -> None:
    """All tables, the CSV and the plot."""
    half = [file for file in pictures if is_for_report(file)]
    rows: list[tuple[str, Recall, float]] = []
    for name, side, threshold in SINGLES:
        part = {file: single(pictures[file], name, side, threshold) for file in half}
        cost = mean_ms(pictures, [(name, str(side))])
        rows.append((f"{name} {threshold} at {side}", recall(part, faces), cost))
    found, seconds = product(default_finder(), half)
    for overlap in (0.3, 0.5, OVERLAP):
        row = recall(found, faces, overlap=overlap)
        rows.append((f"the product, overlap {overlap}", row, 1000 * seconds))
    found, seconds = product(default_finder(FinderSettings(turn=False)), half)
    rows.append(("the product, no turned views", recall(found, faces), 1000 * seconds))
    for label, keys in ablations().items():
        rows.append((label, refitted(pictures, faces, keys), mean_ms(pictures, keys)))
    print_table(rows, len(half))
    write(rows, OUT)


def single(picture: Picture, name: str, side: int, threshold: float) -> Boxes:
    """The boxes of one detector alone at one size."""
    seen = [d for d in picture.seen[name, str(side)] if d.score >= threshold]
    places = np.array([[d.x, d.y, d.width, d.height] for d in seen]).reshape(-1, 4)
    return Boxes(places, np.array([d.score for d in seen]))


def product(finder: FaceFinder, files: Iterable[str]) -> tuple[dict[str, Boxes], float]:
    """The product's boxes of both kinds, ``face`` and ``possible``, and CPU seconds a picture."""
    found, seconds = {}, []
    for file in files:
        rgb = read(file)
        start = time.process_time()
        faces = finder.find(rgb)
        seconds.append(time.process_time() - start)
        places = np.array([face.box.as_list() for face in faces], dtype=np.float64)
        found[file] = Boxes(places.reshape(-1, 4), np.array([face.score for face in faces]))
    return found, float(np.mean(seconds))


def ablations() -> dict[str, list[Pass]]:
    """The passes (detectors and views) by label."""
    wide, mirrored, close = PRODUCT
    everything = list(PRODUCT)
    three = [(n, v) for n in ("yunet", "retinaface", "centerface") for v in ("832", "832 mirrored")]
    three += [(name, "1280") for name in ("yunet", "retinaface", "centerface")]
    return {
        "upright passes of the product": everything,
        "  without YuNet": [wide, mirrored],
        "  without CenterFace": [close],
        "  without CenterFace at 1280": [mirrored, close],
        "  without CenterFace in a mirror": [wide, close],
        "  CenterFace at 832, not 1280": [("centerface", "832"), mirrored, close],
        "  CenterFace at 832 not mirrored": [wide, ("centerface", "832"), close],
        "  YuNet at 832, not 1664": [wide, mirrored, ("yunet", "832")],
        "  YuNet at 1280, not 1664": [wide, mirrored, ("yunet", "1280")],
        "  YuNet at 832 too": [*everything, ("yunet", "832")],
        "  RetinaFace at 1280 too": [*everything, ("retinaface", "1280")],
        "  CenterFace at 1280 mirrored too": [*everything, ("centerface", "1280 mirrored")],
        "three networks at 832 (twice), 1280": three,
    }


def refitted(
    pictures: Mapping[str, Picture],
    faces: Mapping[str, Sequence[Face]],
    keys: Sequence[Pass],
) -> Recall:
    """Fit weights and cut-off for these passes on the fit half; give their boxes."""
    sizes = {file: picture.size for file, picture in pictures.items()}
    fit = detections(pictures, keys, lambda file: not is_for_report(file))
    agreement = fitted(fit, faces)
    cutoff = chosen_cutoff(fit, faces, sizes, agreement, MAX_FALSE_TO_FIT)
    held_out = ranked(detections(pictures, keys, is_for_report), sizes, agreement)
    kept = {
        file: Boxes(boxes.places[boxes.scores > cutoff], boxes.scores[boxes.scores > cutoff])
        for file, boxes in held_out.items()
    }
    return recall(kept, faces)


def detections(
    pictures: Mapping[str, Picture],
    keys: Sequence[Pass],
    wanted: Callable[[str], bool],
) -> dict[str, list[Detection]]:
    """All detections of these passes in the wanted pictures."""
    return {
        file: [d for key in keys for d in picture.seen[key] if d.height >= 8]
        for file, picture in pictures.items()
        if wanted(file)
    }


def mean_ms(pictures: Mapping[str, Picture], keys: Sequence[Pass]) -> float:
    """CPU milliseconds a picture of these passes."""
    return 1000 * float(
        np.mean([sum(picture.seconds[key] for key in keys) for picture in pictures.values()])
    )


def print_fit(faces: Mapping[str, Sequence[Face]]) -> None:
    """Fit the values of ``ingest/faces/ensemble.py`` on the fit half and print them."""
    finder = default_finder()
    pictures = {file: read(file) for file in sorted(faces) if not is_for_report(file)}
    sizes = {file: (rgb.shape[1], rgb.shape[0]) for file, rgb in pictures.items()}
    fit = {file: finder.detect_full(finder.views(rgb)) for file, rgb in pictures.items()}
    agreement = fitted(fit, faces)
    cutoff = chosen_cutoff(fit, faces, sizes, agreement, MAX_FALSE_TO_FIT)
    chosen: DetectorEnsemble = with_cutoff(agreement, cutoff)
    print("weights", {name: round(weight, 3) for name, weight in chosen.weights.items()})
    print("intercept", round(chosen.intercept, 3))
    print("possible_from", [(height, round(least, 4)) for height, least in chosen.possible_from])
    print("now in the product:", FITTED_ENSEMBLE)
    found, _ = product(finder, pictures)
    print(f"\nThe product's current values on the fit half, {len(pictures)} pictures:")
    print_rows([("the product", recall(found, faces), 0.0)])


def print_table(rows: Sequence[tuple[str, Recall, float]], pictures: int) -> None:
    """Recall in per cent by column, false boxes a picture, CPU milliseconds a picture."""
    print(f"\nReport half: {pictures} crowd pictures, long side 416 px; height of faces in px.\n")
    print_rows(rows)


def print_rows(rows: Sequence[tuple[str, Recall, float]]) -> None:
    """Print a heading and a line for each row."""
    print(f"{'':36}" + "".join(f"{column:>9}" for column in COLUMNS) + f"{'false':>8}{'ms':>7}")
    for label, row, cost in rows:
        shares = "".join(f"{row.found[column]:9.1f}" for column in COLUMNS)
        print(f"{label:36}{shares}{row.false_boxes:8.2f}{cost:7.0f}")


def write(rows: Sequence[tuple[str, Recall, float]], folder: Path) -> None:
    """Write ``detection.csv`` and ``detection.png``."""
    folder.mkdir(exist_ok=True)
    with (folder / "detection.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["what", *COLUMNS, "false boxes a picture", "CPU ms a picture"])
        for label, row, cost in rows:
            shares = [round(row.found[column], 1) for column in COLUMNS]
            writer.writerow([label.strip(), *shares, round(row.false_boxes, 2), round(cost)])
    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(figsize=(8, 5))
    shown = [row for row in rows if not row[0].startswith(("  ", "upright"))]
    for label, row, _ in shown:
        values = [row.found[column] for column in COLUMNS]
        axes.plot(COLUMNS, values, marker="o", label=f"{label} ({row.false_boxes:.1f} false)")
    axes.set_ylabel("faces found, %")
    axes.set_xlabel("height in px; partly hidden; odd pose")
    axes.legend(fontsize=7)
    figure.savefig(folder / "detection.png", dpi=120, bbox_inches="tight")
    print(f"\nWritten: {folder / 'detection.csv'}, {folder / 'detection.png'}")


if __name__ == "__main__":
    main()
