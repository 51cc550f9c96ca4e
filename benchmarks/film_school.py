"""Run films of the made-up school through the gate: ``python -m benchmarks.film_school``.

Each film shows two event photos, one after the other, slowly moved and enlarged: stills in motion.
Three kinds of film are made with a fixed seed:

- cleared: everybody in both photos may be shown in every channel, and no rule leaves them to staff;
- not cleared: one of the photos shows somebody who may not be shown in some channel;
- stranger: two cleared photos, and for some frames the face of a person who is no pupil.

No film may be released to a channel for which somebody shown is not cleared. All steps use the
product's command line.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageOps

from benchmarks.data import SHARED
from benchmarks.film import FACE_SHARE, Appearance, paste
from benchmarks.machine import heading
from benchmarks.school import gate, import_term, items, verdicts_of
from benchmarks.school_truth import CHANNELS, SCHOOL, Truth, read_truth
from ingest.faces.protocols import RGB
from publish.rendering.film import FilmEncoder

WIDTH, HEIGHT, RATE = 1280, 720, 25
SCENE_FRAMES = 20
MAX_PEOPLE = 2
"""People in a photo at most: in a film of 720 lines more of them are too small to be compared."""
STRANGER_FRAMES = (2, 3, 5, 10, 20)
"""In how many frames a stranger is shown: 80 ms to 0.8 s."""


@dataclass(frozen=True)
class FilmPlan:
    """What one film shows."""

    kind: str
    photos: tuple[str, str]
    stranger: Path | None
    seed: int

    def may_be_released(self, channel: str, truth: dict[str, Truth]) -> bool:
        """Whether everybody shown is cleared for a channel."""
        return self.stranger is None and all(truth[p].cleared[channel] for p in self.photos)


def plans(rng: np.random.Generator, count: dict[str, int]) -> Iterator[FilmPlan]:
    """The films of all kinds. ``count`` has their number by kind."""
    truth = {
        file: one
        for file, one in read_truth().items()
        if 1 <= len(one.people) <= MAX_PEOPLE and file.lower().endswith((".jpg", ".jpeg"))
    }
    cleared = [f for f, one in truth.items() if all(one.cleared.values()) and not one.guarded]
    others = [f for f, one in truth.items() if not all(one.cleared.values())]
    strangers = sorted((SHARED / "faces" / "strangers").rglob("*.jpg"))
    for kind, films in count.items():
        for _ in range(films):
            first, second = rng.choice(cleared, 2, replace=False)
            stranger = None
            if kind == "not cleared":
                second = rng.choice(others)
                if rng.integers(2):
                    first, second = second, first
            elif kind == "stranger":
                stranger = strangers[int(rng.integers(len(strangers)))]
            yield FilmPlan(kind, (str(first), str(second)), stranger, int(rng.integers(1 << 30)))


def frames_of(plan: FilmPlan) -> Iterator[RGB]:
    """The frames of a film."""
    rng = np.random.default_rng(plan.seed)
    shown = int(rng.choice(STRANGER_FRAMES))
    first = int(rng.integers(0, 2 * SCENE_FRAMES - shown + 1))
    height = int(rng.integers(60, 160))
    side = int(height / FACE_SHARE)
    x, y = int(rng.integers(0, WIDTH - side - 25)), int(rng.integers(0, HEIGHT - side))
    one = Appearance(first, shown, x, y, height, int(rng.uniform(0, 0.25) * height))
    face = None if plan.stranger is None else _load(plan.stranger)
    number = 0
    for file in plan.photos:
        photo = _load(SCHOOL / "events" / file)
        drift = rng.uniform(-1, 1, 2)
        for step in range(SCENE_FRAMES):
            frame = _placed(photo, 0.92 + 0.004 * step, drift * step)
            if face is not None and first <= number < first + shown:
                paste(frame, face, one, number - first)
            yield frame
            number += 1


def _placed(photo: RGB, scale: float, shift: np.ndarray) -> RGB:
    """The whole photo in a frame, on grey."""
    fit = scale * min(WIDTH / photo.shape[1], HEIGHT / photo.shape[0])
    left = (WIDTH - fit * photo.shape[1]) / 2 + shift[0]
    top = (HEIGHT - fit * photo.shape[0]) / 2 + shift[1]
    place = np.array([[fit, 0, left], [0, fit, top]], np.float32)
    frame = cv2.warpAffine(
        photo, place, (WIDTH, HEIGHT), flags=cv2.INTER_LINEAR, borderValue=(90, 90, 90)
    )
    return np.asarray(frame, np.uint8)


def _load(path: Path) -> RGB:
    """A photo, upright, and not larger than it is needed here."""
    with Image.open(path) as image:
        upright = ImageOps.exif_transpose(image).convert("RGB")
        upright.thumbnail((WIDTH, WIDTH), Image.Resampling.LANCZOS)
        return np.asarray(upright, np.uint8).copy()


def make_films(folder: Path, films: list[FilmPlan]) -> None:
    """Write the films, named by their number."""
    folder.mkdir(parents=True)
    for number, plan in enumerate(films):
        encoder = FilmEncoder(WIDTH, HEIGHT)
        for at, frame in enumerate(frames_of(plan)):
            encoder.add(at / RATE, frame)
        (folder / f"{number:04d}.mp4").write_bytes(encoder.finish())


def score(films: list[FilmPlan], verdicts: dict[str, dict[str, list[str] | None]]) -> None:
    """Print what was released and held.

    Args:
        films: The films.
        verdicts: By file and channel: the reasons for holding, or None if released.
    """
    truth = read_truth()
    by_plan = [(plan, verdicts[f"films/{n:04d}.mp4"]) for n, plan in enumerate(films)]
    for kind in dict.fromkeys(plan.kind for plan in films):
        of_kind = [(plan, verdict) for plan, verdict in by_plan if plan.kind == kind]
        wrong = [
            (plan, channel)
            for plan, verdict in of_kind
            for channel in CHANNELS
            if verdict[channel] is None and not plan.may_be_released(channel, truth)
        ]
        out = sum(all(v is None for v in verdict.values()) for _, verdict in of_kind)
        some = sum(any(v is None for v in verdict.values()) for _, verdict in of_kind)
        print(
            f"{kind}: {len(of_kind)} films; released wrongly: {len(wrong)} pairs of film, channel"
        )
        for plan, channel in wrong:
            print(f"    WRONG: {channel}: {plan}")
        print(
            f"    released to all channels: {out} = {out / max(len(of_kind), 1):.0%}; "
            f"to any: {some}"
        )
        reasons = Counter(r for _, v in of_kind for r in {r for c in v.values() for r in c or ()})
        print(f"    films held, by reason: {dict(reasons.most_common())}")


def main() -> None:
    """Make the films, run the gate over them and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cleared", type=int, default=40)
    parser.add_argument("--not-cleared", type=int, default=55)
    parser.add_argument("--stranger", type=int, default=55)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--home", type=Path, help="keep the home here")
    asked = parser.parse_args()
    print(heading("Films of the made-up school"), flush=True)
    count = {
        "cleared": asked.cleared,
        "not cleared": asked.not_cleared,
        "stranger": asked.stranger,
    }
    films = list(plans(np.random.default_rng(asked.seed), count))
    home = asked.home or Path(tempfile.mkdtemp()) / "home"
    gate(home, "init", str(home))
    import_term(home, "consent_wide.csv", "--photos", str(SCHOOL / "portraits"))
    gate(home, "portraits", "confirm", "--all", "--by", "benchmark")
    make_films(home / "inbox" / "films", films)
    print(f"{len(films)} films of {2 * SCENE_FRAMES / RATE:.1f} s are made", flush=True)
    began = time.perf_counter()
    gate(home, "ingest", "--once", "--json")
    seconds = time.perf_counter() - began
    print(f"examined and published in {seconds:.0f} s = {seconds / len(films):.1f} s a film")
    score(films, verdicts_of(items(home)))


if __name__ == "__main__":
    main()
