"""Release group photos of class events, and count what goes out by the number of people.

    python -m benchmarks.class_school [--half fit|report] [--seed N] [--only one|two]
        [--by-hand]

Makes a school (``make_school``) and puts it through the product: one portrait a pupil without and
with the classes named, the next event after staff reviewed the first and let the faces be
remembered, and two portraits with the classes named. Prints the share released of the photos that
consent allows, by number of people, every photo released wrongly (must be 0), faces taken for
another person, what held the rest, and the kinds of the faces that were lost. Sheets of these faces
are written beside the homes, in ``--folder``.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.class_school.make_school import make_school, source_of
from benchmarks.data import SHARED
from benchmarks.machine import heading


def main() -> None:
    """Make the school, then run each scenario in a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--half", choices=("fit", "report"), default="fit")
    parser.add_argument("--seed", type=int, default=11)
    parser.add_argument("--only", choices=("one", "two"), help="one or two portraits a pupil")
    parser.add_argument(
        "--by-hand",
        action="store_true",
        help="the review also remembers good faces for which the tick does not stand ready",
    )
    parser.add_argument("--folder", type=Path, help="where the school and its homes are kept")
    options = parser.parse_args()
    folder = options.folder or Path(tempfile.mkdtemp())
    school = folder / f"school-{options.half}-{options.seed}"
    print(heading(f"Class events, {options.half} half, seed {options.seed}; faces are of adults"))
    if not school.exists():
        make_school(source_of(SHARED, options.half), school, options.seed)
    for scenario in (options.only,) if options.only else ("one", "two"):
        home = folder / f"home-{options.half}-{options.seed}-{scenario}"
        command = [sys.executable, "-m", "benchmarks.class_school.scenario", scenario]
        by_hand = ["by-hand"] if options.by_hand else []
        subprocess.run([*command, str(school), str(home), *by_hand], check=True)


if __name__ == "__main__":
    main()
