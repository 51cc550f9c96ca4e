"""The folder of the face models' answers, shared by all processes of a test run.

`make test` makes the folder itself, so that its two runs share it too.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

VARIABLE = "CONSENT_GATE_TEST_ANSWERS"
_MAKER = "CONSENT_GATE_TEST_ANSWERS_MAKER"


def create_folder() -> None:
    """Make the folder, unless its name was given. Processes that pytest-xdist starts inherit it."""
    if VARIABLE not in os.environ:
        os.environ[VARIABLE] = tempfile.mkdtemp(prefix="consent-gate-answers-")
        os.environ[_MAKER] = str(os.getpid())


def remove_folder() -> None:
    """Remove it if this process made it: it holds embeddings of the demonstration's photos."""
    if os.environ.get(_MAKER) == str(os.getpid()):
        shutil.rmtree(os.environ.pop(VARIABLE))


def folder() -> Path:
    """Where it is."""
    return Path(os.environ[VARIABLE])
