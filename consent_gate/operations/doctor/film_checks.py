"""Check that the installed program can write films as the settings say."""

from __future__ import annotations

from collections.abc import Iterator

from consent_gate.home.home import Home
from consent_gate.operations.health.health_check import HealthCheck, State
from ingest.film.libav import is_installed
from publish.rendering.film import FilmCodec, can_encode


def films(home: Home) -> Iterator[HealthCheck]:
    """Whether films can be compressed as ``codec`` of ``[film]`` says."""
    codec = home.settings.film.codec
    if not is_installed():
        message = "The extra consent-gate[film] is not installed, so films are held."
        yield HealthCheck("films", "Films", State.GOOD, message)
    elif not can_encode(FilmCodec(codec)):
        message = (
            f'The installed PyAV cannot write films as codec = "{codec}" in [film] says. Released '
            "films are held. Choose another codec, or install PyAV from its own wheel."
        )
        yield HealthCheck("films.codec", "Films", State.BAD, message)
    else:
        yield HealthCheck("films", "Films", State.GOOD, f"Films are written as {codec}.")
