"""``python -m consent_gate``: the command line."""

from consent_gate.cli import main

if __name__ == "__main__":
    main()
