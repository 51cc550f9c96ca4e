"""Names that are read in pictures: drawn items with names, harmless text, plain photos."""
