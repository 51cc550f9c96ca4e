"""Benchmarks of several worker machines; see ``python -m benchmarks.scale --help``."""
