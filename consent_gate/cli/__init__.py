"""The command line: ``consent-gate …``."""

from __future__ import annotations

import sys


def main() -> None:
    """Run a command; an error that a person can act on ends in one sentence and its own code."""
    if sys.platform == "win32":
        sys.exit("consent-gate needs Linux: see docs/install.md for Windows servers.")
    from consent_gate.bootstrap import configure_django
    from consent_gate.errors import GateError

    configure_django()
    from consent_gate.cli.console import echo_error
    from consent_gate.cli.registry import app

    try:
        app()
    except GateError as error:
        echo_error(str(error))
        sys.exit(error.exit_code)
