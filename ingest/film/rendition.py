"""Encode a released film from its judged frames, and examine the finished file once more.

The original is decoded again. Its frames must be those that were judged, by their SHA-256. Only the
frames that staff keep are encoded, with the covered heads filled, and the sound beside them where
it is published. The finished file must have the structure of a published film, show these frames at
their times, be silent where staff muted it, and show no face that was not judged. All detectors
search a film that staff edited, as they search a new one. Otherwise nothing is published.
"""

from __future__ import annotations

import io
from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass, replace

import numpy as np

from consent_gate.model import COVER_GREY, Colour, FaceKind, Reason, Shown
from ingest.decoding.decode import DecodeError
from ingest.faces.finder import FaceFinder
from ingest.faces.protocols import RGB, Detection, Detector
from ingest.film.ahead import ahead
from ingest.film.animation import open_frames
from ingest.film.decode import FilmReader
from ingest.film.encode import EncodedFrame, FilmInTheMaking, thumbnail_of
from ingest.film.fill import are_filled
from ingest.film.frames import FrameReader
from ingest.film.libav import FilmLimits, SeekableFile
from ingest.film.search import FrameSearch
from ingest.film.shared_file import SharedFile
from ingest.film.sightings import place_from, place_of, resized, scaled
from ingest.film.sound import SoundUnusable
from ingest.film.sound_out import OutgoingSound
from ingest.film.tracks import PathPoint, Place, place_at
from publish.rendering.film import FilmTooLarge, can_encode
from publish.rendering.render import RenditionSpec, render
from publish.renditions.rendition import FilmFile, FilmRequest, Rendition, RenditionRefused
from publish.verification.mp4 import plain_structure
from publish.verification.verify import Expected, verify

SCOUT_SIDE = 960
"""Long side in pixels of a frame that is searched for faces."""
Point = tuple[float, float]

FACE_FROM = 0.8
"""Score of the scout from which a face must have been judged."""
UNDER_COVER_FROM = 0.5
"""Score of the scout from which a place in a cover holds the film."""
MAX_DIFFERENCE = 5.0
"""Largest mean difference, 0-255, of a published frame's thumbnail from the judged frame's."""
MAX_TIME_DIFFERENCE = 0.002
"""Largest difference in seconds between the times of a published and a judged frame."""
NEAR_SECONDS = 0.1
"""How far from the moments of a track its face may be found once more."""

