"""A school of 244 made-up pupils, its exports of six kinds, and those of the next term.

The same tests read the larger made school of the test photos (tests/README.md) where that is.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass, replace
from pathlib import Path

from consent_gate.register.identifiers import UPN_LETTERS
from tests.support.sims_writers import to_csv, to_xlsx, to_xml, with_titles

KINDS = (
    "consent_wide.csv",
    "consent_wide_cp1252_titles.csv",
    "consent_cell_utf16.csv",
    "consent_long.csv",
    "consent_wide.xlsx",
    "consent_commandreporter.xml",
)
NEXT_TERM = "consent_next_term.csv"
PURPOSES = ("website", "mag", "displays", "biometric")
PUPILS = 244
_WIDE = [
    "Adno",
    "UPN",
    "Legal Forename",
    "Legal Surname",
    "Preferred Forename",
    "Date of Birth",
    "Reg Group",
    "Year taught in",
    "Family",
    "Photograph - Website",
    "Photograph - Millfields Mag",
    "Photograph - Displays",
    "Biometric Consent",
    "Never Publish",
]
_TYPES = ("School Website", "Millfields Mag", "School Displays", "Biometric")
_FORENAMES = ("Ravi", "Zoë", "Leo", "Kwame", "Aoife", "Mary-Jane", "José", "Ida")
_SURNAMES = ("Moss", "O'Brien", "de la Cruz", "Hughes", "Núñez", "Reid", "Shaw")


@dataclass(frozen=True)
class MadeSchool:
    """A folder with ``people.csv`` and ``sims/``, and what its next term brings."""

    folder: Path
    withdrawn: tuple[str, ...]
    """Admission numbers whose consent for the website is withdrawn; sorted, as all here are."""
    leavers: tuple[str, ...]
    joiners: tuple[str, ...]
    """Who gives every consent, having said nothing before."""

    def export(self, kind: str) -> bytes:
        """The bytes of one of ``KINDS``, or of ``NEXT_TERM``."""
        return (self.folder / "sims" / kind).read_bytes()


def given_school(shared: Path) -> MadeSchool:
    """The one that lies beside the repository."""
    return MadeSchool(
        shared / "data" / "school",
        withdrawn=("004009", "004159", "004219", "004243", "004333", "004348"),
        leavers=("004015", "004054", "004369"),
        joiners=("004567", "004603", "004609", "004636"),
    )


@dataclass(frozen=True)
class _Pupil:
    index: int
    given: tuple[bool, bool, bool, bool]
    """By ``PURPOSES``."""

    @property
    def number(self) -> str:
        return f"{5000 + 3 * self.index:06}"

    @property
    def never(self) -> bool:
        return self.index % 40 == 17

    @property
    def family(self) -> str:
        """Every third pupil has a brother or sister on the list."""
        return f"F{2000 + self.index // 3 * 3 + (self.index % 3 > 1)}"

    def identity(self) -> list[str]:
        digits = f"3004567{self.index:05}"
        total = sum(int(digit) * place for place, digit in enumerate(digits, start=2))
        forename = _FORENAMES[self.index % len(_FORENAMES)]
        surname = _SURNAMES[self.index % len(_SURNAMES)]
        return [self.number, UPN_LETTERS[total % 23] + digits, forename, surname]

    def ticks(self) -> list[str]:
        return ["T" if one else "" for one in (*self.given, self.never)]


def write_made_school(folder: Path) -> MadeSchool:
    """Write the school's files. The same every time."""
    pupils = [_Pupil(index, _answers(index)) for index in range(PUPILS)]
    sims = folder / "sims"
    sims.mkdir(parents=True)
    wide = _wide(pupils)
    written: dict[str, bytes] = {
        "consent_wide.csv": to_csv(wide, "utf-8-sig"),
        "consent_wide_cp1252_titles.csv": to_csv(with_titles(wide, PUPILS), "cp1252"),
        "consent_cell_utf16.csv": to_csv(_cells(pupils), "utf-16"),
        "consent_long.csv": to_csv(_long(pupils)),
        "consent_wide.xlsx": to_xlsx(wide),
        "consent_commandreporter.xml": to_xml(wide),
    }
    full = [p for p in pupils if all(p.given) and not p.never]
    silent = [p for p in pupils if not any(p.given) and not p.never]
    withdrawn, leavers, joiners = full[10:70:10], full[5:35:10], silent[:4]
    after = [_next_term(p, withdrawn, joiners) for p in pupils if p not in leavers]
    written[NEXT_TERM] = to_csv(_wide(after), "utf-8-sig")
    for name, data in written.items():
        (sims / name).write_bytes(data)
    _write_truth(folder / "people.csv", pupils)
    return MadeSchool(folder, _numbers(withdrawn), _numbers(leavers), _numbers(joiners))


def _answers(index: int) -> tuple[bool, bool, bool, bool]:
    """Most give everything; some nothing, some all but one."""
    if index % 12 == 5:
        return (False, False, False, False)
    kept_back = index % 9
    website, mag, displays, biometric = (kept_back != place for place in range(4))
    return website, mag, displays, biometric


def _next_term(pupil: _Pupil, withdrawn: list[_Pupil], joiners: list[_Pupil]) -> _Pupil:
    if pupil in withdrawn:
        return replace(pupil, given=(False, *pupil.given[1:]))
    return replace(pupil, given=(True, True, True, True)) if pupil in joiners else pupil


def _numbers(pupils: list[_Pupil]) -> tuple[str, ...]:
    return tuple(sorted(pupil.number for pupil in pupils))


def _wide(pupils: list[_Pupil]) -> list[list[str]]:
    return [_WIDE, *map(_wide_row, pupils)]


def _wide_row(pupil: _Pupil) -> list[str]:
    number, upn, forename, surname = pupil.identity()
    year = 1 + pupil.index % 6
    born = f"{1 + pupil.index % 28:02}/{1 + pupil.index % 12:02}/{2021 - year}"
    known_as = [number, upn, forename, surname, forename, born]
    return [*known_as, f"{year}W", f"Year  {year}", pupil.family, *pupil.ticks()]


def _cells(pupils: list[_Pupil]) -> list[list[str]]:
    head = ["Adno", "UPN", "Forename", "Surname", "Family", "Parental Consent"]
    types = (*_TYPES, "Never Publish")
    rows = [head]
    for p in pupils:
        said = [name for name, tick in zip(types, p.ticks(), strict=True) if tick]
        rows.append([*p.identity(), p.family, ", ".join(said)])
    return rows


def _long(pupils: list[_Pupil]) -> list[list[str]]:
    head = ["Admission Number", "UPN", "Forename", "Surname", "Family"]
    rows = [[*head, "Consent Type", "Consent Given"]]
    for p in pupils:
        for name, tick in zip((*_TYPES, "Never Publish"), p.ticks(), strict=True):
            rows.append([*p.identity(), p.family, name, "Yes" if tick else ""])
    return rows


def _write_truth(path: Path, pupils: list[_Pupil]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["adno", *PURPOSES, "never", "family"])
        for p in pupils:
            said = [str(int(one)) for one in (*p.given, p.never)]
            rows.writerow([p.number, *said, p.family])
