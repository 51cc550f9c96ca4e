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
from consent_gate.gallery import Gallery
from consent_gate.model import Box, Evidence, Examined, FaceKind, NotExamined, Reason
from consent_gate.thresholds import Thresholds
from ingest import sandbox
from ingest.decode import CannotDecode, DecodeLimits, decode
from ingest.faces.analyser import EnrolmentFace, FaceAnalyser, NotEnrollable
from ingest.faces.detectors import YuNet
from ingest.faces.embedders.dlib_resnet import DlibEmbedder
from ingest.faces.embedders.sface import SFaceEmbedder
from ingest.faces.finder import PORTRAIT, default_finder
from ingest.faces.protocols import RGB
from ingest.faces.shrunk import found_when_small
from publish.render import RenditionSpec, published_size, render
from publish.rendition import Refused, Rendition, RenditionOrder, make

PREVIEW = RenditionSpec(max_side=1600, quality=80)
"""What staff see in the queue."""

SURE_AT_PUBLISHED_SIZE = 0.8
"""YuNet score at which a face seen only in the finished picture stops it, whatever others see. The
full ensemble judged the picture already; this look is for faces that scaling brought out."""


@dataclass(frozen=True, eq=False)
class Setup:
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


class _Worker:
    """The loaded models of this process."""

    def __init__(self, setup: Setup) -> None:
        self.setup = setup
        self.second_look = YuNet()
        self.finder = default_finder()
        self.portraits = self.finder.with_settings(PORTRAIT)
        self.analyser = FaceAnalyser(
            self.finder,
            SFaceEmbedder(),
            DlibEmbedder(),
            setup.thresholds,
            portraits=self.portraits,
        )


_worker: _Worker | None = None


def start(setup: Setup) -> None:
    """Load the models once."""
    global _worker  # noqa: PLW0603  one worker is one process
    cv2.setNumThreads(1)
    pi_heif.options.DECODE_THREADS = 1
    _worker = _Worker(setup)


def start_confined(setup: Setup) -> None:
    """Load the models, then give up for good what no examination needs."""
    sandbox.limit_memory(setup.megabytes)
    start(setup)
    Image.init()  # every plugin is loaded before the doors close
    sandbox.forbid_system_calls()


def _models() -> _Worker:
    if _worker is None:
        raise RuntimeError("the worker was not started")
    return _worker


def examine(data: bytes) -> Examination:
    """Decode a file, find and compare every face. What fails is held, never passed."""
    try:
        return _examine(data)
    except CannotDecode as error:
        return Examination(NotExamined(error.reason, error.sentence), None)
    except MemoryError:
        detail = "The picture needs more memory than a worker may use."
    except (GateError, cv2.error, RuntimeError, ValueError, ArithmeticError) as error:
        detail = f"The examination failed ({type(error).__name__})."
    return Examination(NotExamined(Reason.NOT_EXAMINED, detail), None)


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
    size = published_size(rgb.shape[1], rgb.shape[0], PREVIEW.max_side)
    small = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA)
    return render(np.asarray(small, dtype=np.uint8), PREVIEW)


def make_renditions(data: bytes, orders: Sequence[RenditionOrder]) -> list[Rendition | Refused]:
    """Make the channels' pictures from the judged pixels, opened once, and prove each.

    Channels that want the very same picture get it from one making.
    """
    try:
        picture = decode(data, _models().setup.limits)
    except CannotDecode as error:
        return [Refused(Reason.NOT_EXAMINED, error.sentence)] * len(orders)
    made = {
        order: make(picture.rgb, order, _sure_faces)
        if order.pixels_sha256 == picture.pixels_sha256
        else Refused(Reason.NOT_EXAMINED, "The picture no longer shows what was judged.")
        for order in dict.fromkeys(orders)
    }
    return [made[order] for order in orders]


def _sure_faces(rgb: RGB) -> list[Box]:
    """Faces at any angle in a finished picture. Those half believed are left out: staff could not
    answer for a box that no examination showed them."""
    upright = [
        Box(round(face.x), round(face.y), round(face.width), round(face.height))
        for face in _models().second_look.detect(rgb)
        if face.score >= SURE_AT_PUBLISHED_SIZE
    ]
    turned = _models().finder.at_published_size(rgb)
    return upright + [face.box for face in turned if face.kind is FaceKind.FACE]


def enrol(data: bytes) -> EnrolmentFace | NotEnrollable | Refused:
    """The templates of the one person in an enrolment photo."""
    try:
        picture = decode(data, _models().setup.limits)
    except CannotDecode as error:
        return Refused(error.reason, error.sentence)
    return _models().analyser.enrol(picture.rgb)


def enrol_one(data: bytes, box: Box, pixels_sha256: str) -> EnrolmentFace | NotEnrollable | Refused:
    """The templates of one face of a picture that was examined before."""
    try:
        picture = decode(data, _models().setup.limits)
    except CannotDecode as error:
        return Refused(error.reason, error.sentence)
    if picture.pixels_sha256 != pixels_sha256:
        return Refused(Reason.NOT_EXAMINED, "The picture no longer shows what was examined.")
    return _models().analyser.enrol_one(picture.rgb, box)


def find_shrunk(data: bytes) -> Mapping[int, FaceKind | None] | Refused | None:
    """How a portrait's face is found as it shrinks; None where it isn't found at full size."""
    try:
        picture = decode(data, _models().setup.limits)
    except CannotDecode as error:
        return Refused(error.reason, error.sentence)
    return found_when_small(picture.rgb, _models().finder, _models().portraits)
