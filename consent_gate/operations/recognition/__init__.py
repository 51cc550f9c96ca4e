"""How well faces are recognised: calibration, the school's own model, advice and reports."""
