"""Render and verify one picture for one channel. Runs in a worker process."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from consent_gate.model import (
    COVER_GREY,
    Box,
    Colour,
    FaceEvidence,
    FilmSpan,
    KeptSound,
    Match,
    Reason,
    Shown,
)
from publish.rendering.film import FilmCodec
from publish.rendering.render import EmptyCrop, ImageFormat, RenditionSpec, apply_crop, render
from publish.verification.verify import Expected, verify_pixels

FacesInRendition = Callable[[NDArray[np.uint8], Sequence[Box], Sequence[Box]], Sequence[Box]]
"""Detects faces and possible faces in a published picture: (height, width, 3), uint8, RGB.

The second argument are the judged faces, the third the covered heads, as boxes in pixels of that
picture. It may leave out faces whose centres lie in judged faces that are not far larger, and
possible faces that show a part of a judged face or of a cover. Returns boxes in the same pixels."""


ExamineRendition = Callable[[NDArray[np.uint8]], Sequence[FaceEvidence]]
"""Examines a published picture as a new one: (height, width, 3), uint8, RGB. Returns all faces and
possible faces, compared with the gallery."""

SAME_FACE = 0.3
"""Intersection over union from which a face of a covered picture is one that was judged. Boxes
differ by some pixels after scaling."""


@dataclass(frozen=True)
class RenditionRequest:
    """What to render for one channel."""

    spec: RenditionSpec
    pixels_sha256: str
    """SHA-256 of the judged pixels. If the decoded original differs, nothing is rendered."""
    judged_faces: tuple[Box, ...]
    """All faces that were judged and are not covered, in pixels of the upright original."""
    alternate_formats: tuple[ImageFormat, ...] = ()
    """Further formats of the same picture."""
    covered_by_gate: bool = False
    """Whether the gate covered faces by itself. Then the picture is examined as a new one."""
    named: tuple[tuple[Box, tuple[str, ...]], ...] = ()
    """Of judged faces: the admission numbers of the pupils they may be."""


@dataclass(frozen=True)
class FilmRequest:
    """What to encode of a film for one channel."""

    max_side: int
    """Longest side of the published film and of its poster, in pixels."""
    frames_sha256: str
    """SHA-256 of the judged frames. If the decoded original differs, nothing is published."""
    width: int
    height: int
    """Of the upright original, in pixels."""
    tracks: tuple[Shown, ...]
    """When and where each judged face is shown that may be seen in the published film."""
    kept: tuple[FilmSpan, ...] | None = None
    """The parts that are published; None for the whole film."""
    covered: tuple[Shown, ...] = ()
    """When and where each face is shown that is covered in all frames."""
    scene_starts: tuple[float, ...] = ()
    """Seconds at which each scene of the original begins."""
    cover_colour: Colour | None = COVER_GREY
    """Colour of the covers. None: cells in the colours around each cover."""
    sound: KeptSound | None = None
    """The sound that is published; None for a silent film."""
    codec: FilmCodec = FilmCodec.H264
    """How the picture is compressed."""

    @property
    def is_edited(self) -> bool:
        """Whether staff cut the film, or covered faces in it."""
        return self.kept is not None or bool(self.covered)


@dataclass(frozen=True)
class FilmFile:
    """An encoded and verified film."""

    data: bytes
    """The whole MP4 file."""
    seconds: float


@dataclass(frozen=True)
class AlternateFormat:
    """The same picture at the same size in another format, verified."""

    kind: ImageFormat
    data: bytes


@dataclass(frozen=True)
class Rendition:
    """A rendered and verified picture."""

    data: bytes
    """The whole JPEG file."""
    width: int
    """In pixels."""
    height: int
    """In pixels."""
    alternates: tuple[AlternateFormat, ...] = ()
    film: FilmFile | None = None
    """The film of which the picture is the poster; None for a photo."""


@dataclass(frozen=True)
class RenditionRefused:
    """Why a picture must not be published after all."""

    reason: Reason
    message: str
    """One sentence for staff."""
    faces: tuple[Box, ...] = ()
    """Faces and possible faces that were not judged, in pixels of the upright original."""
    shown: tuple[Shown, ...] = ()
    """Those of a film: when and where the original shows them."""


def make_rendition(
    judged: NDArray[np.uint8],
    request: RenditionRequest,
    detect_faces: FacesInRendition,
    examine: ExamineRendition | None = None,
) -> Rendition | RenditionRefused:
    """Render the judged pixels, verify each file and look for faces that were not judged.

    Where a picture with covers of cells is refused, the covers become grey: what is around a cover
    may look like a face in its cells.

    Args:
        judged: The judged pixels: (height, width, 3), uint8, RGB, sRGB, upright. The caller has
            compared them with ``request.pixels_sha256``.
        request: What to render.
        detect_faces: Detects faces in the decoded result.
        examine: Examines the decoded result as a new picture, where the gate covered faces. None:
            such pictures are refused.

    Returns:
        The files, or why the picture must not be published.
    """
    if request.covered_by_gate and examine is None:
        return RenditionRefused(Reason.NOT_EXAMINED, "The covered picture was not examined.")
    made = _make_searched(judged, request, detect_faces, examine)
    if isinstance(made, RenditionRefused) and any(
        r.colour is None for r in request.spec.redactions
    ):
        grey = tuple(replace(r, colour=COVER_GREY) for r in request.spec.redactions)
        plain = replace(request, spec=replace(request.spec, redactions=grey))
        return _make_searched(judged, plain, detect_faces, examine)
    return made


def _make_searched(
    judged: NDArray[np.uint8],
    request: RenditionRequest,
    detect_faces: FacesInRendition,
    examine: ExamineRendition | None,
) -> Rendition | RenditionRefused:
    """``make_rendition`` with the covers that the request asks for."""
    made = _render_verified(judged, request.spec)
    if isinstance(made, RenditionRefused):
        return made
    data, published = made
    height, width = published.shape[:2]
    mapping = _published_pixels(judged, request, width)
    known = [mapping.to_published(box) for box in request.judged_faces]
    if request.covered_by_gate and examine is not None:
        named = [frozenset(dict(request.named).get(box, ())) for box in request.judged_faces]
        others = uncleared_faces(examine(published), known, named)
    else:
        covered = [mapping.to_published(r.covers) for r in request.spec.redactions]
        found = detect_faces(published, known, covered)
        others = [face for face in found if not _was_judged(face, known)]
    new = [mapping.to_original(face) for face in others]
    if new:
        return RenditionRefused(
            Reason.POSSIBLE_FACE,
            "The picture at published size shows a face that was not checked, or one that its cover"
            " does not hide. Look at it again.",
            tuple(new),
        )
    alternates = _alternate_formats(judged, request)
    if isinstance(alternates, RenditionRefused):
        return alternates
    return Rendition(data, width, height, alternates)


def _alternate_formats(
    judged: NDArray[np.uint8], request: RenditionRequest
) -> tuple[AlternateFormat, ...] | RenditionRefused:
    """The picture in each further format, or why one of them must not be published."""
    alternates = []
    for kind in request.alternate_formats:
        made = _render_verified(judged, replace(request.spec, kind=kind))
        if isinstance(made, RenditionRefused):
            return made
        alternates.append(AlternateFormat(kind, made[0]))
    return tuple(alternates)


def _render_verified(
    judged: NDArray[np.uint8], spec: RenditionSpec
) -> tuple[bytes, NDArray[np.uint8]] | RenditionRefused:
    """The file of one format and the pixels decoded from it, or why it must not be published."""
    try:
        data = render(judged, spec)
    except EmptyCrop as error:
        return RenditionRefused(Reason.NOT_EXAMINED, str(error))
    verified = verify_pixels(data, Expected(judged, spec))
    if verified.findings or verified.pixels is None:
        return RenditionRefused(Reason.NOT_EXAMINED, verified.findings[0].sentence)
    return data, verified.pixels


@dataclass(frozen=True)
class _PixelMapping:
    """From pixels of the upright original to those of the published picture, and back."""

    left: int
    top: int
    """Corner of the published part, in pixels of the original."""
    scale: float

    def to_published(self, box: Box) -> Box:
        left, top = (box.x - self.left) * self.scale, (box.y - self.top) * self.scale
        return _rounded(left, top, box.width * self.scale, box.height * self.scale)

    def to_original(self, box: Box) -> Box:
        left, top = self.left + box.x / self.scale, self.top + box.y / self.scale
        return _rounded(left, top, box.width / self.scale, box.height / self.scale)


def _published_pixels(
    judged: NDArray[np.uint8], request: RenditionRequest, width: int
) -> _PixelMapping:
    """The mapping for a published picture of this width in pixels."""
    kept, _ = apply_crop(judged, request.spec)
    crop = request.spec.crop or Box(0, 0, 0, 0)
    return _PixelMapping(max(0, crop.x), max(0, crop.y), width / kept.shape[1])


def _rounded(left: float, top: float, width: float, height: float) -> Box:
    right, bottom = round(left + width), round(top + height)
    return Box(round(left), round(top), right - round(left), bottom - round(top))


def uncleared_faces(
    found: Sequence[FaceEvidence], judged: Sequence[Box], named: Sequence[Collection[str]]
) -> list[Box]:
    """Return the faces of a picture that the gate covered which are not those that were cleared.

    Args:
        found: All faces and possible faces of the covered picture.
        judged: The faces that are not covered, in pixels of the same picture.
        named: For each judged face: the pupils for whom the machine or staff take it.
    """
    free, others = dict(enumerate(judged)), []
    for face in sorted(found, key=lambda face: -face.score):
        at = max(free, key=lambda index: face.box.overlap(free[index]), default=None)
        if at is None or face.box.overlap(free[at]) < SAME_FACE:
            others.append(face.box)
            continue
        del free[at]
        if isinstance(face.identity, Match) and face.identity.pupil not in named[at]:
            others.append(face.box)
    return others


def _was_judged(face: Box, known: Sequence[Box]) -> bool:
    """Whether a face is one of the judged faces."""
    return any(box.is_place_of(face) for box in known)
