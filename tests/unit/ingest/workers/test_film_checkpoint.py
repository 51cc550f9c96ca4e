"""Checkpoints of films as data, and on what they depend."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace

import av
import numpy as np
import pytest

from consent_gate.matching.gallery import DLIB, SFACE, Gallery, Template, gallery_of
from consent_gate.matching.shipped_thresholds import shipped_thresholds
from ingest.decoding.decode import DecodeLimits
from ingest.faces.protocols import RGB
from ingest.film import examine
from ingest.film.checkpoint import Checkpoint
from ingest.film.libav import FilmLimits
from ingest.film.staff_view import unpacked
from ingest.workers import answers, film_checkpoint, worker
from ingest.workers.examination import Examination
from ingest.workers.film_checkpoint import basis_of
from ingest.workers.served_file import ServedFile
from ingest.workers.worker_config import WorkerConfig
from tests.support.checkpoints import checkpoint_bytes, make_checkpoint
from tests.support.drawn_people import (
    ANN,
    BEN,
    STRANGER,
    DrawnAnalyser,
    DrawnDetector,
    DrawnFinder,
    drawn_film,
    scene,
)


def gallery(value: float = 1.0) -> Gallery:
    vector = np.array([value, 0, 0], np.float32)
    versions = {SFACE: "1", DLIB: "1"}
    return gallery_of([Template("000001", {SFACE: vector, DLIB: vector}, versions)])


def config() -> WorkerConfig:
    return WorkerConfig(gallery(), shipped_thresholds(), DecodeLimits(), text_side=1600)


def test_the_same_worker_goes_on() -> None:
    assert basis_of(config()) == basis_of(config())


@pytest.mark.parametrize(
    "change",
    [
        lambda one: replace(one, gallery=gallery_of(())),
        lambda one: replace(one, gallery=gallery(0.999)),
        lambda one: replace(one, gallery=replace(gallery(), pupils=("000002",))),
        lambda one: replace(one, thresholds=replace(one.thresholds, margin=0.5)),
        lambda one: replace(one, film_limits=FilmLimits(min_spacing=0.02)),
        lambda one: replace(one, text_side=0),
        lambda one: replace(one, film_sound=True),
    ],
)
def test_a_worker_that_would_find_something_else_begins_anew(
    change: Callable[[WorkerConfig], WorkerConfig],
) -> None:
    assert basis_of(change(config())) != basis_of(config())


def test_another_program_or_library_begins_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    before = basis_of(config())
    film_checkpoint._program_digest.cache_clear()
    monkeypatch.setattr(film_checkpoint, "_version", lambda _: "another")
    assert basis_of(config()) != before
    film_checkpoint._program_digest.cache_clear()


def test_a_checkpoint_comes_back_as_it_was() -> None:
    assert film_checkpoint.decoded(checkpoint_bytes()) == make_checkpoint()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        checkpoint_bytes()[:-1],
        checkpoint_bytes() + b"x",
        checkpoint_bytes().replace(b'"match"', b'"mad"').replace(b"Match", b"Mitch"),
        answers.encode(False, "ValueError"),  # noqa: FBT003
        answers.encode(True, make_checkpoint().faces[0]),  # noqa: FBT003
    ],
)
def test_other_data_is_no_checkpoint(data: bytes) -> None:
    with pytest.raises(answers.AnswerInvalid):
        film_checkpoint.decoded(data)


# --- the worker ---


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """A worker with detectors for drawn people. Returns the checkpoints that it sends."""
    monkeypatch.setattr(examine, "BORDER_SECONDS", 0.3)
    monkeypatch.setattr(examine, "CUTTING_BORDER_SECONDS", 0.7)
    own = SimpleNamespace(
        config=replace(config(), basis="b", text_side=0),
        film_scout=DrawnDetector("yunet"),
        film_second=DrawnDetector("centerface"),
        finder=DrawnFinder(),
        analyser=DrawnAnalyser(),
        speech_finder=None,
        lettering=None,
    )
    monkeypatch.setattr(worker, "_worker", own)
    found: list[bytes] = []
    monkeypatch.setattr(worker, "send_checkpoint", found.append)
    return found


def found(film: bytes, checkpoint: bytes = b"") -> tuple[Examination, list[RGB]]:
    """The worker's answer without its encoded copy, and the frames of that copy.

    libx264 does not promise the same bytes for the same frames.
    """
    answer = worker.examine_film(served(film, checkpoint))
    assert isinstance(answer, Examination)
    assert answer.film_view is not None
    strip, film_copy = unpacked(answer.film_view)
    assert strip
    with av.open(io.BytesIO(film_copy), "r") as copy:
        frames = [np.asarray(f.to_ndarray(format="rgb24"), np.uint8) for f in copy.decode(video=0)]
    return replace(answer, film_view=None), frames


def are_alike(one: tuple[Examination, list[RGB]], other: tuple[Examination, list[RGB]]) -> bool:
    """Whether two answers are equal and the frames of their copies look alike."""
    pairs = zip(one[1], other[1], strict=True)
    return one[0] == other[0] and all(np.abs(a - b.astype(float)).mean() < 3 for a, b in pairs)


def film_of(colour: tuple[int, int, int]) -> bytes:
    return drawn_film([scene((colour, 20 + n, 100), (STRANGER, 200, 20)) for n in range(24)])


def served(film: bytes, checkpoint: bytes = b"") -> ServedFile:
    file = ServedFile(len(film), lambda offset, length: film[offset : offset + length])
    file.keep_checkpoints(checkpoint, lambda _: None)
    return file


@pytest.mark.costly
def test_a_worker_goes_on_from_its_own_checkpoint_only(
    sent: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Anything else, also the checkpoint of another film, begins anew, with the same result."""
    begun: list[Checkpoint] = []
    go_on = examine.FilmExaminer.go_on_from

    def note(examiner: examine.FilmExaminer, known: Checkpoint) -> None:
        begun.append(known)
        go_on(examiner, known)

    monkeypatch.setattr(examine.FilmExaminer, "go_on_from", note)
    film, other = film_of(ANN), film_of(BEN)
    whole = found(film)
    own = sent.pop()
    assert film_checkpoint.decoded(own).basis == "b"
    assert are_alike(found(film, own), whole)
    assert begun == [film_checkpoint.decoded(own)]
    another = replace(film_checkpoint.decoded(own), basis="another")
    for useless in (own[:-9], b"rubbish", film_checkpoint.encoded(another)):
        assert are_alike(found(film, useless), whole)
    assert len(begun) == 1
    assert not are_alike(found(other), whole)
    assert are_alike(found(other, own), found(other))
    assert len(begun) == 2, "tried, and then begun anew"


@pytest.mark.costly
def test_a_film_that_is_only_checked_leaves_no_checkpoint(sent: list[bytes]) -> None:
    own = worker.loaded_worker()
    own.config = replace(own.config, basis="")
    worker.examine_film(served(film_of(ANN), checkpoint_bytes()))
    assert sent == []
