"""The rules in force: those of the settings, with the cameras that staff confirmed."""

from __future__ import annotations

from dataclasses import replace

from consent_gate.db.models import Camera
from consent_gate.home.home import Home
from consent_gate.model import Rules


def rules_in_force(home: Home) -> Rules:
    """The rules to pass to ``policy.decide`` today."""
    return replace(home.settings.rules_for_decide(), registered_devices=registered_cameras(home))


def registered_cameras(home: Home) -> frozenset[str]:
    """Every camera on the register, as ``make|model|serial``. An empty set turns rule 6 off."""
    confirmed = Camera.objects.values_list("device", flat=True)
    return frozenset(home.settings.cameras.registered) | frozenset(confirmed)
