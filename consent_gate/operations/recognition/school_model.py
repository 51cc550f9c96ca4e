"""Accept a calibration, and check whether the school's own face model may decide."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from django.db import transaction

from consent_gate.db.models import ThresholdSet
from consent_gate.decisions.lookalikes import update_lookalikes
from consent_gate.decisions.redecide import redecide
from consent_gate.errors import SchoolModelUnavailable
from consent_gate.home.home import Home
from consent_gate.model import Reason
from consent_gate.operations.health.health_check import HealthCheck, State
from consent_gate.register import thresholds
from consent_gate.register.school_model import accept_school_model, school_model_use
from ingest.faces.embedders.school_model import verified_bytes
from ingest.scheduling.reexamine import flag_held
from publish.recall.withdraw import sync_folders

TITLE = "The school's own face model"

NOT_ACCEPTED_CODE = "school_model.accepted"
"""Code of the finding that the model may not decide."""

AFTER_ACCEPTANCE = frozenset(
    {
        Reason.NOT_EXAMINED.value,
        Reason.UNKNOWN_FACE.value,
        Reason.AMBIGUOUS_MATCH.value,
    }
)
"""Pictures held for one of these are examined again once the school's own model may decide."""


def accept_proposal(home: Home, number: int, actor: str) -> None:
    """Put the figures of a calibration into force.

    Where they are for the school's own model, pupils whom it confuses become lookalikes at once,
    pictures of theirs are decided again, and held pictures are examined again.

    Args:
        home: The school's home.
        number: The proposal.
        actor: Who read the report.

    Raises:
        ItemNotFound: There is no such proposal.
        ProposalRefused: It is for another model, of another home, or of other portraits.
    """
    if not ThresholdSet.objects.filter(pk=number).exclude(school_model="").exists():
        thresholds.accept(home, number, actor)
        return
    with transaction.atomic():
        accept_school_model(home, number, actor)
        _, changed = update_lookalikes(home)
        redecide(home, changed, actor)
        flag_held(AFTER_ACCEPTANCE)
    sync_folders(home)


def school_model(home: Home) -> Iterator[HealthCheck]:
    """Whether the school's own face model is the right file, and may decide."""
    model = home.settings.recognition.model
    if model is None:
        return
    path = model.path(home.root)
    try:
        _check_file(path, model.sha256, _identity(path))
    except SchoolModelUnavailable as error:
        yield HealthCheck("school_model.file", TITLE, State.BAD, str(error))
        return
    use = school_model_use(home)
    if use is None or use.thresholds is None:
        message = use.refusal if use else ""
        yield HealthCheck(NOT_ACCEPTED_CODE, TITLE, State.BAD, message)
        return
    agreed = " SFace must agree." if use.beside else ""
    message = f"{path.name} decides whose face it is ({model.licence}).{agreed}"
    yield HealthCheck("school_model", TITLE, State.GOOD, message)


def _identity(path: Path) -> tuple[int, ...]:
    """What changes when a file is replaced or written; empty where there is none."""
    try:
        found = path.stat()
    except OSError:
        return ()
    return (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)


@lru_cache(maxsize=8)
def _check_file(path: Path, sha256: str, _found: tuple[int, ...]) -> None:
    """Hash the file once; monitoring asks often. An error is not remembered."""
    verified_bytes(path, sha256)
