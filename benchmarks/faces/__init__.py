"""Benchmarks of finding, measuring and recognising faces; README.md lists the commands."""
