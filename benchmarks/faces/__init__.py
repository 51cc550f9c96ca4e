"""Benchmarks of finding, measuring and recognising faces; one command each, see README.md."""
