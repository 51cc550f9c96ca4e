"""Encode a released film from its judged frames, and examine the finished file once more.

The original is decoded again. Its frames must be those that were judged, by their SHA-256. The
finished file must have the structure of a published film, show the same frames at the same times,
and show no face that was not judged. Otherwise nothing is published.
"""

from __future__ import annotations

import io

import cv2
import numpy as np
from numpy.typing import NDArray

from consent_gate.model import Reason, Shown
from ingest.decoding.decode import DecodeError
from ingest.faces.protocols import RGB, Detector
from ingest.film.decode import FilmReader
from ingest.film.libav import FilmLimits, SeekableFile
from ingest.film.sightings import resized
from ingest.film.tracks import PathPoint, place_at
from publish.rendering.film import FilmEncoder, FilmTooLarge, published_size
from publish.rendering.render import RenditionSpec, render
from publish.rendition import FilmFile, FilmRequest, Rendition, RenditionRefused
from publish.verification.mp4 import plain_structure
from publish.verification.verify import Expected, verify

SCOUT_SIDE = 960
"""Long side in pixels of a frame that is searched for faces."""
FACE_FROM = 0.8
"""Score of the scout from which a face must have been judged."""
THUMBNAIL = (64, 36)
"""Width and height in pixels to which frames are reduced before they are compared."""
MAX_DIFFERENCE = 5.0
"""Largest mean difference, 0-255, of a published frame's thumbnail from the judged frame's."""
MAX_TIME_DIFFERENCE = 0.002
"""Largest difference in seconds between the times of a published and a judged frame."""
NEAR_SECONDS = 0.1
"""How far from the moments of a track its face may be found once more."""
POSTER_FROM = 1.0
"""The poster is the first frame from this second on, or from a third of a short film."""

_NOT_JUDGED = RenditionRefused(
    Reason.NOT_EXAMINED, "The pictures of the film are not those that were judged."
)
_NOT_PLAIN = RenditionRefused(
    Reason.NOT_EXAMINED, "The finished film does not show exactly what was judged."
)
_NEW_FACE = RenditionRefused(
    Reason.POSSIBLE_FACE, "The finished film shows a face that was not checked. Look at it again."
)
_TOO_LARGE = RenditionRefused(
    Reason.NOT_EXAMINED, "The finished film is too large. Cut it into shorter films."
)


def make_film(
    film: SeekableFile, request: FilmRequest, limits: FilmLimits, scout: Detector
) -> Rendition | RenditionRefused:
    """Encode and verify a film for one channel.

    Args:
        film: The original.
        request: What to encode.
        limits: The largest film that is decoded.
        scout: Searches every frame of the finished film for faces.

    Raises:
        DecodeError: The original cannot be decoded completely.
    """
    encoder: FilmEncoder | None = None
    frames: list[tuple[float, NDArray[np.uint8]]] = []
    poster: RGB | None = None
    try:
        with FilmReader(film, limits) as reader:
            poster_from = min(POSTER_FROM, reader.facts.stated_seconds / 3)
            for frame in reader.frames():
                height, width = frame.rgb.shape[:2]
                size = published_size(width, height, request.max_side)
                encoder = encoder or FilmEncoder(*size)
                encoder.add(frame.time, frame.rgb)
                frames.append((frame.time, _thumbnail(frame.rgb)))
                if poster is None and frame.time >= poster_from:
                    poster = frame.rgb
            is_judged = reader.frames_sha256 == request.frames_sha256
    except FilmTooLarge:
        return _TOO_LARGE
    if encoder is None or poster is None or not is_judged:
        return _NOT_JUDGED
    data = encoder.finish()
    refused = _examine_once_more(data, size, frames, request, scout)
    if refused is not None:
        return refused
    return _with_poster(data, poster, size)


def _examine_once_more(
    data: bytes,
    size: tuple[int, int],
    frames: list[tuple[float, NDArray[np.uint8]]],
    request: FilmRequest,
    scout: Detector,
) -> RenditionRefused | None:
    """Why the finished film must not be published; None where it may."""
    structure = plain_structure(data)
    if structure is None or (structure.width, structure.height) != size:
        return _NOT_PLAIN
    if structure.frames != len(frames):
        return _NOT_PLAIN
    paths = [_path(track) for track in request.tracks]
    count = 0
    try:
        with FilmReader(io.BytesIO(data), FilmLimits(min_spacing=0.0)) as reader:
            for frame, (time, thumbnail) in zip(reader.frames(), frames, strict=True):
                count += 1
                if abs(frame.time - time) > MAX_TIME_DIFFERENCE:
                    return _NOT_PLAIN
                difference = np.abs(_thumbnail(frame.rgb).astype(np.int16) - thumbnail)
                if float(difference.mean()) > MAX_DIFFERENCE:
                    return _NOT_PLAIN
                if _shows_new_face(frame.rgb, time, paths, request, scout):
                    return _NEW_FACE
    except (DecodeError, ValueError):
        return _NOT_PLAIN
    return None if count == len(frames) else _NOT_PLAIN


def _shows_new_face(
    rgb: RGB,
    time: float,
    paths: list[list[PathPoint]],
    request: FilmRequest,
    scout: Detector,
) -> bool:
    """Whether a published frame shows a face where no face was judged at that moment."""
    small, factor = resized(rgb, SCOUT_SIDE)
    back = factor * request.width / rgb.shape[1]
    for found in scout.detect(small):
        if found.score < FACE_FROM:
            continue
        x = (found.x + found.width / 2) * back
        y = (found.y + found.height / 2) * back
        if not any(_covers(path, time, x, y) for path in paths):
            return True
    return False


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


def _thumbnail(rgb: RGB) -> NDArray[np.uint8]:
    small = cv2.resize(rgb, THUMBNAIL, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY), np.uint8)
