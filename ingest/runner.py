"""The gate that keeps running: watch the inbox, examine, release, take back."""

from __future__ import annotations

import logging
from threading import Event

from django.db import close_old_connections

from consent_gate.bootstrap import Home
from consent_gate.db.models import EnrolmentPhoto, ImportRun, PupilEntry
from consent_gate.db.register_store import load_gallery
from consent_gate.errors import GateError
from consent_gate.heartbeat import beat
from ingest.pipeline import work_through
from ingest.pool import AnalysisPool

log = logging.getLogger("consent_gate")

SECONDS_BETWEEN_LOOKS = 5.0
"""The inbox is looked through this often."""
SECONDS_AFTER_A_FAULT = 30.0


def keep_running(home: Home, stop: Event) -> None:
    """Work until told to stop. A fault is logged and tried again; it never ends in a release."""
    while not stop.is_set():
        try:
            _until_the_gallery_changes(home, stop)
        except GateError as error:
            log.error("%s", error)
            stop.wait(SECONDS_AFTER_A_FAULT)
        except Exception:
            log.exception("The gate stumbled and starts again in a moment.")
            stop.wait(SECONDS_AFTER_A_FAULT)


def _until_the_gallery_changes(home: Home, stop: Event) -> None:
    """One set of workers: they hold the templates they were started with."""
    gallery = _gallery_stamp()
    with AnalysisPool(home, load_gallery(home)) as pool:
        while not stop.is_set() and _gallery_stamp() == gallery:
            close_old_connections()
            work_through(home, pool, lambda *_: beat(home))
            beat(home)
            stop.wait(SECONDS_BETWEEN_LOOKS)


def _gallery_stamp() -> tuple[int, int, int]:
    """Changes whenever templates came or went."""
    newest = EnrolmentPhoto.objects.order_by("-pk").values_list("pk", flat=True).first()
    imports = ImportRun.objects.order_by("-pk").values_list("pk", flat=True).first()
    return newest or 0, EnrolmentPhoto.objects.count() + PupilEntry.objects.count(), imports or 0
