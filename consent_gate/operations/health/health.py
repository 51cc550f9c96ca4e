"""Check whether the running gate works, for the health page, the commands and monitoring.

``consent_gate.operations.doctor.doctor`` checks the installation as well. The name of a check
function is the code of its finding when the check itself fails.
"""

from __future__ import annotations

from dataclasses import replace

from consent_gate.home.home import Home
from consent_gate.operations.health.health_check import HealthCheck, State, run_check
from consent_gate.operations.health.machine_checks import MACHINE_CHECKS, running
from consent_gate.operations.health.work_checks import (
    READER_CHECKS,
    backups,
    consent_list,
    enrolment,
    last_entry,
    on_the_way,
    waiting,
    worker_machines,
)
from consent_gate.operations.recognition.school_model import NOT_ACCEPTED_CODE, school_model


def all_checks(home: Home) -> list[HealthCheck]:
    """The findings of all checks, in the order of the health page."""
    checks = (
        running,
        *MACHINE_CHECKS,
        consent_list,
        enrolment,
        waiting,
        worker_machines,
        on_the_way,
        *READER_CHECKS,
        school_model,
        backups,
        last_entry,
    )
    return [found for check in checks for found in run_check(home, check)]


def school_model_of_monitoring(home: Home) -> list[HealthCheck]:
    """``school_model``; that nobody accepted it is no fault, as a new start would not help."""
    return [
        replace(found, state=State.WARNING) if found.code == NOT_ACCEPTED_CODE else found
        for found in school_model(home)
    ]


def machine_findings(home: Home) -> list[HealthCheck]:
    """What monitoring reads often: process, database, folders, disks, readers, face model."""
    return [
        found
        for check in (running, *MACHINE_CHECKS, *READER_CHECKS, school_model_of_monitoring)
        for found in run_check(home, check)
    ]
