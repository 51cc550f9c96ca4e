"""Check whether the running gate works, for the health page, the commands and monitoring.

``consent_gate.operations.doctor`` checks the installation as well. The name of a check function is
the code of its finding when the check itself fails.
"""

from __future__ import annotations

from consent_gate.home.home import Home
from consent_gate.operations.health_check import HealthCheck, run_check
from consent_gate.operations.machine_checks import MACHINE_CHECKS, running
from consent_gate.operations.work_checks import (
    READER_CHECKS,
    backups,
    consent_list,
    last_entry,
    on_the_way,
    waiting,
    worker_machines,
)


def all_checks(home: Home) -> list[HealthCheck]:
    """The findings of all checks, in the order of the health page."""
    checks = (
        running,
        *MACHINE_CHECKS,
        consent_list,
        waiting,
        worker_machines,
        on_the_way,
        *READER_CHECKS,
        backups,
        last_entry,
    )
    return [found for check in checks for found in run_check(home, check)]


def machine_findings(home: Home) -> list[HealthCheck]:
    """The findings that monitoring reads often: process, database, folders, disks and readers."""
    return [
        found
        for check in (running, *MACHINE_CHECKS, *READER_CHECKS)
        for found in run_check(home, check)
    ]
