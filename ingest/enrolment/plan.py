"""Find which pupil each enrolment photo shows, by file names or the school's own list.

No photo is opened here. Photos of pupils without biometric consent are returned with the reason
among those that are not to be opened.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from pathlib import PurePosixPath, PureWindowsPath

from consent_gate.model import BIOMETRIC, is_live
from consent_gate.register.identifiers import read_admission_number, read_upn
from consent_gate.register.snapshot import RegisterPupil
from ingest.enrolment.zip_contents import PHOTOS


class NotEnrolled(StrEnum):
    """Why a photo is not enrolled, as far as that is known without opening it."""

    NO_SUCH_PUPIL = "no_such_pupil"
    LEFT = "left"
    NO_BIOMETRIC_CONSENT = "no_biometric_consent"
    OBJECTION = "biometric_objection"
    SEVERAL_PUPILS = "several_pupils"
    """The file's name fits one pupil and the school's list says another, or two share a UPN."""
    NOT_A_PHOTO = "not_a_photo"


@dataclass(frozen=True)
class PhotoToEnrol:
    """A file to open, and its pupil."""

    name: str
    """Path in the folder or member of the ZIP."""
    pupil: str
    """Admission number."""
    taken_on: date | None = None
    """Day in the school's list; None where the list has none."""


@dataclass(frozen=True)
class PhotoLeftOut:
    """A file that is not opened."""

    name: str
    reason: NotEnrolled
    pupil: str | None = None
    """Admission number, where it is known."""


@dataclass(frozen=True)
class ListedPhoto:
    """A row of the school's own list of photos."""

    pupil: str | None
    """Admission number or UPN, as ``identifiers`` reads them; None when listed for two pupils."""
    taken_on: date | None = None


def plan_enrolment(
    names: Iterable[str],
    pupils: Mapping[str, RegisterPupil],
    listed: Mapping[str, ListedPhoto],
    today: date,
) -> tuple[list[PhotoToEnrol], list[PhotoLeftOut]]:
    """Decide which files to open for which pupil, and which not to open and why.

    Args:
        names: Paths in a folder or members of a ZIP.
        pupils: By admission number.
        listed: The school's own list by ``photo_key``; it has priority over the file's name.
        today: Day for which consent must be in force.
    """
    by_upn: dict[str, set[str]] = defaultdict(set)
    for pupil in pupils.values():
        if pupil.upn:
            by_upn[pupil.upn].add(pupil.admission_number)
    to_enrol, left_out = [], []
    for name in sorted(names):
        row = listed.get(photo_key(name))
        owner = _owner(name, row, pupils, by_upn)
        reason = owner if isinstance(owner, NotEnrolled) else refusal_reason(owner, today)
        number = None if isinstance(owner, NotEnrolled) else owner.admission_number
        if number is not None and reason is None:
            to_enrol.append(PhotoToEnrol(name, number, row.taken_on if row else None))
        elif reason is not None:
            left_out.append(PhotoLeftOut(name, reason, number))
    return to_enrol, left_out


def _owner(
    name: str,
    row: ListedPhoto | None,
    pupils: Mapping[str, RegisterPupil],
    by_upn: Mapping[str, Collection[str]],
) -> RegisterPupil | NotEnrolled:
    """The pupil whom a file shows, or why that is unknown."""
    if PurePosixPath(name).suffix.lower() not in PHOTOS:
        return NotEnrolled.NOT_A_PHOTO
    if row is not None and row.pupil is None:
        return NotEnrolled.SEVERAL_PUPILS
    found = _pupils((row and row.pupil) or _stem(name), pupils, by_upn)
    if len(found) == 1:
        return pupils[found.pop()]
    return NotEnrolled.SEVERAL_PUPILS if found else NotEnrolled.NO_SUCH_PUPIL


def refusal_reason(pupil: RegisterPupil, today: date) -> NotEnrolled | None:
    """Why this pupil may not be enrolled; None when consent is in force (PoFA 2012 ss.26-28)."""
    if not pupil.on_roll:
        return NotEnrolled.LEFT
    if pupil.biometric_objection:
        return NotEnrolled.OBJECTION
    if not is_live(pupil.consents.get(BIOMETRIC), today):
        return NotEnrolled.NO_BIOMETRIC_CONSENT
    return None


def _pupils(
    text: str, pupils: Mapping[str, RegisterPupil], by_upn: Mapping[str, Collection[str]]
) -> set[str]:
    number = read_admission_number(text)
    found = {number} & set(pupils) if number else set()
    return found | set(by_upn.get(read_upn(text), ()))


def _stem(name: str) -> str:
    """``Portraits/4123 (2).JPG`` -> ``4123``: copies and further photos have a suffix."""
    stem = PureWindowsPath(PurePosixPath(name).name).stem
    return re.sub(r"\s*\(\d+\)$|[ _-]+(copy|[a-z]|\d)$", "", stem.strip(), flags=re.I)


def photo_key(name: str) -> str:
    """The key under which file names are compared: without folder, in lower case."""
    return PureWindowsPath(name).name.casefold()
