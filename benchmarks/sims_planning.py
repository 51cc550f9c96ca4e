"""How long it takes to plan an import for a trust, and how much memory.

    python -m benchmarks.sims_planning [PUPILS [xlsx]]

Prints seconds of processor time and peak memory (of this process or of the child that opens
workbooks) for each kind of export of a made trust of 25 000 pupils: reading, understanding and
planning against a register of the same size.
"""

from __future__ import annotations

import io
import resource
import sys
import time
from datetime import date

import openpyxl

from consent_gate.model import Answer, Consent
from consent_gate.register.snapshot import RegisterPupil, RegisterSnapshot
from sims_import.planning.prepare import ImportContext, prepare, read_export

TODAY = date(2026, 11, 22)
NAMES = ("website", "mag", "displays", "biometric")
HEAD = (
    "Adno,UPN,Legal Forename,Legal Surname,Preferred Forename,Date of Birth,Reg Group,"
    "Year taught in,Family,Photograph - Website,Photograph - Millfields Mag,"
    "Photograph - Displays,Biometric Consent,Never Publish"
)


def cells(number: int) -> list[str]:
    """A pupil's row; every seventh has consented to nothing."""
    tick = "" if number % 7 == 0 else "T"
    born = f"{number % 28 + 1:02}/{number % 12 + 1:02}/201{number % 9}"
    names = [f"Name{number % 500}", f"Surname{number}", f"Name{number % 500}"]
    return [
        f"{number:06}",
        "",
        *names,
        born,
        f"{number % 6 + 1}W",
        f"Year  {number % 6 + 1}",
        f"F{number // 2}",
        *[tick] * 4,
        "",
    ]


def as_csv(pupils: int) -> bytes:
    lines = (",".join(cells(number)) for number in range(1, pupils + 1))
    return "\n".join([HEAD, *lines]).encode()


def as_long(pupils: int) -> bytes:
    kinds = ("School Website", "Millfields Mag", "School Displays", "Biometric", "Never Publish")
    rows = ["Adno,Forename,Surname,Family,Consent Type,Consent Given"]
    for number in range(1, pupils + 1):
        row = cells(number)
        start = ",".join([row[0], row[2], row[3], row[8]])
        rows += [f"{start},{kind},{answer}" for kind, answer in zip(kinds, row[9:], strict=True)]
    return "\n".join(rows).encode()


def as_xml(pupils: int) -> bytes:
    tags = [name.replace(" ", "_x0020_").replace("-", "_x002D_") for name in HEAD.split(",")]
    records = (
        "".join(f"<{t}>{c}</{t}>" for t, c in zip(tags, cells(number), strict=True) if c)
        for number in range(1, pupils + 1)
    )
    body = "".join(f"<Record>{record}</Record>" for record in records)
    return f"<SuperStarReport>{body}</SuperStarReport>".encode()


def as_xlsx(pupils: int) -> bytes:
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("Sheet")
    sheet.append(HEAD.split(","))
    for number in range(1, pupils + 1):
        sheet.append([number, *cells(number)[1:]])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def register(pupils: int) -> RegisterSnapshot:
    """The same trust a term ago: every hundredth pupil had not consented to the website yet."""
    found = {}
    for number in range(1, pupils + 1):
        row = cells(number)
        given = Answer.GIVEN if row[9] else Answer.NOT_STATED
        consents = {name: Consent(given) for name in NAMES}
        if number % 100 == 0:
            consents["website"] = Consent(Answer.NOT_STATED)
        found[row[0]] = RegisterPupil(
            row[0], "", row[2], row[3], reg_group=row[6], family_key=row[8], consents=consents
        )
    return RegisterSnapshot(found, TODAY)


def main() -> None:
    pupils = int(sys.argv[1]) if len(sys.argv) > 1 else 25_000
    before = register(pupils)
    print(f"{pupils} pupils; memory before: {_megabytes():.0f} MB")
    for kind, write in (("wide csv", as_csv), ("long csv", as_long), ("xml", as_xml)):
        _measure(kind, write(pupils), before)
    if len(sys.argv) > 2:
        # Writing the workbook takes far more memory than reading it, so it is left to the end.
        _measure("xlsx", as_xlsx(pupils), before)


def _measure(kind: str, data: bytes, before: RegisterSnapshot) -> None:
    school = ImportContext()
    start = _seconds()
    table = read_export(data, kind, school)
    read = _seconds()
    prepared = prepare(table, before, school, TODAY)
    end = _seconds()
    print(
        f"{kind:9} {len(table.rows):7} rows: read {read - start:.1f} s, "
        f"planned {end - read:.1f} s, {len(prepared.plan.changes)} changes, "
        f"peak {_megabytes():.0f} MB"
    )


def _seconds() -> float:
    """Processor time of this process and of the children that open workbooks."""
    child = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + child.ru_utime + child.ru_stime


def _megabytes() -> float:
    """Peak memory of this process or of its largest child, whichever is more."""
    each = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return max(resource.getrusage(who).ru_maxrss for who in each) / 1024


if __name__ == "__main__":
    main()
