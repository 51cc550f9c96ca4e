"""One installation: its folder, its settings, its keys and what files need."""
