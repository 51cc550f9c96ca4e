"""Application of an import: transaction, history and drop folder."""
