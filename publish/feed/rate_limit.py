"""How often somebody may ask: a bucket that fills again with time. Kept in this process only."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field

MAX_KEPT = 10_000
"""Askers remembered; when there are more, all start afresh."""


@dataclass
class RateLimit:
    """``burst`` requests at once, ``per_minute`` in the long run."""

    per_minute: float
    burst: int
    _left: dict[str, tuple[float, float]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def allows(self, who: str) -> bool:
        """Count one request. The clock is monotonic: setting the time changes nothing."""
        now = time.monotonic()
        with self._lock:
            if len(self._left) > MAX_KEPT:
                self._left.clear()
            left, at = self._left.get(who, (float(self.burst), now))
            left = min(self.burst, left + (now - at) * self.per_minute / 60)
            self._left[who] = max(0.0, left - 1), now
            return left >= 1
