"""Finding, measuring and comparing faces."""
