"""A home with other settings than those in its file."""

from __future__ import annotations

from dataclasses import replace

from consent_gate.home.home import Home


def with_settings(home: Home, **sections: object) -> Home:
    """With whole sections in the place of its own: ``with_settings(home, mail=Mail(...))``."""
    return replace(home, settings=home.settings.model_copy(update=sections))


def with_section(home: Home, section: str, **values: object) -> Home:
    """With other values in one section."""
    own = getattr(home.settings, section)
    return with_settings(home, **{section: own.model_copy(update=values)})


def with_channel(home: Home, name: str, **values: object) -> Home:
    """With other values in one channel."""
    channel = home.settings.channels[name].model_copy(update=values)
    return with_settings(home, channels={**home.settings.channels, name: channel})
