"""Say what is encoded of a film for one channel: its parts, its covers, its sound and its size."""

from __future__ import annotations

from consent_gate.film.spans import is_cut_away
from consent_gate.home.settings import Settings
from consent_gate.model import Examined
from consent_gate.publication import Appearance
from publish.rendering.film import FilmCodec
from publish.renditions.rendition import FilmRequest


def is_altered(appearance: Appearance, evidence: Examined) -> bool:
    """Whether a film was changed in a way in which no film is published."""
    known = range(len(evidence.faces))
    covers = all(i in known and evidence.faces[i].shown for i in appearance.covered)
    return bool(appearance.crop or appearance.redactions) or not covers


def film_request(
    settings: Settings, channel: str, evidence: Examined, appearance: Appearance
) -> FilmRequest:
    """Return what to encode of a film for one channel.

    A face that is cut away or covered was not judged, so it stops the film where it can still be
    found.
    """
    kept, covered = appearance.kept, appearance.covered
    tracks = (
        face.shown
        for index, face in enumerate(evidence.faces)
        if index not in covered and face.shown is not None
    )
    hidden = (shown for i in covered if (shown := evidence.faces[i].shown) is not None)
    return FilmRequest(
        max_side=min(settings.film.max_side, settings.channels[channel].max_side),
        frames_sha256=evidence.pixels_sha256,
        width=evidence.width,
        height=evidence.height,
        tracks=tuple(track for track in tracks if kept is None or not is_cut_away(track, kept)),
        kept=kept,
        covered=tuple(hidden),
        scene_starts=evidence.film.scene_starts if evidence.film else (),
        cover_colour=settings.publishing.cover_fill,
        sound=appearance.sound,
        codec=FilmCodec(settings.film.codec),
    )
