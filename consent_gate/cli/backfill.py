"""The command ``backfill``, which screens an archive or the pictures of a website."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from consent_gate.cli.app import AsJson, app, open_selected_home
from consent_gate.cli.console import echo, print_json, progress_bar
from consent_gate.db.models import Archive, ScreenedPicture
from consent_gate.home.filesystem import replace_with
from consent_gate.home.home import Home
from consent_gate.model import Reason
from ingest.archive import report
from ingest.archive.report import ReportHeader, Screened, ScreeningOutcome

if TYPE_CHECKING:
    from ingest.archive.screen import ScreeningOptions, ScreeningRun
    from ingest.archive.sources import ArchiveSource

NICENESS = 10
"""Niceness of the process, so that photos in the inbox are examined first."""


def _shard_option(value: str) -> str:
    match = re.fullmatch(r"([1-9][0-9]{0,3})/([1-9][0-9]{0,3})", value)
    if value and (match is None or int(match[1]) > int(match[2])):
        raise typer.BadParameter("Write it like 2/4: the second of four parts.")
    return value


@app.command()
def backfill(  # noqa: PLR0913, PLR0917  one parameter an option
    context: typer.Context,
    location: Annotated[str, typer.Argument(help="A folder, or s3://bucket/folder.")],
    part: Annotated[
        str,
        typer.Option(
            callback=_shard_option, help="Screen only this part of the archive, such as 2/4."
        ),
    ] = "",
    only_new: Annotated[
        bool,
        typer.Option(
            "--only-new", help="Skip pictures already screened with the present consent list."
        ),
    ] = False,
    at_most: Annotated[float, typer.Option(min=0, help="Most pictures a minute; 0: no limit.")] = 0,
    take_in: Annotated[
        bool, typer.Option("--take-in", help="Also copy the pictures into the inbox, for release.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Check for every picture in an archive whether it may be shown. Releases nothing.

    Use it on the folder of the website to find live pictures that show someone without consent. If
    you stop it, the same command continues where it stopped. Exit 1 if any picture is not clear.

    Example: consent-gate --home /srv/consent-gate backfill /srv/photos/2019
    """
    from ingest.archive.screen import ScreeningOptions
    from ingest.archive.sources import open_archive

    home, source = open_selected_home(context), open_archive(location)
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", source.location).strip("-.")[-60:]
    screening = _screen(
        home, source, ScreeningOptions(part, only_new, at_most, name if take_in else "")
    )
    table, page, found = _report(home, source.location, name)
    if as_json:
        progress = (
            {"examined": screening.examined, "unchanged": screening.unchanged} if screening else {}
        )
        files = {"table": str(table), "page": str(page)}
        print_json({**progress, "finished": screening is not None, "channels": found, **files})
    else:
        _print_summary(found, page, table)
    # No pictures is not a success: a network share that is not mounted looks like an empty folder.
    clear = all(set(numbers) == {ScreeningOutcome.CLEAR.value} for numbers in found.values())
    raise typer.Exit(0 if clear and screening else 1)


def _screen(home: Home, source: ArchiveSource, options: ScreeningOptions) -> ScreeningRun | None:
    """Screen the archive. Returns None when the user stopped it."""
    from ingest.archive.screen import screen_archive

    os.nice(NICENESS)
    with progress_bar() as bar:
        task = bar.add_task("Checking pictures", total=None)
        try:
            return screen_archive(
                home, source, options, lambda done: bar.update(task, completed=done)
            )
        except KeyboardInterrupt:
            echo("Stopped. Run the same command again to continue.")
            return None


def _report(home: Home, location: str, name: str) -> tuple[Path, Path, dict[str, dict[str, int]]]:
    """Write the reports about this archive. Returns table, page and counts by channel title."""
    channels = home.settings.titles
    shares = Archive.objects.filter(location=location)
    finished = shares.exists() and not shares.filter(finished_at=None).exists()
    folder = home.root / "reports"
    folder.mkdir(mode=0o700, exist_ok=True)
    now = home.now()
    base = f"backfill-{now:%Y-%m-%d}-{name}"
    table, page = folder / f"{base}.csv", folder / f"{base}.html"
    descriptor = os.open(table, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8-sig", newline="") as out:
        report.write_table(out, channels, _rows(location))
    about = ReportHeader(location, home.settings.school.name, now, finished, channels)
    replace_with(page, report.render_page(about, _rows(location)).encode(), 0o600)
    by_channel, _ = report.count_outcomes(channels, _rows(location))
    return (
        table,
        page,
        {
            channels[key]: {found.value: n for found, n in counter.items()}
            for key, counter in by_channel.items()
        },
    )


def _print_summary(found: dict[str, dict[str, int]], page: Path, table: Path) -> None:
    for title, numbers in found.items():
        counts = ", ".join(f"{count} {what}" for what, count in numbers.items())
        echo(f"{title}: {counts or 'no pictures'}")
    echo(f"Report to read: {page}")
    echo(f"Table of all pictures: {table}")


def _rows(location: str) -> Iterator[Screened]:
    rows = ScreenedPicture.objects.filter(archive__location=location).order_by("path")
    for row in rows.iterator(chunk_size=1000):
        reasons = {name: tuple(map(Reason, given)) for name, given in row.reasons.items()}
        yield Screened(row.path, row.faces, reasons, row.exported_on)
