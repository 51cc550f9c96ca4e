"""Examine a finished film: it has the frames that were encoded, and shows judged faces only.

The quick detector searches each frame. All detectors search a film that staff edited, as they
search a new one: a face that was cut away was never compared. A possible face holds such a film
too, outside the covers, unless it is at the place and time of a face that was judged.
"""

from __future__ import annotations

import io
from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import dataclass

import numpy as np

from consent_gate.model import Box, FaceKind, Reason
from ingest.decoding.decode import DecodeError
from ingest.faces.finder import FaceFinder
from ingest.faces.protocols import RGB, Detection, Detector, FoundFace
from ingest.faces.resolve import clipped, shows_part
from ingest.film.ahead import ahead
from ingest.film.decode import FilmReader
from ingest.film.encode import EncodedFrame, FilmInTheMaking, thumbnail_of
from ingest.film.fill import are_filled
from ingest.film.frames import FrameReader
from ingest.film.judged_places import JudgedPlaces, NewFaces, Point
from ingest.film.libav import FilmLimits
from ingest.film.search import FrameSearch
from ingest.film.sightings import place_from, place_of, resized, scaled, sightings_of
from ingest.film.tracks import Place, Sighting
from publish.renditions.rendition import FilmRequest, RenditionRefused
from publish.verification.mp4 import plain_structure

SCOUT_SIDE = 960
"""Long side in pixels of a frame that is searched for faces."""
FACE_FROM = 0.8
"""Score of the scout from which a face must have been judged."""
UNDER_COVER_FROM = 0.5
"""Score of the scout from which a place in a cover holds the film."""
MAX_DIFFERENCE = 5.0
"""Largest mean difference, 0-255, of a published frame's thumbnail from the judged frame's."""
MAX_TIME_DIFFERENCE = 0.002
"""Largest difference in seconds between the times of a published and a judged frame."""

NOT_PLAIN = RenditionRefused(
    Reason.NOT_EXAMINED, "The finished film does not show exactly what was judged."
)
NOT_HIDDEN = RenditionRefused(
    Reason.POSSIBLE_FACE, "The finished film shows a face that its cover does not hide."
)
NEW_FACE = "The finished film shows a face that was not checked. Look at it again."


@dataclass(frozen=True, eq=False)
class FilmSearchers:
    """The models that search a finished film for faces."""

    scout: Detector
    """Searches every frame."""
    finder: FaceFinder
    """All detectors; they search a film that staff edited."""


def refusal_of(
    data: bytes, made: FilmInTheMaking, request: FilmRequest, searchers: FilmSearchers
) -> RenditionRefused | None:
    """Return why a finished film must not be published; None where it may.

    Args:
        data: The finished film, an MP4.
        made: What was encoded.
        request: What should be encoded.
        searchers: Search the film for faces.
    """
    structure = plain_structure(data)
    if structure is None or (structure.width, structure.height) != made.size:
        return NOT_PLAIN
    if structure.frames != len(made.frames) or structure.codec != request.codec.value:
        return NOT_PLAIN
    judged = JudgedPlaces(request.tracks)
    size = request.width, request.height
    new, count = NewFaces(request.scene_starts, size[0] / structure.width, size), 0
    try:
        with (
            FilmReader(io.BytesIO(data), FilmLimits(min_spacing=0.0)) as reader,
            closing(_searched(reader, made, request, searchers)) as published,
        ):
            for frame, encoded in zip(published, made.frames, strict=True):
                count += 1
                refused = _refusal_of_frame(frame, encoded, request)
                if refused is not None:
                    return refused
                new.add(encoded.judged_at, _not_judged(frame, encoded, request, judged))
    except (DecodeError, ValueError):
        return NOT_PLAIN
    if count != len(made.frames):
        return NOT_PLAIN
    tracks = new.tracks()
    return RenditionRefused(Reason.POSSIBLE_FACE, NEW_FACE, shown=tracks) if tracks else None


@dataclass(frozen=True, eq=False)
class _Searched:
    """One frame of the finished film. Places are in its own pixels."""

    time: float
    rgb: RGB
    by_scout: tuple[Detection, ...]
    by_ensemble: tuple[FoundFace, ...] = ()

    @property
    def certain(self) -> list[Place]:
        """The faces that all detectors found."""
        sure = (face for face in self.by_ensemble if face.kind is FaceKind.FACE)
        return [place_from(face.box.as_list()) for face in sure]


def _searched(
    reader: FrameReader, made: FilmInTheMaking, request: FilmRequest, searchers: FilmSearchers
) -> Generator[_Searched]:
    """The frames of the finished film: all detectors search one that staff edited."""
    if request.is_edited:
        poster_at = made.poster_at - MAX_TIME_DIFFERENCE
        search = FrameSearch(searchers.scout, searchers.finder, turns=False, poster_at=poster_at)
        with closing(search.frames(reader)) as frames:
            for one in frames:
                yield _Searched(one.frame.time, one.frame.rgb, one.by_scout, one.by_ensemble or ())
    else:
        with closing(ahead(reader.frames())) as published:
            for frame in published:
                small, factor = resized(frame.rgb, SCOUT_SIDE)
                found = (scaled(one, factor) for one in searchers.scout.detect(small))
                yield _Searched(frame.time, frame.rgb, tuple(found))


def _refusal_of_frame(
    frame: _Searched, encoded: EncodedFrame, request: FilmRequest
) -> RenditionRefused | None:
    """Why a frame is not what was encoded, or shows something in a cover; None where it may go."""
    if abs(frame.time - encoded.time) > MAX_TIME_DIFFERENCE:
        return NOT_PLAIN
    difference = np.abs(thumbnail_of(frame.rgb).astype(np.int16) - encoded.thumbnail)
    is_plain = float(difference.mean()) <= MAX_DIFFERENCE
    if not is_plain or not are_filled(frame.rgb, encoded.heads, request.cover_colour):
        return NOT_PLAIN
    like = [place_of(one) for one in frame.by_scout if one.score >= UNDER_COVER_FROM]
    middles = [_middle(place) for place in (*frame.certain, *like)]
    if any(head.contains(middle) for head in encoded.heads for middle in middles):
        return NOT_HIDDEN
    return None


def _not_judged(
    frame: _Searched, encoded: EncodedFrame, request: FilmRequest, judged: JudgedPlaces
) -> list[Sighting]:
    """The faces and possible faces of a frame that nobody judged."""
    height, width = frame.rgb.shape[:2]
    back, time = request.width / width, encoded.judged_at
    known = [clipped([v / back for v in place], width, height) for place in judged.at(time)]
    around = [*(box for box in known if box is not None), *encoded.heads]
    faces = [face for face in frame.by_ensemble if _counts(face, around)]
    new = []
    for one in sightings_of(frame.rgb, frame.by_scout, faces):
        x, y = _middle(one.place)
        if _is_sure(one):
            is_new = not judged.has_face(time, (x * back, y * back))
        else:
            is_possible = one.kind is FaceKind.POSSIBLE
            is_new = is_possible and not judged.has_possible(time, (x * back, y * back))
        if is_new:
            new.append(one)
    return new


def _counts(face: FoundFace, around: Sequence[Box]) -> bool:
    """Whether a face counts beside those that were judged or covered: a covered head with its hair
    and shoulders looks like a possible face."""
    return face.kind is FaceKind.FACE or not shows_part(face, around)


def _is_sure(one: Sighting) -> bool:
    return one.kind is FaceKind.FACE or (one.scout_score or 0.0) >= FACE_FROM


def _middle(place: Place) -> Point:
    x, y, width, height = place
    return x + width / 2, y + height / 2
