"""The thresholds that hold until a person accepts the school's own.

Fitted by ``python -m benchmarks.faces.fit_shipped_thresholds`` on one half of public photos of
adults and reported on the other half by ``benchmarks/faces/recognition.py``.
"""

from __future__ import annotations

from functools import cache
from importlib import resources

from consent_gate.matching.thresholds import Thresholds


@cache
def shipped_thresholds() -> Thresholds:
    """The shipped values. Raises ValueError when the file was altered beyond reading."""
    source = resources.files("consent_gate.matching") / "shipped_thresholds.json"
    return Thresholds.from_json(source.read_text(encoding="utf-8"))
