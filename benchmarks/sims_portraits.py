"""Measure how many portraits a second are enrolled.

    python -m benchmarks.sims_portraits [--portraits 60]

Imports the made-up school of the test photos into a new home in a temporary folder and enrols its
portraits with the command's own functions, with one worker for each core. Prints portraits a second
by the clock and the processor seconds a portrait of all processes. The goal is 8 a second on two
cores.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from pathlib import Path

from benchmarks.data import SHARED
from benchmarks.machine import heading
from consent_gate.bootstrap import configure_django, create_home

configure_django()


class FirstPortraits:
    """The first portraits of a folder."""

    def __init__(self, folder: Path, limit: int) -> None:
        self.folder = folder
        self.limit = limit

    def names(self) -> list[str]:
        return sorted(path.name for path in self.folder.glob("*.jpg"))[: self.limit]

    def read(self, name: str) -> bytes:
        return (self.folder / name).read_bytes()


def main() -> None:
    """Run and print."""
    from ingest.enrolment.enrol import enrol
    from sims_import.applying.apply import ExportFile
    from sims_import.applying.run import run_import

    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--portraits", type=int, default=60)
    limit = options.parse_args().portraits
    print(heading("Enrolling portraits"))
    school = SHARED / "school"
    with tempfile.TemporaryDirectory() as folder:
        home = create_home(Path(folder) / "home")
        export = (school / "sims" / "consent_wide.csv").read_bytes()
        run_import(home, ExportFile("consent.csv", export), (), "benchmark")
        times: list[float] = []
        began = _processor()
        done = enrol(
            home,
            FirstPortraits(school / "portraits", limit),
            {},
            "benchmark",
            lambda *_: times.append(time.perf_counter()),
        )
        cost = (_processor() - began) / max(len(times), 1)
    # The pace is counted from the first answer, when the models are loaded.
    pace = (len(times) - 1) / (times[-1] - times[0]) if len(times) > 1 else 0.0
    print(
        f"{len(done.enrolled)} pupils enrolled, {len(done.not_enrolled)} photos left out, "
        f"{len(times)} processed: {pace:.1f} a second by the clock, {cost:.3f} processor seconds "
        "each, loading the models included"
    )


def _processor() -> float:
    """Processor seconds of this process and of workers that have ended."""
    processes = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return sum(usage.ru_utime + usage.ru_stime for usage in map(resource.getrusage, processes))


if __name__ == "__main__":
    main()
