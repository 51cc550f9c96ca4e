"""The folder of the face models' answers, shared by all processes of a test run."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

VARIABLE = "CONSENT_GATE_TEST_ANSWERS"


def create_folder() -> None:
    """Make the folder. Processes that pytest-xdist starts inherit its name."""
    if not _inherited():
        os.environ[VARIABLE] = tempfile.mkdtemp(prefix="consent-gate-answers-")


def remove_folder() -> None:
    """Remove it: it holds embeddings of the demonstration's photos."""
    if not _inherited():
        shutil.rmtree(os.environ.pop(VARIABLE))


def folder() -> Path:
    """Where it is."""
    return Path(os.environ[VARIABLE])


def _inherited() -> bool:
    return "PYTEST_XDIST_WORKER" in os.environ
