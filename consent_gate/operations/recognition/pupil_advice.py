"""Name pupils whose templates the office should look at, and years that are hard to tell apart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

from consent_gate.db.evidence_json import from_json
from consent_gate.db.models import PupilEntry, StaffTag
from consent_gate.errors import GateError
from consent_gate.home.home import Home
from consent_gate.matching.own_templates import (
    YearFaces,
    disagreeing_pupils,
    disagreeing_rows,
    faces_by_year,
)
from consent_gate.matching.thresholds import Thresholds
from consent_gate.model import Examined, Match, NotMatched, TagKind
from consent_gate.operations.health.health_check import HealthCheck, State
from consent_gate.register.repository import compared_photos, day_of, load_gallery
from consent_gate.register.thresholds import thresholds_in_force

OFTEN = 2
"""From this number of faces on that staff named and the machine did not, a pupil is listed."""


@dataclass(frozen=True)
class PupilAdvice:
    """What the office can do so that more pupils are recognised, and where it must look."""

    disagreeing: tuple[str, ...]
    """Pupils with a template that does not look like their other templates."""
    pictures: tuple[str, ...]
    """Where each of these templates comes from, for staff."""
    often_named_by_staff: tuple[tuple[str, int], ...]
    """Enrolled pupils whom staff had to name, with the number of faces, most first."""
    years: tuple[YearFaces, ...]

    def as_json(self) -> dict[str, Any]:
        """For ``calibrate --json``."""
        return {
            "disagreeing": list(self.disagreeing),
            "served_badly": [
                {"pupil": n, "faces": count} for n, count in self.often_named_by_staff
            ],
            "years": [asdict(year) for year in self.years],
        }

    def lines(self) -> Iterator[str]:
        """For a person at the command line."""
        if self.disagreeing:
            yield (
                f"Templates of these pupils do not look like the same child: "
                f"{', '.join(self.disagreeing)}. Look at their portraits, and remove a wrong one:"
                f" {'; '.join(self.pictures)}."
            )
        if self.often_named_by_staff:
            named = ", ".join(f"{number} ({count})" for number, count in self.often_named_by_staff)
            yield f"Another portrait would help these pupils, whom staff had to name: {named}."
        for year in self.years:
            if year.confused:
                yield (
                    f"{year.year}: {year.confused} of {year.pupils} pupils look so alike to the"
                    " models that one could be taken for another. Name the classes of events, and"
                    " enrol every pupil of the year who has consent."
                )


def pupil_advice(
    home: Home,
    siblings: Collection[tuple[str, str]] = (),
    candidate: Thresholds | None = None,
) -> PupilAdvice:
    """Compare the templates in force with each other, and count whom staff had to name.

    Args:
        home: The school's home.
        siblings: Pairs of admission numbers, which are left out of the years.
        candidate: Thresholds to compare with; None for those of SFace and dlib in force.

    Raises:
        GateError: As ``load_gallery``.
    """
    gallery, thresholds = load_gallery(home), candidate or thresholds_in_force()
    years = dict(PupilEntry.objects.values_list("admission_number", "year_group"))
    return PupilAdvice(
        disagreeing_pupils(gallery, thresholds),
        _pictures_of(home, disagreeing_rows(gallery, thresholds)),
        often_named_by_staff(gallery.pupils),
        faces_by_year(gallery, thresholds, years, siblings),
    )


def templates(home: Home) -> Iterator[HealthCheck]:
    """Whether all templates of each pupil look like the same child."""
    try:
        found = disagreeing_pupils(load_gallery(home), thresholds_in_force())
    except GateError:
        return  # the checks of keys and models say why
    if found:
        message = (
            f"Templates of {len(found)} pupils do not look like the same child. 'consent-gate"
            " calibrate' names them and their pictures. Look at the portraits, and remove a wrong"
            " one."
        )
        yield HealthCheck("templates", "Templates", State.WARNING, message)
    else:
        yield HealthCheck("templates", "Templates", State.GOOD, "Each pupil's are alike.")


def often_named_by_staff(enrolled: Iterable[str]) -> tuple[tuple[str, int], ...]:
    """Return the enrolled pupils whom staff had to name often, with the number of faces.

    Args:
        enrolled: Admission numbers of the pupils with a portrait.

    Returns:
        The pupil with the most faces first.
    """
    named = _named_by_staff()
    badly = [(number, named[number]) for number in enrolled if named[number] >= OFTEN]
    return tuple(sorted(badly, key=lambda pair: (-pair[1], pair[0])))


def _pictures_of(home: Home, rows: Iterable[int]) -> tuple[str, ...]:
    """Say of templates of ``load_gallery`` whose they are and which picture they come from."""
    # gallery_of sorts the photos by pupil, and keeps the order of each pupil's.
    photos = sorted(compared_photos(home), key=lambda photo: photo.pupil.admission_number)
    found = []
    for row in rows:
        photo = photos[row]
        day = f"{day_of(photo):%d %B %Y}"
        origin = f"face in {photo.item.source}" if photo.item else f"portrait of {day}"
        found.append(f"{photo.pupil.admission_number}, {origin}")
    return tuple(found)


def _named_by_staff() -> Counter[str]:
    """By admission number, clear faces that staff named as a pupil and the machine did not."""
    found: Counter[str] = Counter()
    named = StaffTag.objects.filter(kind=TagKind.PUPIL.value, box__isnull=True)
    for tag in named.select_related("item").iterator():
        evidence = from_json(tag.item.evidence)
        if not isinstance(evidence, Examined) or tag.face >= len(evidence.faces):
            continue
        if not isinstance(evidence.faces[tag.face].identity, Match | NotMatched):
            found[tag.admission_number] += 1
    return found
