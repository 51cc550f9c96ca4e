"""The section of the settings about a face model that the school has the right to use."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from consent_gate.home.settings_section import Section

Figure = Annotated[float, Field(allow_inf_nan=False, ge=-1000, le=1000)]
Point = tuple[Figure, Figure]

MINIMUM_EYE_DISTANCE = 0.1
"""Smallest distance of the eyes in an alignment, as a share of the side of the input."""


class ModelInput(Section):
    """The picture that a face model expects: (value - mean) * scale of each colour."""

    side: Annotated[int, Field(ge=32, le=512)] = 112
    """Pixels of a side; the input is square."""
    colours: Literal["rgb", "bgr"] = "rgb"
    layout: Literal["nchw", "nhwc"] = "nchw"
    """Order of the axes: colours before the rows of pixels, or after the columns."""
    mean: Figure = 127.5
    """Taken off every value of 0 to 255."""
    scale: Annotated[float, Field(allow_inf_nan=False, gt=0, le=1)] = 1 / 127.5
    """What the difference is multiplied by."""


class SchoolModel(Section):
    """An ONNX file that turns the picture of a face into a vector, and the right to use it."""

    file: Path
    """The file; a relative path is below the home."""
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    """SHA-256 of the file. Another file is not opened."""
    licence: Annotated[str, Field(min_length=3, max_length=200)]
    """What gives the school the right to use it."""
    input: ModelInput = ModelInput()
    alignment: Literal["arcface"] | tuple[Point, Point, Point, Point, Point] = "arcface"
    """Where the landmarks lie in the input: the template of ArcFace, scaled to the side; or five
    points in pixels: the person's right eye, left eye, nose, right and left corner of the mouth."""
    run: Literal["beside", "instead"] = "beside"
    """Whether SFace must agree with a match, or the model decides alone."""

    @field_validator("licence")
    @classmethod
    def _licence_is_named(cls, licence: str) -> str:
        if not any(letter.isalpha() for letter in licence):
            raise ValueError("name the licence or the contract that lets the school use the model")
        return licence

    @model_validator(mode="after")
    def _alignment_is_an_upright_face(self) -> SchoolModel:
        if self.alignment == "arcface":
            return self
        right_eye, left_eye, nose, right_mouth, left_mouth = self.alignment
        side = self.input.side
        inside = all(0 <= x < side and 0 <= y < side for x, y in self.alignment)
        apart = left_eye[0] - right_eye[0] >= MINIMUM_EYE_DISTANCE * side
        upright = max(right_eye[1], left_eye[1]) < nose[1] < min(right_mouth[1], left_mouth[1])
        if not (inside and apart and upright and right_mouth[0] < left_mouth[0]):
            raise ValueError(
                "alignment: give right eye, left eye, nose, right and left corner of the mouth of"
                f" an upright face, as [x, y] within 0 to {side}; the right eye is on the left"
            )
        return self

    @property
    def version(self) -> str:
        """SHA-256 over the file's digest and its input form; vectors of another are never compared.

        The licence, the path and ``run`` change no vector.
        """
        form = [self.sha256, self.input.model_dump(), self.alignment]
        return hashlib.sha256(json.dumps(form, sort_keys=True).encode()).hexdigest()

    def path(self, root: Path) -> Path:
        """The file, below the home ``root`` if the setting is relative."""
        return root / self.file

    @property
    def landmarks(self) -> tuple[Point, ...] | None:
        """The five points of the alignment; None for the template of ArcFace."""
        return None if self.alignment == "arcface" else self.alignment
