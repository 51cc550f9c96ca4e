"""Make a school of classes of 30 with class events, from public pictures of adults.

Each event shows one class in photos of 2 to 20 people. Some photos also show a visitor, a classmate
without consent or without biometric consent, or a child of another class. A face is cut out as an
oval with a soft edge, so that bystanders in the source picture are left out.
"""

from __future__ import annotations

import csv
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from benchmarks.faces.embeddings import samples

CLASS_SIZE = 30
WITH_ALL_CONSENTS, WITHOUT_WEBSITE, WITHOUT_BIOMETRIC = 24, 26, 28
"""In each class: pupils before the first number have every consent, those before the second lack
the website, those before the third lack biometric consent, and the rest lack both."""

GROUPS = (2, 3, 4, 5, 6, 8, 10, 12, 15, 20)
"""Numbers of people in the photos that show only pupils with every consent."""

GROUPS_TO_HOLD = (2, 4, 7, 11)
"""Numbers of such pupils in photos that also show somebody else."""

FORENAMES = ("Aisha", "Oliver", "Amelia", "Noah", "Mia", "Leo", "Freya", "Arthur", "Zara", "Theo")
SURNAMES = ("Okafor", "Bennett", "Hussain", "Marsh", "Kowalski", "Adeyemi", "Turner", "Patel")
HEADER = (
    *("Adno", "Legal Forename", "Legal Surname", "Reg Group", "Year taught in", "Family"),
    *("Photograph - Website", "Photograph - Millfields Mag", "Photograph - Displays"),
    *("Biometric Consent", "Never Publish"),
)
Shown = tuple["Pupil | None", Path]
"""Who is shown (None is a visitor), and the picture used."""


@dataclass(frozen=True)
class Pupil:
    """One pupil of the made school."""

    number: str
    forename: str
    surname: str
    class_name: str
    website: bool
    biometric: bool
    pictures: tuple[Path, ...]
    """The first is the portrait, the second the further portrait, the rest are for events."""

    @property
    def is_clear(self) -> bool:
        """Whether the machine may clear the pupil for the website."""
        return self.website and self.biometric


@dataclass(frozen=True)
class Source:
    """The pictures that a school is made from."""

    people: Mapping[str, Sequence[Path]]
    """By person. Whole classes are made of these people."""
    others: Sequence[Path]
    """One picture a person: pupils of further classes who are in no photo."""
    visitors: Sequence[Path]


def source_of(root: Path, half: str) -> Source:
    """The pictures of one half of the test photos.

    The fit half has people for two classes only; strangers of that half fill the school up. For the
    report, all people with five pictures or more are used.
    """
    found = samples(root)
    fit = half == "fit"
    people: dict[str, list[Path]] = {}
    for sample in found:
        if sample.member and (sample.fit or not fit):
            people.setdefault(sample.person, []).append(sample.path)
    few = 4 if fit else 5
    enough = {person: paths for person, paths in sorted(people.items()) if len(paths) >= few}
    strangers = [s.path for s in found if not s.member and s.fit is fit]
    return Source(enough, strangers[:120] if fit else (), strangers[120:] if fit else strangers)


def make_school(source: Source, out: Path, seed: int) -> None:
    """Write portraits, an export, events and what each photo shows.

    ``portraits/``, ``portraits2/``, ``consent.csv``, ``events/<class>-trip/`` (the first event),
    ``events/<class>-fair/`` (the next, from pictures that the first does not show), ``faces.csv``
    (file, admission number or ``visitor``, box), ``photos.csv`` (file, people, website).
    """
    rng = random.Random(seed)  # noqa: S311  a fixed seed gives the same school
    names = list(source.people)
    rng.shuffle(names)
    names = names[: len(names) - len(names) % CLASS_SIZE]
    pupils = [_pupil(rng, i, tuple(source.people[name])) for i, name in enumerate(names)]
    others = [_pupil(rng, len(pupils) + i, (path,)) for i, path in enumerate(source.others)]
    _write_portraits(out, [*pupils, *others])
    _write_export(out / "consent.csv", [*pupils, *others])
    visitors = list(source.visitors)
    rng.shuffle(visitors)
    _EventMaker(out, pupils, visitors, rng, np.random.default_rng(seed)).make_all()


def _pupil(rng: random.Random, index: int, pictures: tuple[Path, ...]) -> Pupil:
    place = index % CLASS_SIZE
    return Pupil(
        number=f"{7000 + index * 3:06d}",
        forename=rng.choice(FORENAMES),
        surname=rng.choice(SURNAMES),
        class_name=f"{index // CLASS_SIZE + 1}K",
        website=place < WITH_ALL_CONSENTS or WITHOUT_WEBSITE <= place < WITHOUT_BIOMETRIC,
        biometric=place < WITHOUT_WEBSITE,
        pictures=pictures,
    )


def _write_portraits(out: Path, pupils: Sequence[Pupil]) -> None:
    for folder, place in (("portraits", 0), ("portraits2", 1)):
        (out / folder).mkdir(parents=True)
        for pupil in pupils:
            if place < len(pupil.pictures):
                portrait = _crop(Image.open(pupil.pictures[place]).convert("RGB"), 420)
                portrait.save(out / folder / f"{pupil.number}.jpg", quality=92)


def _crop(picture: Image.Image, width: int) -> Image.Image:
    across, down = picture.size
    cut = picture.crop((int(across * 0.18), int(down * 0.14), int(across * 0.82), int(down * 0.86)))
    return cut.resize((width, int(width * cut.size[1] / cut.size[0])), Image.Resampling.LANCZOS)