_NOT_JUDGED = RenditionRefused(
    Reason.NOT_EXAMINED, "The pictures of the film are not those that were judged."
)
_NOT_PLAIN = RenditionRefused(
    Reason.NOT_EXAMINED, "The finished film does not show exactly what was judged."
)
_NEW_FACE = RenditionRefused(
    Reason.POSSIBLE_FACE, "The finished film shows a face that was not checked. Look at it again."
)
_NOT_HIDDEN = RenditionRefused(
    Reason.POSSIBLE_FACE, "The finished film shows a face that its cover does not hide."
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


@dataclass(frozen=True, eq=False)
class FilmSearchers:
    """The models that search a finished film for faces."""

    scout: Detector
    """Searches every frame."""
    finder: FaceFinder
    """All detectors; they search a film that staff edited."""


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
    if has_cells and made in (_NOT_PLAIN, _NOT_HIDDEN):
        film.seek(0)
        return _make_film(film, replace(request, cover_colour=COVER_GREY), limits, searchers)
    return made


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
    refused = _examine_once_more(data, made, request, searchers)
    if refused is not None:
        return refused
    structure = plain_structure(data)
    if structure is None or not sound.is_heard_in(data, structure.channels, structure.samples):
        return _NOT_PLAIN
    return _with_poster(data, made.poster, made.size)


def _examine_once_more(
    data: bytes,
    made: FilmInTheMaking,
    request: FilmRequest,
    searchers: FilmSearchers,
) -> RenditionRefused | None:
    """Why the finished film must not be published; None where it may."""
    structure = plain_structure(data)
    if structure is None or (structure.width, structure.height) != made.size:
        return _NOT_PLAIN
    if structure.frames != len(made.frames) or structure.codec != request.codec.value:
        return _NOT_PLAIN
    paths = [_path(track) for track in request.tracks]
    count = 0
    try:
        with (
            FilmReader(io.BytesIO(data), FilmLimits(min_spacing=0.0)) as reader,
            closing(_searched(reader, request, searchers)) as published,
        ):
            for frame, encoded in zip(published, made.frames, strict=True):
                count += 1
                refused = _refusal_of(frame, encoded, paths, request.cover_colour)
                if refused is not None:
                    return refused
    except (DecodeError, ValueError):
        return _NOT_PLAIN
    return None if count == len(made.frames) else _NOT_PLAIN


@dataclass(frozen=True, eq=False)
class _Searched:
    """One frame of the finished film."""

    time: float
    rgb: RGB
    faces: tuple[Point, ...]
    """The middle of each face that was found in it, in pixels of the upright original."""
    middles: tuple[Point, ...] = ()
    """The middle of each face and each place that is a little like a face, in its own pixels."""


def _refusal_of(
    frame: _Searched,
    encoded: EncodedFrame,
    paths: list[list[PathPoint]],
    colour: Colour | None,
) -> RenditionRefused | None:
    """Why a frame of the finished film must not be published; None where it may."""
    if abs(frame.time - encoded.time) > MAX_TIME_DIFFERENCE:
        return _NOT_PLAIN
    difference = np.abs(thumbnail_of(frame.rgb).astype(np.int16) - encoded.thumbnail)
    is_plain = float(difference.mean()) <= MAX_DIFFERENCE
    if not is_plain or not are_filled(frame.rgb, encoded.heads, colour):
        return _NOT_PLAIN
    if any(head.contains(middle) for head in encoded.heads for middle in frame.middles):
        return _NOT_HIDDEN
    for x, y in frame.faces:
        if not any(_covers(path, encoded.judged_at, x, y) for path in paths):
            return _NEW_FACE
    return None


def _searched(
    reader: FrameReader, request: FilmRequest, searchers: FilmSearchers
) -> Generator[_Searched]:
    """The frames of the finished film: all detectors search one that staff edited."""
    if request.is_edited:
        with closing(FrameSearch(searchers.scout, searchers.finder).frames(reader)) as frames:
            for one in frames:
                rgb, back = one.frame.rgb, request.width / one.frame.rgb.shape[1]
                boxes = [f.box.as_list() for f in one.by_ensemble or () if f.kind is FaceKind.FACE]
                faces = [place_from(box) for box in boxes]
                sure = [place_of(f) for f in one.by_scout if _is_sure(f)]
                like = [place_of(f) for f in one.by_scout if f.score >= UNDER_COVER_FROM]
                judged = _middles([*faces, *sure], back)
                yield _Searched(one.frame.time, rgb, judged, _middles([*faces, *like], 1))
    else:
        with closing(ahead(reader.frames())) as published:
            for frame in published:
                small, factor = resized(frame.rgb, SCOUT_SIDE)
                found = searchers.scout.detect(small)
                seen = [scaled(one, factor) for one in found if _is_sure(one)]
                back = request.width / frame.rgb.shape[1]
                judged = _middles([place_of(one) for one in seen], back)
                yield _Searched(frame.time, frame.rgb, judged)


def _is_sure(found: Detection) -> bool:
    return found.score >= FACE_FROM


def _middles(places: list[Place], back: float) -> tuple[Point, ...]:
    """The middles of boxes, scaled by ``back``."""
    return tuple(
        ((x + width / 2) * back, (y + height / 2) * back) for x, y, width, height in places
    )


def _covers(path: list[PathPoint], time: float, x: float, y: float) -> bool:
    """Whether a point lies in a track's box, or half a box around it, near this moment."""
    if not path or not path[0].time - NEAR_SECONDS <= time <= path[-1].time + NEAR_SECONDS:
        return False
    place = place_at(path, min(max(time, path[0].time), path[-1].time))
    if place is None:
        return False
    left, top, width, height = place
    return (
        left - width / 2 <= x <= left + 1.5 * width and top - height / 2 <= y <= top + 1.5 * height
    )


def _path(track: Shown) -> list[PathPoint]:
    return [PathPoint(time, (x, y, width, height)) for time, x, y, width, height in track.path]


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
