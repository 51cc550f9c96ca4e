"""consent-gate: releases a school's photos only where everyone shown has consented."""

__version__ = "0.1.0"
