"""The thresholds that matching goes by: the shipped ones until a person accepts the school's."""

from __future__ import annotations

from consent_gate.shipped_thresholds import shipped_thresholds
from consent_gate.thresholds import Thresholds


def thresholds_in_force() -> Thresholds:
    """What a face is matched with today."""
    return shipped_thresholds()
