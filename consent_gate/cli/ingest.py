"""Photos in: taking them in, and checking one without taking it in."""

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
from consent_gate.decisions.rules import rules_in_force
from consent_gate.home.home import Home
from consent_gate.policy import decide
from consent_gate.register.repository import load_gallery, load_register


@app.command()
def ingest(
    context: typer.Context,
    once: Annotated[
        bool, typer.Option("--once", help="Take in what is there now, then stop.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Take in the photos in the inbox, decide and release.

    Example: consent-gate --home /srv/consent-gate ingest --once
    """
    from ingest.pipeline import ingest_once

    if not once:
        raise typer.BadParameter("Say --once; 'consent-gate run' keeps watching.")
    home = open_selected_home(context)
    with progress_bar() as bar:
        task = bar.add_task("Looking at photos", total=None)
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
    echo(f"{done.intake.new} new photos, {done.examined} looked at.")
    for source in done.intake.not_ready:
        echo(f"  Not ready yet, will be tried again: {source}")
    for name, words in counts.items():
        title = home.settings.channels[name].title
        echo(f"  {title}: {words['released']} released, {words['held']} held for you")


@app.command()
def check(
    context: typer.Context,
    files: Annotated[
        list[Path],
        typer.Argument(exists=True, dir_okay=False, readable=True, help="Pictures, anywhere."),
    ],
    as_json: AsJson = False,
) -> None:
    """Say what would become of pictures, without taking them in. Exit 1 if any is held.

    Example: consent-gate --home /srv/consent-gate check IMG_0042.jpg
    """
    from ingest.workers.analysis_pool import AnalysisPool, examination_result
    from ingest.workers.worker import examine

    home = open_selected_home(context)
    register, rules, held = (
        load_register(home.now().date()),
        rules_in_force(home),
        False,
    )
    with AnalysisPool(home, load_gallery(home)) as pool:
        for path in files:
            data = path.read_bytes()
            evidence = examination_result(pool.submit(examine, data)).evidence
            verdicts = decide(evidence, register, rules, home.now())
            digest = hashlib.sha256(data).hexdigest()
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
            word.value: decisions.filter(channel=name, verdict=word).count()
            for word in ChannelStatus
        }
        for name in home.settings.channels
    }
