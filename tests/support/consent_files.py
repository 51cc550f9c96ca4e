"""A handful of pupils as consent exports, and what an import of such a file would grant at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from consent_gate.model import is_live
from consent_gate.register.snapshot import RegisterPupil, RegisterSnapshot
from sims_import.planning.import_blocks import gate_plan
from sims_import.planning.prepare import ImportContext, PreparedImport, prepare, read_export
from sims_import.reconcile import ChangeKind
from tests.support.sims_school import ALL, TODAY, encode_csv, make_pupil, make_snapshot, wide_csv

TYPES = {
    "website": "School Website",
    "mag": "Millfields Mag",
    "displays": "School Displays",
    "biometric": "Biometric",
}
CAPTIONS = (
    "Photograph - Website",
    "Photograph - Millfields Mag",
    "Photograph - Displays",
    "Biometric Consent",
)
IDENTITY = ("Adno", "Surname", "Forename", "Reg Group")
EVERYTHING = ", ".join(TYPES.values())
Granted = set[tuple[str, str]]


def wide_rows(answers: Mapping[int, Sequence[str]] | None = None, size: int = 6) -> list[list[str]]:
    """A heading row and ``size`` pupils who say yes to all, but for those in ``answers``."""
    said = answers or {}
    rows = [[*IDENTITY, *CAPTIONS]]
    for number in range(1, size + 1):
        own = said.get(number, ("Yes",) * len(CAPTIONS))
        rows.append([f"{number:06}", f"Moss{number}", f"Ada{number}", "3W", *own])
    return rows


def with_column(caption: str, cells: Mapping[int, str], at: int | None = None) -> list[list[str]]:
    """``wide_rows`` with one more column, blank but for the pupils in ``cells``."""
    rows = wide_rows()
    where = len(rows[0]) if at is None else at
    for number, row in enumerate(rows):
        row.insert(where, cells.get(number, "") if number else caption)
    return rows


def cell_rows(cells: Mapping[int, str], size: int = 6) -> list[list[str]]:
    """One cell of types a pupil: everything, but for those in ``cells``."""
    rows = [["Adno", "Surname", "Parental Consent"]]
    for number in range(1, size + 1):
        rows.append([f"{number:06}", f"Moss{number}", cells.get(number, EVERYTHING)])
    return rows


def long_rows(head: Sequence[str], usual: Sequence[str], odd: Sequence[str]) -> list[list[str]]:
    """A row for each type of two pupils: ``usual`` after the types of the first, ``odd`` of the
    second."""
    rows = [["Adno", "Surname", *head]]
    for number, beside in ((1, usual), (2, odd)):
        rows += [[f"{number:06}", f"Moss{number}", name, *beside] for name in TYPES.values()]
    return rows


def known_school(size: int = 12) -> tuple[RegisterSnapshot, ImportContext]:
    """A register whose uses all differ, and what an import of just these pupils remembers."""
    school = [_differing(number) for number in range(1, size + 1)]
    prepared = prepared_import(wide_csv(school))
    return make_snapshot(school), ImportContext(saved=prepared.understanding.mapping)


def _differing(number: int) -> RegisterPupil:
    return make_pupil(number, given=[name for at, name in enumerate(ALL) if (number + at) % 4])


def prepared_import(
    data: bytes, before: RegisterSnapshot | None = None, context: ImportContext | None = None
) -> PreparedImport:
    """The import of ``data``, worked out."""
    context = context or ImportContext()
    table = read_export(data, "export", context)
    return prepare(table, before or RegisterSnapshot(), context, TODAY)


def granted(
    rows: Sequence[Sequence[str]] | bytes,
    before: RegisterSnapshot | None = None,
    context: ImportContext | None = None,
) -> Granted:
    """Admission number and purpose of every consent that would be given without a person."""
    data = rows if isinstance(rows, bytes) else encode_csv(rows)
    prepared = prepared_import(data, before, context)
    done = gate_plan(prepared.plan, prepared.blocks, ())
    marked = {change.pupil for change in done.apply_now if change.kind is ChangeKind.MARKED}
    return {
        (change.pupil, change.subject)
        for change in done.apply_now
        if change.kind is ChangeKind.GRANTED
        and is_live(change.after, TODAY)  # type: ignore[arg-type]
        and change.pupil not in marked
    }


def standing(rows: Sequence[Sequence[str]], **more: object) -> list[str]:
    """Codes of everything that stops the import."""
    return [block.code for block in prepared_import(encode_csv(rows), **more).blocks]  # type: ignore[arg-type]
