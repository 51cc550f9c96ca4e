"""Run the tests that depend on the date on special dates: ``make test-dates``.

``another_date.c`` changes the machine's date for the tests and for every program that they start,
the database server included. Measured durations stay true. Files keep the real machine's dates, as
on a file server with a wrong clock.

A test that sets the clock runs on every date. Each of the other tests runs on one date, or on every
date with ``--all``. Tests that need real photos, a browser or hundreds of homes are left out.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from zoneinfo import ZoneInfo

from consent_gate.home.clock import utc_now

SELECTED = "clock and not shared_data and not browser"
MANY_HOMES = "tests/faults/test_release_steps.py"
"""Makes a home for every step of a release; the date does not matter to it."""
SCHOOL = "Europe/London"


@dataclass(frozen=True)
class Day:
    """The date and time at which the tests begin."""

    name: str
    begins: datetime
    """Aware; its zone is the machine's."""


def days(now: datetime) -> Iterator[Day]:
    """Yield the days to run on. ``now`` is an aware time."""
    here = now.astimezone(ZoneInfo(SCHOOL))
    yield Day("today", here)
    yield Day("tomorrow", here + timedelta(days=1))
    yield Day("in 131 days", here + timedelta(days=131))
    yield Day("in 20 months", here + timedelta(days=609))
    for name, month in (("summer time begins", 3), ("summer time ends", 10)):
        yield Day(name, _next(here, partial(_last_sunday, month=month), "00:30"))
    yield Day("leap day", _next(here, _leap_day, "12:00"))
    yield Day("the year ends", _next(here, lambda year: date(year, 12, 31), "23:59"))
    yield Day("at UTC-11", now.astimezone(ZoneInfo("Etc/GMT+11")))
    yield Day("at UTC+14", now.astimezone(ZoneInfo("Etc/GMT-14")))


def _next(here: datetime, day_of: Callable[[int], date | None], at: str) -> datetime:
    """Return the next such day at this time."""
    time = datetime.strptime(at, "%H:%M").time()  # noqa: DTZ007
    for year in range(here.year, here.year + 9):
        day = day_of(year)
        if day and (then := datetime.combine(day, time, here.tzinfo)) > here:
            return then
    raise AssertionError("there is such a day in eight years")


def _last_sunday(year: int, month: int) -> date:
    last = date(year, month, 31)
    return last - timedelta(days=(last.weekday() + 1) % 7)


def _leap_day(year: int) -> date | None:
    return date(year, 2, 29) if year % 4 == 0 else None


def library(folder: Path) -> Path:
    """Compile the library that changes the date into a folder. Raises CalledProcessError.

    The database server runs as another user, who must be able to load the library.
    """
    folder.chmod(0o755)
    target = folder / "another_date.so"
    source = Path(__file__).with_name("another_date.c")
    subprocess.run(["cc", "-shared", "-fPIC", "-O2", "-o", target, source], check=True)
    return target


def run(day: Day, number: str | None, more: list[str], folder: Path) -> tuple[int, str]:
    """Run the tests on that day. Return pytest's exit code and output."""
    seconds = int((day.begins - utc_now()).total_seconds())
    zone = day.begins.tzinfo
    there = {
        "LD_PRELOAD": str(folder / "another_date.so"),
        "ANOTHER_DATE_SECONDS": str(seconds),
        "TZ": zone.key if isinstance(zone, ZoneInfo) else "UTC",
    }
    # A folder of their own: far in the future, pytest takes those of running tests for forgotten.
    files = folder / day.name.replace(" ", "-")
    options = [
        "-m",
        SELECTED,
        "--ignore",
        MANY_HOMES,
        "--basetemp",
        str(files),
        *(["--date", number] if number else []),
    ]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options, *more],
        env=os.environ | there,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def main() -> int:
    """Return exit code 0 if all tests passed on every day."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--only", action="append", help="a day by its name; several times")
    parser.add_argument("--all", action="store_true", help="every test on every day")
    parser.add_argument("--at-once", type=int, default=2, help="days run side by side")
    parser.add_argument("more", nargs="*", help="options and paths for pytest, after --")
    asked = parser.parse_args()
    everyone = list(days(utc_now()))
    if unknown := set(asked.only or ()) - {day.name for day in everyone}:
        parser.error(f"no such day: {', '.join(unknown)}")
    chosen = [
        (day, None if asked.all else f"{number}/{len(everyone)}")
        for number, day in enumerate(everyone)
        if not asked.only or day.name in asked.only
    ]
    failed = 0
    with TemporaryDirectory() as folder, ThreadPoolExecutor(asked.at_once) as pool:
        library(Path(folder))
        runs = [pool.submit(run, day, number, asked.more, Path(folder)) for day, number in chosen]
        for (day, _), outcome in zip(chosen, runs, strict=True):
            code, text = outcome.result()
            failed += code != 0
            print(f"{day.name}, {day.begins:%A %d %B %Y %H:%M %Z}:", flush=True)  # noqa: T201
            print(text if code else text.splitlines()[-1], flush=True)  # noqa: T201
    return min(failed, 1)


if __name__ == "__main__":
    sys.exit(main())
