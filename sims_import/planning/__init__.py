"""Plans an import without side effects: changes, blocks and report."""
