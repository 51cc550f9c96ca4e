"""The functions of an analysis worker that make what is published from the judged pixels.

``ingest.workers.worker`` has the other functions of a worker, and says what a worker may do.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from consent_gate.model import Box, Reason
from ingest.decoding.decode import DecodeError, decode
from ingest.faces.protocols import RGB
from ingest.film.finished import FilmSearchers
from ingest.film.libav import SeekableFile
from ingest.film.rendition import make_film
from ingest.workers.worker import loaded_worker
from publish.renditions.rendition import (
    FilmRequest,
    Rendition,
    RenditionRefused,
    RenditionRequest,
    make_rendition,
)

MIN_RENDITION_FACE_SCORE = 0.8
"""The YuNet score from which a face found only in the rendered picture refuses it: the original has
been judged by the full ensemble."""


def make_renditions(
    data: bytes, orders: Sequence[RenditionRequest]
) -> list[Rendition | RenditionRefused]:
    """Render and verify the pictures of all channels from the pixels, decoded once.

    Equal requests are rendered once. A request whose ``pixels_sha256`` is not that of the pixels is
    refused.
    """
    try:
        picture = decode(data, loaded_worker().config.limits)
    except DecodeError as error:
        return [RenditionRefused(Reason.NOT_EXAMINED, error.message)] * len(orders)
    asked = [order for order in orders if order.pixels_sha256 == picture.pixels_sha256]
    renditions = _renditions(picture.rgb, asked)
    other = RenditionRefused(Reason.NOT_EXAMINED, "The pixels are not those that were judged.")
    return [renditions.get(order, other) for order in orders]


def make_films(
    film: SeekableFile, orders: Sequence[FilmRequest]
) -> list[Rendition | RenditionRefused]:
    """Encode and verify the films of all channels from the judged frames.

    Equal requests are encoded once.
    """
    searchers = FilmSearchers(loaded_worker().rendition_detector, loaded_worker().finder)
    limits = loaded_worker().config.film_limits
    made: dict[FilmRequest, Rendition | RenditionRefused] = {}
    for order in dict.fromkeys(orders):
        film.seek(0)
        try:
            made[order] = make_film(film, order, limits, searchers)
        except DecodeError as error:
            made[order] = RenditionRefused(Reason.NOT_EXAMINED, error.message)
    return [made[order] for order in orders]


def _renditions(
    rgb: RGB, orders: Sequence[RenditionRequest]
) -> dict[RenditionRequest, Rendition | RenditionRefused]:
    """Render each different order once, the largest picture first.

    A smaller picture of the same crop and covers shows nobody who is not in the larger one, so only
    the largest is searched at every angle. If a face was found in it, no smaller one is published.
    A picture in which the gate covered faces is examined at each size.
    """
    worker, renditions = loaded_worker(), dict[RenditionRequest, Rendition | RenditionRefused]()
    examine = partial(worker.analyser.analyse, gallery=worker.config.gallery)
    searched: dict[object, Rendition | RenditionRefused] = {}
    for order in sorted(dict.fromkeys(orders), key=lambda order: -order.spec.max_side):
        if order.covered_by_gate:
            renditions[order] = make_rendition(rgb, order, _faces_at_any_angle, examine)
            continue
        shown = (order.spec.crop, order.spec.redactions, order.judged_faces)
        larger = searched.get(shown)
        if isinstance(larger, RenditionRefused) and larger.reason is Reason.POSSIBLE_FACE:
            renditions[order] = larger
            continue
        was_searched = isinstance(larger, Rendition)
        faces = _certain_upright_faces if was_searched else _faces_at_any_angle
        renditions[order] = made = make_rendition(rgb, order, faces, examine)
        if not was_searched:
            searched[shown] = made
    return renditions


def _certain_upright_faces(
    rgb: RGB, _judged: Sequence[Box] = (), _covered: Sequence[Box] = ()
) -> list[Box]:
    """Upright faces in a rendered picture, also those that were judged."""
    return [
        Box(round(face.x), round(face.y), round(face.width), round(face.height))
        for face in loaded_worker().rendition_detector.detect(rgb)
        if face.score >= MIN_RENDITION_FACE_SCORE
    ]


def _faces_at_any_angle(rgb: RGB, judged: Sequence[Box], covered: Sequence[Box]) -> list[Box]:
    """Faces and possible faces in a rendered picture, the judged ones only if they are upright."""
    found = loaded_worker().finder.find_in_rendition(rgb, judged, covered)
    return _certain_upright_faces(rgb) + [face.box for face in found]
