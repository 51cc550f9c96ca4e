"""Limit requests by a token bucket for each client, in the memory of this process."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field

MAX_CLIENTS = 10_000
"""Largest number of clients in memory. If there are more, all limits start again."""


@dataclass
class RateLimit:
    """Allows ``burst`` requests at once and ``per_minute`` on average."""

    per_minute: float
    burst: int
    _remaining: dict[str, tuple[float, float]] = field(default_factory=dict)
    """By client: requests that remain, and the monotonic time in seconds of the last request."""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def allows(self, client: str) -> bool:
        """Count one request of a client and return whether it is within the limit."""
        now = time.monotonic()
        with self._lock:
            if len(self._remaining) > MAX_CLIENTS:
                self._remaining.clear()
            remaining, counted_at = self._remaining.get(client, (float(self.burst), now))
            refilled = remaining + (now - counted_at) * self.per_minute / 60
            remaining = min(self.burst, refilled)
            self._remaining[client] = max(0.0, remaining - 1), now
            return remaining >= 1
