"""A Django database backend: PostgreSQL with one writer at a time in each school's schema."""
