"""An import from beginning to end, however it came in: the register, the photos, the report."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from consent_gate.home.home import Home
from sims_import.apply import ExportFile, carry_out
from sims_import.enrol import Enrolled, Photos, Progress, enrol
from sims_import.photos import ListedPhoto
from sims_import.report import Outcome, report


@dataclass(frozen=True)
class PhotosGiven:
    """Enrolment photos that came with an export, or by themselves."""

    sources: Sequence[Photos] = ()
    listed: Mapping[str, ListedPhoto] = field(default_factory=dict)
    """The school's own list of whose each photo is, by ``photo_key``."""
    said_on: date | None = None
    """When a person says they were taken; counts for photos that do not tell themselves."""


def bring_in(  # noqa: PLR0913, PLR0917  what an import consists of
    home: Home,
    export: ExportFile,
    accepted: Collection[str],
    by: str,
    photos: PhotosGiven,
    progress: Progress,
) -> dict[str, Any]:
    """Apply what no brake stops, enrol the photos, keep and return the contract's report.

    Raises ExportUnreadable, with nothing changed.
    """
    prepared, applied = carry_out(home, export, accepted, by)
    enrolled = enrol_all(home, photos, by, progress)
    outcome = Outcome(
        enrolled=enrolled.enrolled,
        not_enrolled=enrolled.not_enrolled,
        recalled=applied.recalled + enrolled.recalled,
        questions=prepared.understanding.questions,
    )
    result: dict[str, Any] = dict(report(prepared.plan, applied.done, outcome))
    result["warnings"] += photo_warnings(enrolled)
    # The questions' samples are cells of the export, which may hold names.
    applied.run.summary = {**result, "questions": []}
    applied.run.save(update_fields=["summary"])
    return result


def enrol_all(home: Home, photos: PhotosGiven, by: str, progress: Progress) -> Enrolled:
    """Enrol from every source in turn; one result."""
    listed, said_on = dict(photos.listed), photos.said_on
    done = [enrol(home, source, listed, by, progress, said_on) for source in photos.sources]
    return Enrolled(
        enrolled=tuple(dict.fromkeys(n for one in done for n in one.enrolled)),
        not_enrolled=tuple(left for one in done for left in one.not_enrolled),
        undated=sum(one.undated for one in done),
        lookalikes=done[-1].lookalikes if done else (),
        recalled=sum(one.recalled for one in done),
    )


def photo_warnings(enrolled: Enrolled) -> list[dict[str, Any]]:
    """What to tell staff about the photos, in the contract's form for warnings."""
    messages = [
        f"Pupils {first} and {second} look alike to the models: neither is cleared by the machine"
        " unless both are cleared for that use."
        for first, second in enrolled.lookalikes
    ]
    if enrolled.undated:
        messages.append(
            f"{enrolled.undated} enrolment photos have no known date: their age counts from the"
            " day they were first imported."
        )
    return [{"row": 0, "column": "", "message": message} for message in messages]
