"""The functions that run in an analysis worker: all that read a file's bytes or use a model.

A worker has no key, no database and no path of the home, and ``sandbox`` restricts it. It receives
bytes and a gallery and returns evidence and rendered pictures. Answers cross to the gate as data:
``answers`` checks them against the functions' return annotations. A hostile file may make a worker
crash, hang or run out of memory. The pool then starts another worker, and the item is held as not
examined.
"""

from __future__ import annotations

import gc
from contextlib import closing
from dataclasses import replace

import cv2
import numpy as np
import pi_heif
from PIL import Image

from consent_gate.errors import GateError
from consent_gate.matching.copies.picture_hash import HASHED_SIDE, picture_hashes
from consent_gate.model import Examined, TextCheck
from consent_gate.names.text_lines import ReadLine
from ingest.decoding.decode import DecodeError, decode
from ingest.faces.analyser import FaceAnalyser
from ingest.faces.detectors import CenterFace, YuNet
from ingest.faces.embedders.dlib_resnet import DlibEmbedder
from ingest.faces.embedders.sface import SFaceEmbedder
from ingest.faces.ensemble import FLOORS
from ingest.faces.finder import default_finder
from ingest.faces.finder_settings import PORTRAIT
from ingest.faces.protocols import RGB
from ingest.film.animation import only_picture, open_frames
from ingest.film.checkpoint import Checkpoint, CheckpointUnusable
from ingest.film.examine import FilmExaminer, FilmResult, TooManyFaces
from ingest.film.frames import FrameReader
from ingest.film.libav import SeekableFile, load_film_decoders
from ingest.film.live_photo import identifier_of_film
from ingest.film.search import SCOUT_FROM
from ingest.film.shared_file import SharedFile
from ingest.film.sound_check import SoundExamination
from ingest.film.speech import speech_finder
from ingest.lettering.film_text import FilmText
from ingest.lettering.finder import TextFinder
from ingest.lettering.lettering import Lettering, TooMuchText
from ingest.lettering.reader import TextReader
from ingest.workers import film_checkpoint
from ingest.workers.answers import AnswerInvalid
from ingest.workers.examination import Examination, not_examined
from ingest.workers.served_file import PartsFile, report_progress, send_checkpoint
from ingest.workers.worker_config import WorkerConfig
from publish.rendering.render import RenditionSpec, render, scaled_size

PREVIEW = RenditionSpec(max_side=1600, quality=80)
"""The preview that staff see in the review queue."""


class _Worker:
    """The loaded models of this process."""

    def __init__(self, config: WorkerConfig) -> None:
        self.config = config
        self.rendition_detector = YuNet()
        self.finder = default_finder()
        self.film_scout = YuNet(SCOUT_FROM)
        self.speech_finder = speech_finder() if config.film_sound else None
        self.film_second = CenterFace(FLOORS["centerface"])
        self.lettering = (
            Lettering(TextFinder(), TextReader(), config.text_side) if config.text_side else None
        )
        self.portrait_finder = self.finder.with_settings(PORTRAIT)
        self.analyser = FaceAnalyser(
            self.finder,
            SFaceEmbedder(),
            DlibEmbedder(),
            config.thresholds,
            portraits=self.portrait_finder,
            school=config.open_school_model(),
        )


_worker: _Worker | None = None


def start(config: WorkerConfig) -> None:
    """Load the models of this process."""
    global _worker  # noqa: PLW0603  one worker is one process
    cv2.setNumThreads(1)
    pi_heif.options.DECODE_THREADS = 1
    Image.init()  # load every plugin before the process is sealed
    load_film_decoders()
    _worker = _Worker(config)
    gc.freeze()  # what was loaded stays, so the garbage collector need not look through it again


def loaded_worker() -> _Worker:
    """Return the loaded models of this process.

    Raises:
        RuntimeError: ``start`` was not called.
    """
    if _worker is None:
        raise RuntimeError("the worker was not started")
    return _worker


def examine(data: bytes) -> Examination:
    """Decode a file, and find and compare every face.

    A failure gives ``NotExamined``, so that the item is held.
    """
    try:
        return _examine(data)
    except DecodeError as error:
        return not_examined(error.message, error.reason)
    except MemoryError:
        message = "The picture needs more memory than a worker may use. Save it in a smaller size."
    except (GateError, cv2.error, RuntimeError, ValueError, ArithmeticError) as error:
        message = f"The examination failed ({type(error).__name__})."
    return not_examined(message)


def _examine(data: bytes) -> Examination:
    worker = loaded_worker()
    picture = decode(data, worker.config.limits)
    faces = worker.analyser.analyse(picture.rgb, worker.config.gallery)
    height, width = picture.rgb.shape[:2]
    evidence = Examined(
        width=width,
        height=height,
        pixels_sha256=picture.pixels_sha256,
        faces=faces,
        device=picture.device,
        templates_from=worker.config.fitted_on,
        text_side=worker.config.text_side,
        text_check=_unread(),
    )
    preview = _scaled(picture.rgb, PREVIEW.max_side)
    lines = _read_text(picture.rgb)
    shown, hashes = render(preview, PREVIEW), _hashes(preview)
    return Examination(evidence, shown, hashes, lines, live_photo=picture.live_photo)


