"""The section of the settings about the public gallery."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from consent_gate.home.settings_section import Section


class PublicGallery(Section):
    """The public gallery: ``consent-gate gallery serve``."""

    channels: tuple[str, ...] = ()
    """Channels that everybody may see; none unless they are named."""
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=1, le=65535)] = 8010
    frame_ancestors: tuple[
        Annotated[str, Field(pattern=r"^https://(\*\.)?[a-z0-9.-]+(:[0-9]{1,5})?$")], ...
    ] = ()
    """Origins of websites that may show the gallery in a frame."""
    hide_after_hours: Annotated[int, Field(ge=1, le=720)] = 24
    """A manifest that the gate did not confirm for so long shows nothing."""
