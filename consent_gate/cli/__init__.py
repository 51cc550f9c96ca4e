"""The command line: ``consent-gate …``."""

from __future__ import annotations

import gc
import sys


def main() -> None:
    """Run the command line. A ``GateError`` prints its message and exits with its own code."""
    if sys.platform == "win32":
        sys.exit("consent-gate needs Linux: see docs/install.md for Windows servers.")
    gc.disable()  # the imports make a million objects and drop few; looking for them takes 0.2 s
    from consent_gate.bootstrap import configure_django
    from consent_gate.errors import GateError
    from consent_gate.names.printable import print_uncaught

    sys.excepthook = print_uncaught  # before typer is imported, which remembers the hook

    configure_django()
    from consent_gate.cli.app import app
    from consent_gate.cli.console import echo_error

    gc.enable()
    try:
        app()
    except GateError as error:
        echo_error(str(error))
        sys.exit(error.exit_code)
