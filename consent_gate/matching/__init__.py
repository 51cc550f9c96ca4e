"""Comparison of face templates, as pure functions: galleries, thresholds and calibration."""
