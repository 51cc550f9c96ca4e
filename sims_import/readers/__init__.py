"""From the bytes of an export to a table whose every cell can be pointed at."""
