"""Whether a face is found wherever it is, however small and however it is turned."""
