"""Running an installation: backup, restore, health, keys, database move, several schools."""
