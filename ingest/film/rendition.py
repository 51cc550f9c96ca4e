"""Encode a released film from its judged frames, and examine the finished file once more.

The original is decoded again. Its frames must be those that were judged, by their SHA-256. Only the
frames that staff keep are encoded, with the covered heads filled, and the sound beside them where
it is published. The finished file must have the structure of a published film, show these frames at
their times, be silent where staff muted it, and show no face that was not judged. All detectors
search a film that staff edited, as they search a new one. Otherwise nothing is published.
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace

from consent_gate.model import COVER_GREY, Reason
from ingest.faces.protocols import RGB
from ingest.film.animation import open_frames
from ingest.film.encode import FilmInTheMaking
from ingest.film.finished import NOT_HIDDEN, NOT_PLAIN, FilmSearchers, refusal_of
from ingest.film.libav import FilmLimits, SeekableFile
from ingest.film.shared_file import SharedFile
from ingest.film.sound import SoundUnusable
from ingest.film.sound_out import OutgoingSound
from publish.rendering.film import FilmTooLarge, can_encode
from publish.rendering.render import RenditionSpec, render
from publish.renditions.rendition import FilmFile, FilmRequest, Rendition, RenditionRefused
from publish.verification.mp4 import plain_structure
from publish.verification.verify import Expected, verify

_NOT_JUDGED = RenditionRefused(
    Reason.NOT_EXAMINED, "The pictures of the film are not those that were judged."
)
_OTHER_SOUND = RenditionRefused(
    Reason.NOT_EXAMINED,
    "The sound of the film is not what was heard. Publish the film without sound.",
)
_NO_ENCODER = RenditionRefused(
    Reason.NOT_EXAMINED,
    "The film cannot be written: the installed program cannot compress films as codec in [film] "
    "says. A technician can change the setting.",
)
_TOO_LARGE = RenditionRefused(
    Reason.NOT_EXAMINED, "The finished film is too large. Cut it into shorter films."
)


def make_film(
    film: SeekableFile,
    request: FilmRequest,
    limits: FilmLimits,
    searchers: FilmSearchers,
) -> Rendition | RenditionRefused:
    """Encode and verify a film for one channel.

    Where covers of cells are refused, because what is around them looks like a face in the cells or
    cannot be encoded as they were, the covers become grey.

    Args:
        film: The original.
        request: What to encode.
        limits: The largest film that is decoded.
        searchers: Search the finished film for faces.

    Raises:
        DecodeError: The original cannot be decoded completely.
    """
    made = _make_film(film, request, limits, searchers)
    has_cells = bool(request.covered) and request.cover_colour is None
    if has_cells and _is_for_looks(made):
        film.seek(0)
        return _make_film(film, replace(request, cover_colour=COVER_GREY), limits, searchers)
    return made


def _is_for_looks(made: Rendition | RenditionRefused) -> bool:
    """Whether a film is refused for what its frames look like."""
    if not isinstance(made, RenditionRefused):
        return False
    return bool(made.shown) or made in (NOT_PLAIN, NOT_HIDDEN)


def _make_film(
    film: SeekableFile, request: FilmRequest, limits: FilmLimits, searchers: FilmSearchers
) -> Rendition | RenditionRefused:
    """Encode and verify a film. Raises DecodeError."""
    if not can_encode(request.codec):
        return _NO_ENCODER
    file = SharedFile(film)
    sound = OutgoingSound(file.reader(), request)
    made = FilmInTheMaking(request, sound)
    try:
        with closing(sound), open_frames(file.reader(), limits) as reader:
            made.encode(reader)
            is_judged = reader.frames_sha256 == request.frames_sha256
    except FilmTooLarge:
        return _TOO_LARGE
    except SoundUnusable:
        return _OTHER_SOUND
    if made.poster is None or not is_judged:
        return _NOT_JUDGED
    if not sound.is_judged():
        return _OTHER_SOUND
    data = made.finish() or b""
    refused = refusal_of(data, made, request, searchers)
    if refused is not None:
        return refused
    structure = plain_structure(data)
    if structure is None or not sound.is_heard_in(data, structure.channels, structure.samples):
        return NOT_PLAIN
    return _with_poster(data, made.poster, made.size)


def _with_poster(data: bytes, poster: RGB, size: tuple[int, int]) -> Rendition | RenditionRefused:
    """The film with a picture of it, rendered and verified like a photo."""
    spec = RenditionSpec(max_side=max(size))
    picture = render(poster, spec)
    findings = verify(picture, Expected(poster, spec))
    if findings:
        return RenditionRefused(Reason.NOT_EXAMINED, findings[0].sentence)
    structure = plain_structure(data)
    assert structure is not None  # noqa: S101  checked before
    return Rendition(picture, *size, film=FilmFile(data, structure.seconds))
