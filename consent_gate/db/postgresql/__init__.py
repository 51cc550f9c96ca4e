"""PostgreSQL with one writer at a time in each school."""
