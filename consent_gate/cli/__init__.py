"""The command line: ``consent-gate …``."""

from __future__ import annotations

import sys

from consent_gate.cli.app import app
from consent_gate.cli.console import complain
from consent_gate.errors import GateError

# Each module adds its commands to the app.
from consent_gate.cli import look, photos, proof, register, setup, users  # noqa: F401  isort: skip


def main() -> None:
    """Run a command; an error that a person can act on ends in one sentence and its own code."""
    try:
        app()
    except GateError as error:
        complain(str(error))
        sys.exit(error.exit_code)
