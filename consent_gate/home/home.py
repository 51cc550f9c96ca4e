"""``Home``: one installation of the gate, with its folder, settings, keys and clock."""

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
    """One installation. All its data is below ``root`` unless the settings move a folder."""

    root: Path
    settings: Settings
    keys: Keys
    clock: Callable[[], datetime] = field(default=utc_now)
    """Returns an aware time; tests replace it."""

    def now(self) -> datetime:
        """Return the current local time of the school."""
        return self.local_time(self.clock())

    def local_time(self, moment: datetime) -> datetime:
        """Convert an aware time to the local time of the school. Database rows have UTC."""
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
        """The approved folder of a channel, which a CMS reads."""
        folder = self.settings.channels[channel].folder
        return self.root / (folder or self.settings.paths.approved / channel)


def home_folder(home_option: Path | None) -> Path:
    """Return the folder given by --home, else by CONSENT_GATE_HOME, else the current folder."""
    return home_option or Path(os.environ.get(HOME_VARIABLE) or Path.cwd())
