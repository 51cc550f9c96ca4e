"""The pure plan of an import: changes, blocks and report."""
