"""The setting of a face model that the school has the right to use."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from consent_gate.errors import SettingsInvalid
from consent_gate.home.settings import default_toml, load_settings
from consent_gate.home.settings_school_model import SchoolModel

DIGEST = "0123456789abcdef" * 4
FACENET = [[54.0, 72.0], [106.0, 72.0], [80.0, 100.0], [58.0, 125.0], [102.0, 125.0]]
"""Five points of an input of 160 pixels."""


def setting(**values: Any) -> SchoolModel:
    return SchoolModel.model_validate(
        {"file": "m.onnx", "sha256": DIGEST, "licence": "Apache-2.0", **values}
    )


def written(tmp_path: Path, lines: str) -> Path:
    path = tmp_path / "consent-gate.toml"
    path.write_text(f"{default_toml()}\n[recognition.model]\n{lines}", encoding="utf-8")
    return path


def test_a_model_is_named_by_file_digest_and_licence(tmp_path: Path) -> None:
    lines = f'file = "m.onnx"\nsha256 = "{DIGEST}"\nlicence = "Contract of 3 May 2026"\n'
    model = load_settings(written(tmp_path, lines)).recognition.model
    assert model is not None
    assert (model.run, model.alignment, model.input.side) == ("beside", "arcface", 112)
    assert model.path(tmp_path) == tmp_path / "m.onnx"


@pytest.mark.parametrize(
    ("lines", "mistake"),
    [
        (f'file = "m.onnx"\nsha256 = "{DIGEST}"\n', "licence"),
        (f'file = "m.onnx"\nsha256 = "{DIGEST}"\nlicence = "---"\n', "name the licence"),
        ('file = "m.onnx"\nsha256 = "abc"\nlicence = "MIT"\n', "sha256"),
        (f'file = "m.onnx"\nsha256 = "{DIGEST.upper()}"\nlicence = "MIT"\n', "sha256"),
        (f'file = "m.onnx"\nsha256 = "{DIGEST}"\nlicence = "MIT"\nrun = "alone"\n', "run"),
    ],
)
def test_a_mistake_is_named(tmp_path: Path, lines: str, mistake: str) -> None:
    with pytest.raises(SettingsInvalid, match=mistake):
        load_settings(written(tmp_path, lines))


@pytest.mark.parametrize(
    "values",
    [
        {"side": 4000},
        {"colours": "grey"},
        {"layout": "chw"},
        {"scale": 0},
        {"scale": float("nan")},
        {"mean": float("inf")},
        {"brightness": 1},
    ],
)
def test_an_impossible_input_is_refused(values: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="input"):
        setting(input=values)


def test_five_points_may_be_given(tmp_path: Path) -> None:
    model = setting(input={"side": 160}, alignment=FACENET)
    assert model.landmarks is not None
    assert model.landmarks[2] == (80.0, 100.0)
    assert setting().landmarks is None


@pytest.mark.parametrize(
    "points",
    [
        FACENET[:4],
        [FACENET[1], FACENET[0], *FACENET[2:]],
        [*FACENET[:3], FACENET[4], FACENET[3]],
        [[x, 160 - y] for x, y in FACENET],
        [[80.0, y] for _, y in FACENET],
        [[x + 100, y] for x, y in FACENET],
        [[x, float("nan")] for x, _ in FACENET],
    ],
)
def test_points_that_are_no_upright_face_are_refused(points: list[list[float]]) -> None:
    with pytest.raises(ValueError, match="alignment"):
        setting(input={"side": 160}, alignment=points)


def test_what_changes_a_vector_changes_the_version() -> None:
    version = setting().version
    others = [
        setting(sha256="f" * 64),
        setting(input={"colours": "bgr"}),
        setting(input={"mean": 0}),
        setting(input={"side": 160}),
        setting(input={"side": 160}, alignment=FACENET),
    ]
    assert len({version, *(other.version for other in others)}) == 6
    assert setting(licence="another", run="instead", file="b.onnx").version == version
