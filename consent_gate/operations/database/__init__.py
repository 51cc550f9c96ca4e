"""Move a home to another database, and copy its rows before an upgrade."""
