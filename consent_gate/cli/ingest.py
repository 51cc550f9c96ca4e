"""The commands ``ingest`` and ``check``."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Annotated

import typer

from consent_gate.cli.app import AsJson, app, open_selected_home
from consent_gate.cli.console import echo, print_json, progress_bar
from consent_gate.cli.item_text import channels_line, reason_lines
from consent_gate.db.models import ChannelDecision, ChannelStatus, ItemState
from consent_gate.decisions.item_report import checked_as_dict
from consent_gate.decisions.rules.rules_in_force import rules_in_force
from consent_gate.home.home import Home
from consent_gate.policy import decide
from consent_gate.register.repository import load_gallery, load_register


@app.command()
def ingest(
    context: typer.Context,
    once: Annotated[
        bool, typer.Option("--once", help="Process the photos that are there now, then stop.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Process the photos in the inbox: examine, decide and release them.

    Example: consent-gate --home /srv/consent-gate ingest --once
    """
    from ingest.pipeline import ingest_once

    if not once:
        raise typer.BadParameter(
            "Add --once. To watch the inbox all the time, use 'consent-gate run'."
        )
    home = open_selected_home(context)
    with progress_bar() as bar:
        task = bar.add_task("Checking photos", total=None)
        done = ingest_once(home, lambda n, total: bar.update(task, completed=n, total=total))
    counts = _counts(home)
    if as_json:
        print_json(
            {
                "new": done.intake.new,
                "known": done.intake.known,
                "examined": done.examined,
                "not_ready": list(done.intake.not_ready),
                "channels": counts,
            }
        )
        return
    echo(f"{done.intake.new} new photos, {done.examined} examined.")
    for source in done.intake.not_ready:
        echo(f"  Still being copied, tried again next time: {source}")
    for name, numbers in counts.items():
        title = home.settings.channels[name].title
        echo(f"  {title}: {numbers['released']} released, {numbers['held']} held for review")


@app.command()
def check(
    context: typer.Context,
    files: Annotated[
        list[Path],
        typer.Argument(exists=True, dir_okay=False, readable=True, help="Picture and film files."),
    ],
    as_json: AsJson = False,
) -> None:
    """Show what the gate would decide about pictures and films, without storing them.

    Exit 1 if any is held.

    Example: consent-gate --home /srv/consent-gate check IMG_0042.jpg
    """
    from ingest.visible_names import evidence_of
    from ingest.workers.analysis_pool import AnalysisPool, examination_result
    from ingest.workers.submit import submit_examination

    home = open_selected_home(context)
    register, rules, held = (
        load_register(home.now().date()),
        rules_in_force(home),
        False,
    )
    with AnalysisPool(home, load_gallery(home)) as pool:
        for path in files:
            with path.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
                examination = examination_result(submit_examination(pool, file))
            evidence = evidence_of(home, examination)
            verdicts = decide(evidence, register, rules, home.now())
            result = checked_as_dict(path.name, digest, evidence, verdicts)
            held = held or any(c["verdict"] != "released" for c in result["channels"].values())
            if as_json:
                print_json(result)
                continue
            echo(f"{path.name}: {channels_line(home, result)}")
            for line in reason_lines(result):
                echo(f"  {line}")
    raise typer.Exit(1 if held else 0)


def _counts(home: Home) -> dict[str, dict[str, int]]:
    decisions = ChannelDecision.objects.exclude(item__state=ItemState.SEALED)
    return {
        name: {
            status.value: decisions.filter(channel=name, verdict=status).count()
            for status in ChannelStatus
        }
        for name in home.settings.channels
    }
