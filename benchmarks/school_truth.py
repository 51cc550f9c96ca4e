"""Read what the photos and exports of the made-up school say: who is shown, who consented."""

from __future__ import annotations

import csv
from dataclasses import dataclass

from benchmarks.data import SHARED

CHANNELS = ("website", "mag", "displays")
SCHOOL = SHARED / "school"


@dataclass(frozen=True)
class Truth:
    """One row of truth.csv."""

    people: tuple[str, ...]
    cleared: dict[str, bool]
    """By channel: consent allows everyone in the photo."""
    guarded: bool
    """Someone in the photo has a sibling who is not enrolled, so that staff must decide."""

    @property
    def group(self) -> str:
        count = len(self.people)
        return "0" if not count else "1" if count == 1 else "2-6" if count <= 6 else "8-14"


def read_truth() -> dict[str, Truth]:
    """The truth by path below the events folder."""
    with (SCHOOL / "truth.csv").open(encoding="utf-8") as file:
        return {
            row["file"]: Truth(
                tuple(row["people"].replace(";", " ").split()),
                {channel: row[channel] == "1" for channel in CHANNELS},
                row["sibling_of_unenrolled"] == "1",
            )
            for row in csv.DictReader(file)
        }


def read_answers(name: str) -> dict[str, dict[str, bool]]:
    """The answers in an export, by pupil and channel: whether the pupil's family agreed.

    ``name`` is a file in the folder ``sims`` of the made-up school.
    """
    captions = ("Photograph - Website", "Photograph - Millfields Mag", "Photograph - Displays")
    with (SCHOOL / "sims" / name).open(encoding="utf-8-sig") as file:
        return {
            row["Adno"]: {
                c: row[caption] == "T" for c, caption in zip(CHANNELS, captions, strict=True)
            }
            for row in csv.DictReader(file)
        }
