"""What runs inside an analysis worker: everything that touches a file's bytes or a model.

A worker holds no key, no database and no path of the home: bytes and a gallery come in, evidence
and freshly made pictures go out. It may crash, hang or run out of memory on a hostile file; the
pool then starts another, and the item is held as not examined.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import pi_heif
from PIL import Image

from consent_gate.errors import GateError
from consent_gate.matching.gallery import Gallery
from consent_gate.matching.thresholds import Thresholds
from consent_gate.model import Box, Evidence, Examined, FaceKind, NotExamined, Reason
from ingest.decoding.decode import DecodeError, DecodeLimits, decode
from ingest.faces.analyser import EnrolmentFace, FaceAnalyser, NotEnrollable
from ingest.faces.detectability import detectability
from ingest.faces.detectors import YuNet
from ingest.faces.embedders.dlib_resnet import DlibEmbedder
from ingest.faces.embedders.sface import SFaceEmbedder
from ingest.faces.finder import PORTRAIT, default_finder
from ingest.faces.protocols import RGB
from ingest.workers import sandbox
from publish.rendering.render import RenditionSpec, render, scaled_size
from publish.rendition import Rendition, RenditionRefused, RenditionRequest, make_rendition

PREVIEW = RenditionSpec(max_side=1600, quality=80)
"""What staff see in the queue."""

CERTAIN_AT_PUBLISHED_SIZE = 0.8
"""YuNet score at which a face seen only in the finished picture stops it. The full ensemble judged
the picture already; this look is for faces that scaling brought out."""


@dataclass(frozen=True, eq=False)
class WorkerConfig:
    """What a worker is given once, when it starts."""

    gallery: Gallery
    thresholds: Thresholds
    limits: DecodeLimits
    megabytes: int


@dataclass(frozen=True)
class Examination:
    """What a worker found out about one file."""

    evidence: Evidence
    preview: bytes | None
    """JPEG of the judged pixels for staff; None when there are no pixels."""


def not_examined(detail: str, reason: Reason = Reason.NOT_EXAMINED) -> Examination:
    """An examination that found out nothing; ``detail`` is a plain sentence for staff."""
    return Examination(NotExamined(reason, detail), None)


class _Worker:
    """The loaded models of this process."""

    def __init__(self, config: WorkerConfig) -> None:
        self.setup = config
        self.second_look = YuNet()
        self.finder = default_finder()
        self.portraits = self.finder.with_settings(PORTRAIT)
        self.analyser = FaceAnalyser(
            self.finder,
            SFaceEmbedder(),
            DlibEmbedder(),
            config.thresholds,
            portraits=self.portraits,
        )


_worker: _Worker | None = None


def start(config: WorkerConfig) -> None:
    """Load the models once."""
    global _worker  # noqa: PLW0603  one worker is one process
    cv2.setNumThreads(1)
    pi_heif.options.DECODE_THREADS = 1
    _worker = _Worker(config)


def start_confined(config: WorkerConfig) -> None:
    """Load the models, then give up for good what no examination needs."""
    sandbox.limit_memory(config.megabytes)
    start(config)
    Image.init()  # every plugin is loaded before the doors close
    sandbox.apply_seccomp()


def _models() -> _Worker:
    if _worker is None:
        raise RuntimeError("the worker was not started")
    return _worker


def examine(data: bytes) -> Examination:
    """Decode a file, find and compare every face. What fails is held, never passed."""
    try:
        return _examine(data)
    except DecodeError as error:
        return not_examined(error.message, error.reason)
    except MemoryError:
        detail = "The picture needs more memory than a worker may use."
    except (GateError, cv2.error, RuntimeError, ValueError, ArithmeticError) as error:
        detail = f"The examination failed ({type(error).__name__})."
    return not_examined(detail)


def _examine(data: bytes) -> Examination:
    worker = _models()
    picture = decode(data, worker.setup.limits)
    faces = worker.analyser.analyse(picture.rgb, worker.setup.gallery)
    height, width = picture.rgb.shape[:2]
    evidence = Examined(
        width=width,
        height=height,
        pixels_sha256=picture.pixels_sha256,
        faces=faces,
        device=picture.device,
        templates_from=worker.setup.thresholds.fitted_on,
    )
    return Examination(evidence, _preview(picture.rgb))


def _preview(rgb: RGB) -> bytes:
    """OpenCV scales a 12 MP picture down in a fifth of the time that Pillow takes."""
    size = scaled_size(rgb.shape[1], rgb.shape[0], PREVIEW.max_side)
    small = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA)
    return render(np.asarray(small, dtype=np.uint8), PREVIEW)


def make_renditions(
    data: bytes, orders: Sequence[RenditionRequest]
) -> list[Rendition | RenditionRefused]:
    """Make the channels' pictures from the judged pixels, opened once, and prove each.

    Channels that want the very same picture get it from one making.
    """
    try:
        picture = decode(data, _models().setup.limits)
    except DecodeError as error:
        return [RenditionRefused(Reason.NOT_EXAMINED, error.message)] * len(orders)
    made = {
        order: make_rendition(picture.rgb, order, _certain_faces)
        if order.pixels_sha256 == picture.pixels_sha256
        else RenditionRefused(Reason.NOT_EXAMINED, "The picture no longer shows what was judged.")
        for order in dict.fromkeys(orders)
    }
    return [made[order] for order in orders]


def _certain_faces(rgb: RGB) -> list[Box]:
    return [
        Box(round(face.x), round(face.y), round(face.width), round(face.height))
        for face in _models().second_look.detect(rgb)
        if face.score >= CERTAIN_AT_PUBLISHED_SIZE
    ]


def enrol(data: bytes) -> EnrolmentFace | NotEnrollable | RenditionRefused:
    """The templates of the one person in an enrolment photo."""
    try:
        picture = decode(data, _models().setup.limits)
    except DecodeError as error:
        return RenditionRefused(error.reason, error.message)
    return _models().analyser.enrol(picture.rgb)


def enrol_selected_face(
    data: bytes, box: Box, pixels_sha256: str
) -> EnrolmentFace | NotEnrollable | RenditionRefused:
    """The templates of one face of a picture that was examined before."""
    try:
        picture = decode(data, _models().setup.limits)
    except DecodeError as error:
        return RenditionRefused(error.reason, error.message)
    if picture.pixels_sha256 != pixels_sha256:
        return RenditionRefused(
            Reason.NOT_EXAMINED, "The picture no longer shows what was examined."
        )
    return _models().analyser.enrol_one(picture.rgb, box)


def measure_detectability(data: bytes) -> Mapping[int, FaceKind | None] | RenditionRefused | None:
    """How a portrait's face is found as it shrinks; None where it isn't found at full size."""
    try:
        picture = decode(data, _models().setup.limits)
    except DecodeError as error:
        return RenditionRefused(error.reason, error.message)
    return detectability(picture.rgb, _models().finder, _models().portraits)
