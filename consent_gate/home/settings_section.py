"""The base class of all sections of the settings."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """A section of consent-gate.toml. An unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)
