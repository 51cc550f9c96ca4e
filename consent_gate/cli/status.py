"""The command ``status``."""

from __future__ import annotations

from typing import Any

import typer

from consent_gate import __version__
from consent_gate.cli.app import AsJson, app, open_selected_home
from consent_gate.cli.console import echo, print_json
from consent_gate.db.models import ChannelDecision, Item, ItemState, Publication, PupilEntry
from consent_gate.db.models.publications import IN_MANIFEST
from consent_gate.home.home import Home
from consent_gate.messages import sentence
from consent_gate.model import Reason
from consent_gate.operations import health
from consent_gate.register.age import register_age
from consent_gate.register.repository import load_register


@app.command()
def status(context: typer.Context, as_json: AsJson = False) -> None:
    """Show how the gate is: the register's age, what waits, what is out.

    Example: consent-gate --home /srv/consent-gate status
    """
    home = open_selected_home(context)
    facts = status_data(home)
    found = health.all_checks(home)
    if as_json:
        well = health.worst_state(found) is not health.State.BAD
        checks = {one.code: one.state.value for one in found}
        print_json({**facts, "version": __version__, "ok": well, "checks": checks})
        return
    register = facts["register"]
    echo(f"{home.settings.school.name} · {home.root}")
    if register["exported_on"] is None:
        echo("No consent was imported yet: everything is held. Next: consent-gate import-sims FILE")
    else:
        stale = " TOO OLD: everything is held." if register["stale"] else ""
        echo(
            f"Consent as of {register['exported_on']} ({register['age_days']} days ago),"
            f" {register['pupils']} pupils, {register['enrolled']} with an enrolment photo.{stale}"
        )
    for purpose in register["suspended"]:
        echo(f"The consent '{purpose}' vanished from an import. {sentence(Reason.REGISTER_STALE)}")
    echo(f"{facts['waiting']} photos wait to be looked at, {facts['decided']} are decided.")
    for name, numbers in facts["channels"].items():
        title = home.settings.channels[name].title
        echo(f"  {title}: {numbers['live']} out, {numbers['held']} held for you")
    for one in found:
        if one.state is not health.State.GOOD:
            echo(f"{one.what}: {one.words}")


def status_data(home: Home) -> dict[str, Any]:
    """The state of the gate, as ``status --json`` prints it."""
    register, age = load_register(home.now().date()), register_age(home)
    decided = ChannelDecision.objects.filter(item__state=ItemState.DECIDED)
    return {
        "school": home.settings.school.name,
        "register": {
            "exported_on": age.exported_on.isoformat() if age.exported_on else None,
            "age_days": age.days,
            "stale": age.stale,
            "pupils": PupilEntry.objects.filter(on_roll=True).count(),
            "enrolled": sum(p.enrolled_on is not None for p in register.pupils.values()),
            "suspended": sorted(register.suspended),
        },
        "waiting": Item.objects.filter(state=ItemState.RECEIVED).count(),
        "decided": Item.objects.filter(state=ItemState.DECIDED).count(),
        "channels": {
            name: {
                "live": Publication.objects.filter(channel=name, state__in=IN_MANIFEST).count(),
                "held": decided.filter(channel=name, verdict="held").count(),
            }
            for name in home.settings.channels
        },
    }
