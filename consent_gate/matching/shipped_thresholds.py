"""Load the thresholds of the package, used until a person accepts the school's own.

Fitted by ``python -m benchmarks.faces.fit_shipped_thresholds`` on one half of public photos of
adults and evaluated on the other half by ``benchmarks/faces/recognition.py``.
"""

from __future__ import annotations

from functools import cache
from importlib import resources

from consent_gate.matching.thresholds import Thresholds


@cache
def shipped_thresholds() -> Thresholds:
    """Return the thresholds of the package.

    Raises:
        ValueError: The file was altered and cannot be read.
    """
    source = resources.files("consent_gate.matching") / "shipped_thresholds.json"
    return Thresholds.from_json(source.read_text(encoding="utf-8"))
