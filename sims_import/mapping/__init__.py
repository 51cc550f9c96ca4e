"""Maps the columns of an export to meanings."""
