"""Which frames of a film the encoder keeps after a cut."""

from __future__ import annotations

from consent_gate.film.spans import NewTimes, Spans


def keeps_frame(spans: Spans, seconds: float) -> bool:
    """Return whether the frame of this time gets a time in the published film."""
    return NewTimes(spans).time_of(seconds) is not None
