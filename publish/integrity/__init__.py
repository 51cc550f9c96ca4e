"""Comparison of approved folders with the ledger, and quarantine of strange files."""
