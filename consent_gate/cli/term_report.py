"""The command ``term-report``: what the machine recognised and staff corrected, by year group."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from consent_gate.cli.app import AsJson, app, open_selected_home
from consent_gate.cli.console import echo, print_json
from consent_gate.home.filesystem import replace_with
from consent_gate.operations.recognition.term_report import TermReport, YearOutcomes, term_page
from consent_gate.operations.recognition.term_report import term_report as make_report

TERM_DAYS = 120
"""Length of a term with its holidays, in days."""


@app.command("term-report")
def term_report(
    context: typer.Context,
    since: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="First day; by default 120 days ago."),
    ] = None,
    html: Annotated[
        Path | None,
        typer.Option("--html", dir_okay=False, help="Write a page to print to this file."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Compare what the machine recognised with what staff corrected, by year group.

    Example: consent-gate --home /srv/consent-gate term-report --since 2026-09-01 --html term.html
    """
    home = open_selected_home(context)
    start = home.local_time(home.now()) - timedelta(days=TERM_DAYS)
    start = start.replace(hour=0, minute=0, second=0, microsecond=0)
    report = make_report(since.replace(tzinfo=start.tzinfo) if since else start)
    if html is not None:
        replace_with(html, term_page(home, report))
    if as_json:
        print_json(report.as_json())
        return
    _print(report)
    if html is not None:
        echo(f"Written to {html}.")


def _print(report: TermReport) -> None:
    echo(f"{report.pictures} pictures since {report.since:%d %B %Y}")
    for year in report.years:
        echo(_line(year))
    if not report.years:
        echo("No face was named yet.")


def _line(year: YearOutcomes) -> str:
    return (
        f"{year.year}: the machine named {year.unchecked} that nobody checked; staff confirmed"
        f" {year.confirmed}, corrected {year.corrected} and could not tell {year.doubted};"
        f" not recognised {year.missed}; without a portrait {year.without_portrait}"
    )
