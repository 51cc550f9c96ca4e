"""A home: one installation of the gate, in one folder."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from consent_gate.home.clock import utc_now
from consent_gate.home.keys import Keys
from consent_gate.home.settings import Settings

HOME_VARIABLE = "CONSENT_GATE_HOME"


@dataclass(frozen=True)
class Home:
    """One installation: a folder with everything in it."""

    root: Path
    settings: Settings
    keys: Keys
    clock: Callable[[], datetime] = field(default=utc_now)
    """Returns an aware time; tests put their own here."""

    def now(self) -> datetime:
        """The time at the school."""
        return self.local_time(self.clock())

    def local_time(self, moment: datetime) -> datetime:
        """A moment by the school's clock, for people: rows give theirs back in UTC."""
        return moment.astimezone(ZoneInfo(self.settings.school.timezone))

    @property
    def inbox(self) -> Path:
        return self.root / self.settings.paths.inbox

    @property
    def sims(self) -> Path:
        return self.root / self.settings.paths.sims

    @property
    def vault(self) -> Path:
        return self.root / self.settings.paths.vault

    @property
    def database(self) -> Path:
        return self.root / self.settings.paths.database

    @property
    def secrets(self) -> Path:
        return self.root / "secrets"

    def approved(self, channel: str) -> Path:
        """Folder of a channel, as a CMS sees it."""
        folder = self.settings.channels[channel].folder
        return self.root / (folder or self.settings.paths.approved / channel)


def home_folder(given: Path | None) -> Path:
    """The home asked for with --home, or by the environment, or the current folder."""
    return given or Path(os.environ.get(HOME_VARIABLE) or Path.cwd())
