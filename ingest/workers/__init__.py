"""Worker processes in a sandbox that can be killed at any time."""