def _write_export(path: Path, pupils: Sequence[Pupil]) -> None:
    def tick(given: bool) -> str:
        return "T" if given else ""

    with path.open("w", newline="", encoding="utf-8-sig") as file:
        rows = csv.writer(file)
        rows.writerow(HEADER)
        for i, p in enumerate(pupils):
            year = f"Year {p.class_name.removesuffix('K')}"
            photos = [tick(p.website)] * 3
            identity = [p.number, p.forename, p.surname, p.class_name, year, f"H{5000 + i}"]
            rows.writerow([*identity, *photos, tick(p.biometric), ""])


class _EventMaker:
    """Writes the photos of all events, and what they show."""

    def __init__(
        self,
        out: Path,
        pupils: Sequence[Pupil],
        visitors: list[Path],
        rng: random.Random,
        noise: np.random.Generator,
    ) -> None:
        self._out = out
        self._pupils = pupils
        self._visitors = visitors
        self._rng = rng
        self._noise = noise
        self._faces: list[list[object]] = []
        self._photos: list[list[object]] = []
        self._used: dict[str, set[Path]] = {}

    def make_all(self) -> None:
        classes = list(dict.fromkeys(pupil.class_name for pupil in self._pupils))
        for event, unused in (("trip", 2), ("fair", 1)):
            for name in classes:
                self._make_event(name, event, unused)
        for name, header, rows in (
            ("faces.csv", ("file", "pupil", "x", "y", "width", "height"), self._faces),
            ("photos.csv", ("file", "people", "website"), self._photos),
        ):
            with (self._out / name).open("w", newline="", encoding="utf-8") as file:
                csv.writer(file).writerows([header, *rows])

    def _make_event(self, class_name: str, event: str, unused: int) -> None:
        """One event of a class; ``unused`` pictures of each pupil are never shown."""
        mates = [p for p in self._pupils if p.class_name == class_name]
        clear = [p for p in mates if p.is_clear]
        folder = f"{class_name.casefold()}-{event}"
        for size in GROUPS:
            self._add(folder, [self._show(p, unused) for p in self._rng.sample(clear, size)])
        elsewhere = [p for p in self._pupils if p.class_name != class_name]
        others: list[Shown] = [
            self._show(self._rng.choice([p for p in mates if not p.biometric]), unused),
            (None, self._visitors.pop()),
            self._show(self._rng.choice([p for p in mates if not p.website]), unused),
            self._show(self._rng.choice([p for p in elsewhere if not p.biometric]), unused),
        ]
        for size, other in zip(GROUPS_TO_HOLD, others, strict=True):
            people = [*(self._show(p, unused) for p in self._rng.sample(clear, size)), other]
            self._rng.shuffle(people)
            self._add(folder, people)

    def _show(self, pupil: Pupil, unused: int) -> Shown:
        """A picture of the pupil; the second event shows none that the first has shown."""
        used = self._used.setdefault(pupil.number, set())
        left = [path for path in pupil.pictures[unused:] if unused > 1 or path not in used]
        path = self._rng.choice(left or list(pupil.pictures[2:]))
        if unused > 1:
            used.add(path)
        return pupil, path

    def _add(self, folder: str, people: Sequence[Shown]) -> None:
        (self._out / "events" / folder).mkdir(parents=True, exist_ok=True)
        name = f"{folder}/DSC_{len(self._photos) + 1:04d}.JPG"
        size = (2000, 1334) if len(people) <= 6 else (3000, 2000)
        picture = self._background(*size)
        across = int(np.ceil(np.sqrt(len(people) * 1.5)))
        cell = (size[0] // across, size[1] // int(np.ceil(len(people) / across)))
        for place, (pupil, path) in enumerate(people):
            width = int(min(cell[0], cell[1] * 0.77) * self._rng.uniform(0.55, 0.95))
            head, mask = _head(Image.open(path).convert("RGB"), width)
            x = (place % across) * cell[0] + self._rng.randint(0, max(0, cell[0] - head.size[0]))
            y = (place // across) * cell[1] + self._rng.randint(0, max(0, cell[1] - head.size[1]))
            picture.paste(head, (x, y), mask)
            number = pupil.number if pupil else "visitor"
            self._faces.append([name, number, x, y, *head.size])
        picture.save(self._out / "events" / name, "JPEG", quality=80)
        allowed = all(pupil is not None and pupil.is_clear for pupil, _ in people)
        self._photos.append([name, len(people), int(allowed)])

    def _background(self, width: int, height: int) -> Image.Image:
        top, bottom = self._noise.integers(90, 190, 3), self._noise.integers(40, 140, 3)
        fade = top + (bottom - top) * np.linspace(0, 1, height)[:, None, None]
        blots = Image.fromarray(self._noise.integers(0, 40, (5, 8), dtype=np.uint8))
        large = np.asarray(blots.resize((width, height), Image.Resampling.BICUBIC))[..., None]
        return Image.fromarray((fade.repeat(width, 1) + large).clip(0, 255).astype(np.uint8))


def _head(picture: Image.Image, width: int) -> tuple[Image.Image, Image.Image]:
    """The head as an oval with a soft edge: picture and mask."""
    cut = picture.crop((50, 28, 200, 222))
    cut = cut.resize((width, int(width * cut.size[1] / cut.size[0])), Image.Resampling.LANCZOS)
    mask, edge = Image.new("L", cut.size, 0), max(1, width // 40)
    oval = (edge, edge, cut.size[0] - edge, cut.size[1] - edge)
    ImageDraw.Draw(mask).ellipse(oval, fill=255)
    return cut, mask.filter(ImageFilter.GaussianBlur(edge))
