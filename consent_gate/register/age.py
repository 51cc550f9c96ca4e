"""The age of the consent list, for pages and messages. ``policy.decide`` computes it itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from consent_gate.home.home import Home
from consent_gate.register.repository import last_exported_on

WARN_DAYS = 14
"""The office gets a warning this many days before the list is too old and every picture is held."""


@dataclass(frozen=True)
class RegisterAge:
    """The age today of the newest export that was applied and not undone."""

    exported_on: date | None
    """Its run date; None before the first import."""
    days: int | None
    """Days since ``exported_on``; negative if that is in the future, as with a wrong clock."""
    limit: int
    """Days after which every picture is held."""

    @property
    def days_left(self) -> int:
        """Days until every picture is held; negative if that is so now."""
        return -1 if self.days is None or self.days < 0 else self.limit - self.days

    @property
    def is_stale(self) -> bool:
        """Whether every picture is held because of the age."""
        return self.days_left < 0

    @property
    def is_near_limit(self) -> bool:
        """Whether the office should import a new export soon."""
        return not self.is_stale and self.days_left <= WARN_DAYS


def register_age(home: Home) -> RegisterAge:
    """Return the age of the consent list today."""
    exported_on = last_exported_on()
    days = (home.now().date() - exported_on).days if exported_on else None
    return RegisterAge(exported_on, days, home.settings.rules.register_max_age_days)
