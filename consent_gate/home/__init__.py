"""One installation of the gate: its folder, settings, keys, database connection, log and mail."""
