"""A face model that a school plugs in and that is broken, exchanged, or accepted elsewhere."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper

from consent_gate.db.models import EnrolmentPhoto, ThresholdSet
from consent_gate.errors import SchoolModelUnavailable
from consent_gate.home.home import Home
from consent_gate.matching.gallery import gallery_of
from consent_gate.matching.school_model import SchoolModelUse
from consent_gate.model import Box, Examined, FaceKind, NotMatched
from consent_gate.operations.recognition.school_model import accept_proposal, school_model
from consent_gate.register import school_model as register_module
from consent_gate.register.repository import compared_photos
from consent_gate.register.school_model import (
    NOT_ACCEPTED,
    OF_ANOTHER_HOME,
    PORTRAITS_CHANGED,
    ProposalRefused,
    propose_school_model,
    school_model_use,
)
from ingest.faces.align import ARCFACE_TEMPLATE
from ingest.faces.embedders import school_model as embedder_module
from ingest.faces.embedders.school_model import SchoolModelEmbedder, verified_bytes
from ingest.faces.protocols import RGB, FoundFace
from ingest.workers import sandbox, worker_process
from ingest.workers.analysis_pool import AnalysisPool, examination_result
from ingest.workers.process_pool import WorkerPool
from ingest.workers.worker import examine
from ingest.workers.worker_errors import TaskFailed, WorkerPoolUnavailable
from ingest.workers.worker_process import WorkerProcess, WorkerStart
from tests.support import malicious_files, onnx_models
from tests.support.demo_portraits import OBAMA, portrait_jpeg
from tests.support.school_models import (
    enrol_pupils,
    make_model,
    store,
    thresholds_of,
    with_model,
)

MODEL = make_model()
FACE = FoundFace(Box(0, 0, 112, 112), 0.9, FaceKind.FACE, ARCFACE_TEMPLATE)


def picture(seed: int = 0) -> RGB:
    coarse = np.random.default_rng(seed).integers(0, 255, size=(8, 8, 3), dtype=np.uint8)
    return np.asarray(np.kron(coarse, np.ones((14, 14, 1), np.uint8)), np.uint8)


def opened(tmp_path: Path, data: bytes) -> SchoolModelEmbedder:
    return SchoolModelEmbedder(onnx_models.form(tmp_path / "m.onnx", data))


def vector(embedder: SchoolModelEmbedder) -> NDArray[np.float32]:
    (found,) = embedder.embed(picture(), [FACE])
    return np.asarray(found)


# --- what a model answers


def row(value: float, length: int = 64) -> bytes:
    return onnx_models.answering(np.full((1, length), value))


def integers() -> bytes:
    return onnx_models.model_bytes(
        [
            helper.make_node("Flatten", ["picture"], ["flat"]),
            helper.make_node("Cast", ["flat"], ["vector"], to=TensorProto.INT64),
        ]
    )


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (lambda: row(np.nan), "figures that are none of a face"),
        (lambda: row(np.inf), "figures that are none of a face"),
        (lambda: row(0.0), "figures that are none of a face"),
        (lambda: row(1e30), "figures that are none of a face"),
        (lambda: row(1e-30), "figures that are none of a face"),
        (onnx_models.random_answers, "differently about the same picture"),
        (lambda: row(1.0, length=16), "one vector"),
        (lambda: row(1.0, length=5000), "one vector"),
        (lambda: onnx_models.answering(np.ones((2, 64))), "one vector"),
        (lambda: onnx_models.answering(np.ones((1, 64, 1, 1))), "one vector"),
        (lambda: onnx_models.answering(np.ones(64)), "one vector"),
        (lambda: onnx_models.answering(np.ones((0, 64))), "one vector"),
        (integers, "one vector|cannot be opened"),
        (lambda: b"no model at all", "no ONNX file|cannot be opened"),
        (lambda: onnx_models.blotches()[:-2000], "no ONNX file|cannot be opened"),
        (lambda: b"", "no ONNX file|cannot be opened"),
    ],
)
def test_a_model_without_usable_answers_is_not_started(
    tmp_path: Path, data: Callable[[], bytes], message: str
) -> None:
    with pytest.raises(SchoolModelUnavailable, match=message):
        opened(tmp_path, data())


def test_a_model_that_takes_another_input_is_not_started(tmp_path: Path) -> None:
    two = onnx.load_model_from_string(onnx_models.blotches())
    two.graph.input.append(helper.make_tensor_value_info("age", TensorProto.FLOAT, (1, 1)))
    with pytest.raises(SchoolModelUnavailable, match="does not take one picture"):
        opened(tmp_path, two.SerializeToString())
    with pytest.raises(SchoolModelUnavailable, match=r"Compare \[recognition.model\] input"):
        SchoolModelEmbedder(
            onnx_models.form(tmp_path / "m", onnx_models.blotches(), input={"layout": "nhwc"})
        )


def test_weights_in_another_file_are_refused(tmp_path: Path) -> None:
    data = onnx_models.with_weights_elsewhere(tmp_path / "weights.bin")
    with pytest.raises(SchoolModelUnavailable, match="weights in other files"):
        opened(tmp_path, data)


def test_weights_in_another_file_are_found_in_inner_graphs_too(tmp_path: Path) -> None:
    inner = onnx.load_model_from_string(
        onnx_models.with_weights_elsewhere(tmp_path / "weights.bin")
    )
    network = onnx.load_model_from_string(onnx_models.endless())
    loop = next(node for node in network.graph.node if node.op_type == "Loop")
    body = next(attribute for attribute in loop.attribute if attribute.name == "body")
    body.g.initializer.append(inner.graph.initializer[0])
    with pytest.raises(SchoolModelUnavailable, match="weights in other files"):
        opened(tmp_path, network.SerializeToString())
    constant = helper.make_node("Constant", [], ["vector"], value=inner.graph.initializer[0])
    with pytest.raises(SchoolModelUnavailable, match="weights in other files"):
        opened(tmp_path, onnx_models.model_bytes([constant]))


def test_a_face_unlike_its_mirror_image_is_not_measured(tmp_path: Path) -> None:
    hashing = opened(tmp_path, onnx_models.unlike_its_mirror_image())
    assert np.isnan(vector(hashing)).all()
    usual = opened(tmp_path, onnx_models.blotches())
    assert np.linalg.norm(vector(usual)) == pytest.approx(1.0)


class Answers:
    """A session that answers about real pictures otherwise than when it was tried."""

    def __init__(self, answer: object) -> None:
        self.answer = answer

    def run(self, *_: object) -> list[object]:
        if isinstance(self.answer, Exception):
            raise self.answer
        return [self.answer]


@pytest.mark.parametrize(
    "answer",
    [
        np.full((1, 64), np.nan, np.float32),
        np.full((1, 64), np.inf, np.float32),
        np.full((1, 64), 1e30, np.float32),
        np.zeros((1, 64), np.float32),
        np.ones((1, 65), np.float32),
        np.ones((1, 63), np.float32),
        np.ones((2, 64), np.float32),
        np.ones((64,), np.float32),
        np.ones((1, 64), np.int64),
        MemoryError(),
        ValueError("shape"),
    ],
)
def test_an_answer_that_is_no_vector_of_the_model_measures_no_face(
    tmp_path: Path, answer: object
) -> None:
    embedder = opened(tmp_path, onnx_models.blotches())
    embedder._session = Answers(answer)
    rows = embedder.embed(picture(), [FACE, FACE])
    assert rows.shape == (2, 64)
    assert np.isnan(rows).all()


# --- the file


def test_another_file_is_not_opened(tmp_path: Path) -> None:
    form = onnx_models.form(tmp_path / "m.onnx", onnx_models.blotches())
    form.path.write_bytes(onnx_models.blotches(seed=1))
    with pytest.raises(SchoolModelUnavailable, match="SHA-256") as caught:
        SchoolModelEmbedder(form)
    assert caught.value.exit_code == 48
    assert "[recognition.model]" in str(caught.value)


def test_what_is_no_ordinary_file_is_not_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "missing", tmp_path, tmp_path / "pipe", Path("/dev/zero")):
        with pytest.raises(SchoolModelUnavailable):
            verified_bytes(path, "0" * 64)
    monkeypatch.setattr(embedder_module, "MAXIMUM_BYTES", 10)
    (tmp_path / "large").write_bytes(bytes(11))
    with pytest.raises(SchoolModelUnavailable, match="larger"):
        verified_bytes(tmp_path / "large", "0" * 64)


@pytest.mark.parametrize("by_link", [False, True])
def test_a_file_that_is_exchanged_after_the_start_is_never_used(
    tmp_path: Path, by_link: bool
) -> None:
    form = onnx_models.form(tmp_path / "good.onnx", onnx_models.blotches())
    if by_link:
        form = replace(form, path=tmp_path / "link.onnx")
        form.path.symlink_to(tmp_path / "good.onnx")
    running = SchoolModelEmbedder(form)
    before = vector(running)
    (tmp_path / "other.onnx").write_bytes(onnx_models.blotches(seed=1))
    if by_link:
        form.path.unlink()
        form.path.symlink_to(tmp_path / "other.onnx")
    else:
        (tmp_path / "other.onnx").replace(form.path)
    assert np.array_equal(vector(running), before)
    with pytest.raises(SchoolModelUnavailable, match="SHA-256"):
        SchoolModelEmbedder(form)


def test_the_health_page_sees_that_the_file_was_exchanged(home: Home, tmp_path: Path) -> None:
    path = tmp_path / "m.onnx"
    chosen = with_model(home, onnx_models.setting(path, onnx_models.blotches()))
    assert [found.code for found in school_model(chosen)] == ["school_model.accepted"]
    stamp = path.stat()
    path.write_bytes(onnx_models.blotches(seed=1))
    os.utime(path, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    assert [(f.code, f.state) for f in school_model(chosen)] == [("school_model.file", "bad")]
    with pytest.raises(SchoolModelUnavailable):
        AnalysisPool(chosen, gallery_of([]))


def test_a_confined_worker_may_read_the_model_and_no_file_beside_it(tmp_path: Path) -> None:
    (tmp_path / "m.onnx").write_bytes(b"model")
    (tmp_path / "beside").write_bytes(b"secret")
    if any("Landlock" in part for part in sandbox.missing_parts()):
        pytest.skip("kernel without Landlock")
    confinement = sandbox.Confinement(2048, files=(tmp_path / "m.onnx",))
    with WorkerPool(1, malicious_files.nothing, 30, confinement=confinement) as pool:
        assert pool.submit(malicious_files.size_of, str(tmp_path / "m.onnx")).result(60) == 5
        with pytest.raises(TaskFailed, match="PermissionError"):
            pool.submit(malicious_files.size_of, str(tmp_path / "beside")).result(60)


# --- time


def test_a_worker_that_never_gets_ready_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_process, "START_TIMEOUT_SECONDS", 0.5)
    worker = WorkerProcess()
    error = worker.ensure_started(WorkerStart(partial(time.sleep, 600), None))
    assert isinstance(error, WorkerPoolUnavailable)
    assert "took too long" in str(error)


@pytest.mark.slow
def test_a_model_that_never_answers_examines_nothing(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_process, "START_TIMEOUT_SECONDS", 15.0)
    chosen = with_model(home, onnx_models.setting(tmp_path / "m.onnx", onnx_models.endless()))
    with AnalysisPool(chosen, gallery_of([])) as pool, pytest.raises(WorkerPoolUnavailable):
        examination_result(pool.submit(examine, portrait_jpeg(OBAMA)))


@pytest.mark.slow
def test_the_confined_workers_hold_every_face_until_the_model_is_accepted(
    home: Home, tmp_path: Path
) -> None:
    path = tmp_path / "m.onnx"
    model = onnx_models.setting(
        path, onnx_models.sface_in_another_form(), input=onnx_models.ANOTHER_FORM
    )
    analysis = home.settings.analysis.model_copy(update={"workers": 1})
    chosen = with_model(home, model)
    chosen = replace(chosen, settings=chosen.settings.model_copy(update={"analysis": analysis}))
    with AnalysisPool(chosen, gallery_of([])) as pool:
        evidence = examination_result(pool.submit(examine, portrait_jpeg(OBAMA))).evidence
    assert isinstance(evidence, Examined)
    (identity,) = {face.identity for face in evidence.faces}
    assert isinstance(identity, NotMatched)
    assert identity.detail == NOT_ACCEPTED


# --- acceptances


@pytest.fixture
def school(home: Home) -> Home:
    chosen = with_model(home, MODEL)
    enrol_pupils(chosen, range(4), MODEL)
    return chosen


def proposal(home: Home) -> ThresholdSet:
    photos = [photo.pk for photo in compared_photos(home)]
    return propose_school_model(home, thresholds_of(MODEL), "<html>", photos, "office")


def use_of(home: Home) -> SchoolModelUse:
    use = school_model_use(home)
    assert use is not None
    return use


def test_the_acceptance_of_another_school_is_worth_nothing(school: Home) -> None:
    """The other school has the same model, and its rows were copied with all their keys."""
    keys = replace(school.keys, audit=b"k" * 32)
    row = proposal(replace(school, keys=keys))
    with pytest.raises(ProposalRefused, match="not made in this home"):
        accept_proposal(school, row.pk, "head")
    ThresholdSet.objects.filter(pk=row.pk).update(accepted_at=school.now(), accepted_by="head")
    assert use_of(school).thresholds is None
    assert use_of(school).refusal == OF_ANOTHER_HOME


def test_the_acceptance_of_another_model_is_worth_nothing(school: Home) -> None:
    accept_proposal(school, proposal(school).pk, "head")
    other = make_model("b" * 64)
    for photo in EnrolmentPhoto.objects.all():
        photo.templates.filter(model="school").delete()
        store(school, photo, "school", other.version, photo.pk)
    changed = with_model(school, other)
    assert use_of(changed).refusal == NOT_ACCEPTED
    ThresholdSet.objects.update(school_model=other.version)
    assert use_of(changed).refusal == OF_ANOTHER_HOME
    with pytest.raises(ProposalRefused):
        accept_proposal(changed, ThresholdSet.objects.get().pk, "head")


def test_figures_for_another_model_under_this_ones_name_are_refused(school: Home) -> None:
    photos = [photo.pk for photo in compared_photos(school)]
    row = propose_school_model(school, thresholds_of(MODEL), "", photos, "office")
    row.values = thresholds_of(make_model("b" * 64)).to_json()
    row.signature = register_module._signature(school, row)
    row.save()
    with pytest.raises(ProposalRefused):
        accept_proposal(school, row.pk, "head")


def test_an_acceptance_ends_when_the_portraits_are_others(school: Home) -> None:
    row = proposal(school)
    accept_proposal(school, row.pk, "head")
    assert use_of(school).thresholds is not None
    enrol_pupils(school, range(100, 105), MODEL)
    assert use_of(school).refusal == PORTRAITS_CHANGED
    with pytest.raises(ProposalRefused, match="other enrolment photos"):
        accept_proposal(school, row.pk, "head")


def test_an_acceptance_ends_when_most_portraits_are_gone(school: Home) -> None:
    accept_proposal(school, proposal(school).pk, "head")
    keys = [photo.pk for photo in compared_photos(school)]
    EnrolmentPhoto.objects.filter(pk__in=keys[:3]).delete()
    assert use_of(school).refusal == PORTRAITS_CHANGED


def test_a_proposal_is_not_accepted_twice_over_for_other_photos(school: Home) -> None:
    row = proposal(school)
    row.measured_photos = [*row.measured_photos, 900, 901]
    row.save()
    with pytest.raises(ProposalRefused, match="altered"):
        accept_proposal(school, row.pk, "head")
