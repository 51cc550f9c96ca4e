"""The detectors that only benchmarks compare with the product's."""

from __future__ import annotations

import pytest

from benchmarks.faces.detectors import RetinaFace, retinaface
from consent_gate.errors import ModelUnavailable


def test_a_model_inside_a_package_is_checked_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retinaface, "MODEL_SHA256", "0" * 64)
    with pytest.raises(ModelUnavailable, match="RetinaFace"):
        RetinaFace()
