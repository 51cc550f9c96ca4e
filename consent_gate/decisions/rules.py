"""The rules with the whole register of cameras: those of the settings and those staff confirmed."""

from __future__ import annotations

from dataclasses import replace

from consent_gate.db.models import Camera
from consent_gate.home.home import Home
from consent_gate.model import Rules


def rules_in_force(home: Home) -> Rules:
    """What ``policy.decide`` goes by today."""
    return replace(home.settings.rules_for_decide(), registered_devices=register_of(home))


def register_of(home: Home) -> frozenset[str]:
    """Every camera on the register, as ``make|model|serial``; empty: the rule is off."""
    confirmed = Camera.objects.values_list("device", flat=True)
    return frozenset(home.settings.cameras.registered) | frozenset(confirmed)
