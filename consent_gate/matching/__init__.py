"""Pure comparison of face templates: galleries, thresholds and calibration."""
