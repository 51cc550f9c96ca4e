"""Format the heading of a benchmark: title, machine and date."""

from __future__ import annotations

import os
import platform
from pathlib import Path

from consent_gate.home.clock import utc_now


def heading(title: str) -> str:
    """``title``, then processor, cores, load, Python and date."""
    return (
        f"{title}\n"
        f"{_processor()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, "
        f"Python {platform.python_version()}, {utc_now():%Y-%m-%d %H:%M} UTC\n"
    )


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        return platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
