"""The vocabulary of exports: words, aliases, values and cells."""
