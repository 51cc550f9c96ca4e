"""Compare approved folders with the ledger and quarantine files that do not belong there."""