def _read_text(rgb: RGB) -> tuple[ReadLine, ...] | None:
    """The text of a picture; None where it is not looked for or could not be read."""
    lettering = loaded_worker().lettering
    if lettering is None:
        return None
    try:
        return lettering.read(rgb)
    except (TooMuchText, MemoryError, cv2.error, RuntimeError, ValueError, ArithmeticError):
        return None


def examine_film(film: SeekableFile) -> Examination:
    """Decode a film or an animated picture, and find, follow and compare every face.

    A file that may be animated, but has one picture, is examined as a photo.

    A failure gives ``NotExamined``, so that the item is held.
    """
    try:
        examination = _examine_film(film, _known_of(film))
    except CheckpointUnusable:
        examination = _examine_film(film, None)
    return replace(examination, live_photo=examination.live_photo or identifier_of_film(film))


def _known_of(film: SeekableFile) -> Checkpoint | None:
    """Where the examination of a film goes on; None where it begins."""
    basis = loaded_worker().config.basis
    if not basis or not isinstance(film, PartsFile) or not film.checkpoint:
        return None
    try:
        known = film_checkpoint.decoded(film.checkpoint)
    except AnswerInvalid:
        return None
    return known if known.basis == basis else None


def _follow_faces(
    reader: FrameReader, sound: SoundExamination, known: Checkpoint | None
) -> tuple[FilmResult, tuple[ReadLine, ...] | None]:
    """Examine the frames of a film. Returns what was found, and the text that can be read.

    Raises:
        CheckpointUnusable: ``known`` is of another film.
        DecodeError: The film cannot be decoded completely.
        TooManyFaces: The film shows more faces than can be followed.
    """
    worker = loaded_worker()
    examiner = FilmExaminer(
        worker.film_scout,
        worker.film_second,
        worker.finder,
        worker.analyser,
        worker.config.gallery,
    )
    again = known.text_frames if known is not None else ()
    text = worker.lettering and FilmText(worker.lettering, reader.facts.width, again)

    def keep(checkpoint: Checkpoint) -> None:
        read = tuple(text.frames) if text else ()
        whole = replace(checkpoint, basis=worker.config.basis, text_frames=read)
        send_checkpoint(film_checkpoint.encoded(whole))

    if worker.config.basis:
        examiner.keep_checkpoints(keep)
    if known is not None:
        examiner.go_on_from(known)
    on_frame = text.read if text else lambda _: None
    result = examiner.examine(reader, report_progress, on_frame, sound)
    return result, text.lines() if text else None


def _examine_film(film: SeekableFile, known: Checkpoint | None) -> Examination:
    worker = loaded_worker()
    file = SharedFile(film)
    heard = file.reader() if worker.config.film_sound else None
    sound = SoundExamination(heard, worker.speech_finder)
    try:
        picture = only_picture(file.reader())
        if picture is not None:
            return examine(picture)
        with closing(sound), open_frames(file.reader(), worker.config.film_limits) as reader:
            result, lines = _follow_faces(reader, sound, known)
    except DecodeError as error:
        return not_examined(error.message, error.reason)
    except TooManyFaces:
        return not_examined(
            "The film shows more faces than can be followed. Cut it into shorter films."
        )
    except MemoryError:
        return not_examined("The film needs more memory than a worker may use.")
    except (GateError, cv2.error, OSError, RuntimeError, ValueError, ArithmeticError) as error:
        return not_examined(f"The examination failed ({type(error).__name__}).")
    evidence = Examined(
        width=result.width,
        height=result.height,
        pixels_sha256=result.frames_sha256,
        faces=result.faces,
        templates_from=worker.config.fitted_on,
        film=result.film,
        text_side=worker.config.text_side,
        text_check=_unread(),
    )
    poster = _scaled(result.poster, PREVIEW.max_side)
    hashes = _hashes(poster) + result.hashes
    return Examination(evidence, render(poster, PREVIEW), hashes, lines, result.view)


def _unread() -> TextCheck:
    """What the worker says of the comparison of texts: whoever compares them says that they were
    compared."""
    return TextCheck.OFF if loaded_worker().lettering is None else TextCheck.FAILED


def _scaled(rgb: RGB, max_side: int) -> RGB:
    """Scale a picture down; OpenCV scales one of 12 MP in a fifth of Pillow's time."""
    size = scaled_size(rgb.shape[1], rgb.shape[0], max_side)
    return np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)


def _hashes(rgb: RGB) -> bytes:
    luma = cv2.cvtColor(_scaled(rgb, HASHED_SIDE), cv2.COLOR_RGB2GRAY)
    return picture_hashes(np.asarray(luma, dtype=np.uint8))
