"""What several worker machines do together; ``python -m benchmarks.scale --help``."""
