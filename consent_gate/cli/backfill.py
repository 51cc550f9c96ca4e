"""Screening pictures outside the gate: an archive, or what the website shows already."""

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
"""Photos dropped into the inbox go first, wherever they are examined."""


def _part(value: str) -> str:
    match = re.fullmatch(r"([1-9][0-9]{0,3})/([1-9][0-9]{0,3})", value)
    if value and (match is None or int(match[1]) > int(match[2])):
        raise typer.BadParameter("Write it like 2/4: the second of four shares.")
    return value


@app.command()
def backfill(  # noqa: PLR0913, PLR0917  each is a word on the command line
    context: typer.Context,
    location: Annotated[str, typer.Argument(help="A folder, or s3://bucket/folder.")],
    part: Annotated[
        str, typer.Option(callback=_part, help="Do only this share, such as 2/4.")
    ] = "",
    only_new: Annotated[
        bool,
        typer.Option("--only-new", help="Leave out what was judged before by the list in force."),
    ] = False,
    at_most: Annotated[
        float, typer.Option(min=0, help="Pictures begun in a minute; 0: as many as can be.")
    ] = 0,
    take_in: Annotated[
        bool, typer.Option("--take-in", help="Also copy them into the inbox, to be released.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Say of every picture in an archive whether it may be shown. Nothing is released.

    Point it at the website's own folder to learn which live pictures show someone without
    consent today. Stopped, it goes on where it was. Exit 1 if any picture is not clear.

    Example: consent-gate --home /srv/consent-gate backfill /srv/photos/2019
    """
    from ingest.archive.screen import ScreeningOptions
    from ingest.archive.sources import open_archive

    home, source = open_selected_home(context), open_archive(location)
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", source.location).strip("-.")[-60:]
    look = _screen(home, source, ScreeningOptions(part, only_new, at_most, name if take_in else ""))
    table, page, found = _report(home, source.location, name)
    if as_json:
        facts = {"examined": look.examined, "unchanged": look.unchanged} if look else {}
        files = {"table": str(table), "page": str(page)}
        print_json({**facts, "finished": look is not None, "channels": found, **files})
    else:
        _tell(found, page, table)
    # No picture at all is no good news: a share that is away looks like an empty folder.
    clear = all(set(numbers) == {ScreeningOutcome.CLEAR.value} for numbers in found.values())
    raise typer.Exit(0 if clear and look else 1)


def _screen(home: Home, source: ArchiveSource, wishes: ScreeningOptions) -> ScreeningRun | None:
    """The look; None where it was stopped by hand."""
    from ingest.archive.screen import screen_archive

    os.nice(NICENESS)
    with progress_bar() as bar:
        task = bar.add_task("Looking at pictures", total=None)
        try:
            return screen_archive(
                home, source, wishes, lambda done: bar.update(task, completed=done)
            )
        except KeyboardInterrupt:
            echo("Stopped. The same command goes on where this one was.")
            return None


def _report(home: Home, location: str, name: str) -> tuple[Path, Path, dict[str, dict[str, int]]]:
    """Write table and page of all shares of this archive; the counts by channel title."""
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


def _tell(found: dict[str, dict[str, int]], page: Path, table: Path) -> None:
    for title, numbers in found.items():
        said = ", ".join(f"{count} {what}" for what, count in numbers.items())
        echo(f"{title}: {said or 'no picture'}")
    echo(f"The page: {page}")
    echo(f"The table: {table}")


def _rows(location: str) -> Iterator[Screened]:
    rows = ScreenedPicture.objects.filter(archive__location=location).order_by("path")
    for row in rows.iterator(chunk_size=1000):
        reasons = {name: tuple(map(Reason, given)) for name, given in row.reasons.items()}
        yield Screened(row.path, row.faces, reasons, row.exported_on)
