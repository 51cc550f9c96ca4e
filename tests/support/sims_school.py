"""A small made-up school, its exports as text, and short ways to import them."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from datetime import date

from consent_gate.model import Answer, Consent
from consent_gate.register.snapshot import RegisterPupil, RegisterSnapshot
from sims_import.planning.import_blocks import GatedPlan, gate_plan
from sims_import.planning.prepare import ImportContext, PreparedImport, prepare, read_export
from sims_import.reconcile import ChangeKind
from sims_import.roster.records import PupilRecord

TODAY = date(2026, 9, 7)
GIVEN = Consent(Answer.GIVEN)
REFUSED = Consent(Answer.REFUSED)
NOT_STATED = Consent(Answer.NOT_STATED)
ALL = ("website", "mag", "displays", "biometric")

HEADER = (
    "Adno",
    "UPN",
    "Legal Forename",
    "Legal Surname",
    "Reg Group",
    "Photograph - Website",
    "Photograph - Millfields Mag",
    "Photograph - Displays",
    "Biometric Consent",
    "Never Publish",
)


def as_csv(rows: Sequence[Sequence[str]], delimiter: str = ",") -> bytes:
    """Rows as a CSV file."""
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter).writerows(rows)
    return out.getvalue().encode()


def wide_row(pupil: RegisterPupil) -> list[str]:
    """A pupil as a row under ``HEADER``."""
    ticks = {Answer.GIVEN: "T", Answer.REFUSED: "F", Answer.NOT_STATED: ""}
    return [
        pupil.admission_number,
        pupil.upn,
        pupil.forename,
        pupil.surname,
        pupil.reg_group,
        *(ticks[pupil.consents.get(name, NOT_STATED).answer] for name in ALL),
        "T" if pupil.never_publish else "",
    ]


def wide(pupils: Sequence[RegisterPupil]) -> bytes:
    """An export with one column per type."""
    return as_csv([HEADER, *map(wide_row, pupils)])


def pupil(number: int, given: Sequence[str] = ALL, **more: object) -> RegisterPupil:
    """A pupil with a name of their own who has consented to ``given``."""
    consents = {name: GIVEN if name in given else NOT_STATED for name in ALL}
    fields = {"forename": f"Ada{number}", "surname": f"Moss{number}", "reg_group": "3W", **more}
    return RegisterPupil(f"{number:06}", consents=consents, **fields)  # type: ignore[arg-type]


def register(pupils: Sequence[RegisterPupil], **more: object) -> RegisterSnapshot:
    """A register of these pupils."""
    return RegisterSnapshot({p.admission_number: p for p in pupils}, **more)  # type: ignore[arg-type]


def whole_school(size: int = 40) -> list[RegisterPupil]:
    """A school in which everybody has consented to everything."""
    return [pupil(number) for number in range(4001, 4001 + size)]


def bring_in(
    data: bytes,
    before: RegisterSnapshot | None = None,
    school: ImportContext | None = None,
    exported_on: date | None = None,
) -> PreparedImport:
    """Prepare an import of ``data`` into ``before`` (an empty register when None)."""
    school = school or ImportContext()
    table = read_export(data, "export", school)
    return prepare(table, before or RegisterSnapshot(), school, TODAY, exported_on)


def records(data: bytes) -> dict[str, PupilRecord]:
    """The records in an export, by admission number."""
    return {record.admission_number: record for record in bring_in(data).plan.roster.records}


def given(data: bytes) -> dict[str, set[str]]:
    """The purposes each pupil has consented to, by admission number."""
    return {
        number: {name for name, c in record.consents.items() if c.answer is Answer.GIVEN}
        for number, record in records(data).items()
    }


def codes(prepared: PreparedImport) -> list[str]:
    """The codes of the blocks."""
    return [block.code for block in prepared.blocks]


def done(prepared: PreparedImport, *accepted: str) -> GatedPlan:
    """What applies and what waits."""
    return gate_plan(prepared.plan, prepared.blocks, accepted)


def applied(result: GatedPlan, kind: ChangeKind) -> list[str]:
    """Admission numbers with an applied change of this kind."""
    return [change.pupil for change in result.apply_now if change.kind is kind]


def waiting(result: GatedPlan, kind: ChangeKind) -> list[str]:
    """Admission numbers with a waiting change of this kind."""
    return [change.pupil for change in result.deferred_changes if change.kind is kind]
