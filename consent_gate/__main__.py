"""``python -m consent_gate``: the command line."""

from consent_gate.cli import main

main()
