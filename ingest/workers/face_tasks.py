"""Functions of an analysis worker that are about one face: portraits, and who a face may be.

``ingest.workers.worker`` has the other functions of a worker, and says what a worker may do.
"""

from __future__ import annotations

from collections.abc import Mapping

from consent_gate.model import Box, FaceKind, Reason
from ingest.decoding.decode import DecodedImage, DecodeError, decode
from ingest.faces.analyser import NearestPupils
from ingest.faces.detectability import detectability
from ingest.faces.enrolment_face import EnrolmentFace, NotEnrollable, SchoolVector
from ingest.workers.worker import loaded_worker
from publish.renditions.rendition import RenditionRefused

MOST_CANDIDATES = 3
"""Pupils who are offered for a face; more could not be compared by eye at a glance."""


def enrol(data: bytes) -> EnrolmentFace | NotEnrollable | RenditionRefused:
    """The vectors of the one person in an enrolment photo, or why there are none."""
    picture = _decoded(data)
    if isinstance(picture, RenditionRefused):
        return picture
    return loaded_worker().analyser.enrol(picture.rgb)


def enrol_pose(data: bytes) -> EnrolmentFace | NotEnrollable | RenditionRefused:
    """The vectors of the only face in a picture of the webcam, or why there are none."""
    picture = _decoded(data)
    if isinstance(picture, RenditionRefused):
        return picture
    return loaded_worker().analyser.enrol_alone(picture.rgb)


def measure_stored_portrait(data: bytes) -> SchoolVector | NotEnrollable | RenditionRefused:
    """The vector of a stored portrait by the school's own model, or why there is none."""
    picture = _decoded(data)
    if isinstance(picture, RenditionRefused):
        return picture
    return loaded_worker().analyser.school_vector(picture.rgb)


def enrol_selected_face(
    data: bytes, box: Box, pixels_sha256: str
) -> EnrolmentFace | NotEnrollable | RenditionRefused:
    """The vectors of one face of a picture that was examined before, or why there are none.

    Args:
        data: The original file.
        box: The face in pixels of the upright picture.
        pixels_sha256: Digest of the pixels that were examined.
    """
    picture = _decoded(data, pixels_sha256)
    if isinstance(picture, RenditionRefused):
        return picture
    return loaded_worker().analyser.enrol_selected(picture.rgb, box)


def find_nearest_pupils(
    data: bytes, box: Box, pixels_sha256: str, allowed: tuple[str, ...]
) -> NearestPupils | NotEnrollable | RenditionRefused:
    """The pupils whom one face of an examined picture resembles most, or why nobody is offered.

    Args:
        data: The original file.
        box: The face in pixels of the upright picture.
        pixels_sha256: Digest of the pixels that were examined.
        allowed: Admission numbers of the pupils who may be compared for this picture today. Their
            templates are those that the worker received when it started.
    """
    picture = _decoded(data, pixels_sha256)
    if isinstance(picture, RenditionRefused):
        return picture
    worker = loaded_worker()
    return worker.analyser.nearest_pupils(
        picture.rgb, box, worker.config.gallery, MOST_CANDIDATES, frozenset(allowed)
    )


def measure_detectability(data: bytes) -> Mapping[int, FaceKind | None] | RenditionRefused | None:
    """How the face of a portrait is found at each smaller height in pixels.

    None where the face is not found at full size.
    """
    picture = _decoded(data)
    if isinstance(picture, RenditionRefused):
        return picture
    return detectability(picture.rgb, loaded_worker().finder, loaded_worker().portrait_finder)


def _decoded(data: bytes, pixels_sha256: str | None = None) -> DecodedImage | RenditionRefused:
    """The picture, or why it cannot be used: its pixels must be those that were examined."""
    try:
        picture = decode(data, loaded_worker().config.limits)
    except DecodeError as error:
        return RenditionRefused(error.reason, error.message)
    if pixels_sha256 not in (None, picture.pixels_sha256):
        return RenditionRefused(
            Reason.NOT_EXAMINED, "The picture no longer shows what was examined."
        )
    return picture
