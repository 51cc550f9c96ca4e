"""Measure the time and memory of importing a trust's register.

    python -m benchmarks.sims_import [--rows 25000]

Writes a made-up export (without data of real children) and imports it into a new home in a
temporary folder with the command's own functions. Then it imports the same file again, and a file
of the next term. Prints seconds and the process's peak memory. The goal is 25 000 rows planned and
applied in under 10 s and 300 MB on SQLite. ``benchmarks.sims_planning`` measures reading and
planning alone, for every kind of export.
"""

from __future__ import annotations

import argparse
import csv
import io
import random
import resource
import tempfile
import time
from pathlib import Path

from benchmarks.machine import heading
from consent_gate.bootstrap import configure_django, create_home
from consent_gate.home.home import Home

configure_django()

CAPTIONS = (
    *("Adno", "UPN", "Legal Forename", "Legal Surname", "Preferred Forename", "Date of Birth"),
    *("Reg Group", "Year taught in", "Family", "Photograph - Website"),
    *("Photograph - Millfields Mag", "Photograph - Displays", "Biometric Consent"),
    "Never Publish",
)
FORENAMES = ("Ann", "Ben", "Zoë", "Dev", "Eve", "Finn", "Grace", "Hana", "Iris", "Jo")
SURNAMES = ("Archer", "Begum", "Clarke", "O'Dea", "Évans", "Fraser", "Grant", "Hughes")
UPN_LETTERS = "ABCDEFGHJKLMNPQRTUVWXYZ"


def upn(number: int) -> str:
    """A made-up UPN with a correct check letter."""
    digits = f"{204_000_000_000 + number:012d}"
    total = sum(int(digit) * place for place, digit in enumerate(digits, 2))
    return UPN_LETTERS[total % 23] + digits


def rows_of(count: int) -> list[list[str]]:
    """Rows of ``count`` pupils, the same in every run."""
    chance = random.Random(4)  # noqa: S311  made-up data
    rows = []
    for number in range(count):
        answers = ["T" if chance.random() < 0.75 else "" for _ in range(4)]
        born = f"{chance.randint(1, 28):02d}/{chance.randint(1, 12):02d}/{2015 + number % 6}"
        never = "T" if chance.random() < 0.01 else ""
        forename, surname = chance.choice(FORENAMES), chance.choice(SURNAMES)
        year = 1 + number % 6
        who = [f"{4000 + number:06d}", upn(number), forename, surname, forename, born]
        rows.append([*who, f"{year}A", f"Year  {year}", f"F{number // 2}", *answers, never])
    return rows


def as_csv(rows: list[list[str]]) -> bytes:
    """The export as SIMS saves it."""
    out = io.StringIO()
    csv.writer(out).writerows([CAPTIONS, *rows])
    return out.getvalue().encode("utf-8-sig")


def next_term(rows: list[list[str]]) -> list[list[str]]:
    """One in 100 pupils loses website consent, one in 200 leaves, all move up a year."""
    changed = []
    for index, row in enumerate(rows):
        if index % 200 == 7:
            continue
        answers = ["", *row[10:]] if index % 100 == 3 else row[9:]
        year = index % 6 + 2
        changed.append([*row[:6], f"{year}A", f"Year  {year}", row[8], *answers])
    return changed


def measure(home: Home, name: str, data: bytes) -> None:
    """Import once and print time and memory."""
    from sims_import.applying.apply import ExportFile
    from sims_import.applying.run import run_import

    began, cpu = time.perf_counter(), time.process_time()
    applied = run_import(home, ExportFile(name, data), (), "benchmark")
    seconds, processor = time.perf_counter() - began, time.process_time() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{name:<14}{len(data) / 1e6:5.1f} MB {len(applied.prepared.plan.changes):>7} changes, "
        f"{applied.run.status}: {seconds:6.2f} s by the clock, {processor:6.2f} s of one "
        f"processor, highest memory {peak:4.0f} MB",
        flush=True,
    )


def main() -> None:
    """Run and print."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rows", type=int, default=25_000)
    count = options.parse_args().rows
    print(heading(f"Importing {count} pupils, planned and applied"))
    rows = rows_of(count)
    with tempfile.TemporaryDirectory() as folder:
        home = create_home(Path(folder) / "home")
        measure(home, "first.csv", as_csv(rows))
        measure(home, "again.csv", as_csv(rows))
        measure(home, "next-term.csv", as_csv(next_term(rows)))


if __name__ == "__main__":
    main()
