"""How old the register is, for everybody who tells of it. ``policy.decide`` counts for itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from consent_gate.home.home import Home
from consent_gate.register.repository import last_exported_on

WARN_DAYS = 14
"""The office is told two weeks before the register is too old and everything is held."""


@dataclass(frozen=True)
class RegisterAge:
    """How old the newest export that stands is today."""

    exported_on: date | None
    """Its run date; None before the first."""
    days: int | None
    """Whole days since; negative where the clock is behind."""
    limit: int
    """Days after which everything is held."""

    @property
    def days_left(self) -> int:
        """Until pictures are held for it; negative when they are."""
        return -1 if self.days is None or self.days < 0 else self.limit - self.days

    @property
    def stale(self) -> bool:
        """Whether everything is held for it."""
        return self.days_left < 0

    @property
    def ages(self) -> bool:
        """Whether the office should import a new export soon."""
        return not self.stale and self.days_left <= WARN_DAYS


def register_age(home: Home) -> RegisterAge:
    """How old the register is today."""
    exported_on = last_exported_on()
    days = (home.now().date() - exported_on).days if exported_on else None
    return RegisterAge(exported_on, days, home.settings.rules.register_max_age_days)
