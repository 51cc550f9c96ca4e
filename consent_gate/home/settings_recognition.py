"""The section of the settings about recognising faces."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from consent_gate.home.settings_school_model import SchoolModel
from consent_gate.home.settings_section import Section


class Recognition(Section):
    """How the gate learns from what staff say, and which model it compares faces with."""

    remembered_faces_a_pupil: Annotated[int, Field(ge=0, le=20)] = 4
    """Faces of pictures that may become templates of one pupil; 0 offers it to nobody."""
    portraits_kept_days: Annotated[int, Field(ge=0, le=10_000)] = 1095
    """Days after which a portrait is no longer compared, once a newer one of the pupil is
    confirmed; 0 compares all of them for ever."""
    model: SchoolModel | None = None
    """A face model that the school has the right to use; without it SFace and dlib decide."""
