"""Films where the school plugged in a face model: its line decides; without it nothing goes out."""

from __future__ import annotations

import io
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from consent_gate.db.evidence_json import from_json
from consent_gate.db.models import Item, Publication
from consent_gate.errors import SchoolModelUnavailable
from consent_gate.home.home import Home
from consent_gate.home.settings_school_model import SchoolModel
from consent_gate.matching.gallery import DLIB, SCHOOL, SFACE, Gallery, Template, gallery_of
from consent_gate.matching.school_model import SchoolModelUse
from consent_gate.matching.shipped_thresholds import shipped_thresholds
from consent_gate.matching.thresholds import QualityThresholds
from consent_gate.model import Box, Examined, FaceKind, Identity, Match, NotMatched, Unknown
from consent_gate.operations.recognition.school_model import accept_proposal
from consent_gate.register.repository import compared_photos
from consent_gate.register.school_model import NOT_ACCEPTED, propose_school_model
from ingest.enrolment.school_vectors import measure_stored_portraits
from ingest.faces.analyser import FaceAnalyser
from ingest.faces.embedders.school_model import SchoolModelEmbedder
from ingest.faces.embedders.sface import MirrorEmbedding, SFaceEmbedder
from ingest.faces.protocols import RGB, FoundFace
from ingest.faces.resolve import estimated_landmarks
from ingest.faces.school_recognition import SchoolRecognition
from ingest.pipeline import ingest_once
from ingest.workers.analysis_pool import form_of
from tests.support import onnx_models
from tests.support.cached_analysis import CachedPool
from tests.support.demo_portraits import OTHER_OBAMA, portrait_jpeg
from tests.support.drawn_people import (
    ANN,
    BEN,
    STRANGER,
    DrawnFinder,
    drawn_film,
    examine_drawn,
    person_at,
    scene,
)
from tests.support.face_vectors import VERSIONS, someone
from tests.support.films import make_film
from tests.support.school_models import thresholds_of, with_model

PICTURES = {"mean": 127.5, "scale": 1 / 127.5}
"""The setting ``input``: colours then point to different sides."""

NO_FLOORS = replace(
    shipped_thresholds(), floors=QualityThresholds(0, 0.0, float("inf"), 0.0, 0.0, 0.0)
)


class DrawnSFace(SFaceEmbedder):
    """SFace for drawn people: each colour has a vector of its own."""

    def __init__(self, takes_everybody_for: tuple[int, int, int] | None = None) -> None:
        self._always = takes_everybody_for

    def embed_crop(self, crop: RGB) -> MirrorEmbedding:
        middle = Box(40, 40, 32, 32)
        return MirrorEmbedding(sface_of(self._always or person_at(crop, middle)), 1.0)


class NoDlib:
    """dlib is never asked where a school's own model decides."""

    name, version, dimensions = DLIB, VERSIONS[DLIB], 128

    def embed(self, *_: object) -> NDArray[np.float32]:
        raise AssertionError("dlib was asked")


def sface_of(person: tuple[int, int, int] | None) -> NDArray[np.float32]:
    return someone((None, ANN, BEN, STRANGER).index(person))[SFACE]


@cache
def film_of_ann_and_a_stranger() -> bytes:
    return drawn_film([scene((ANN, 40, 60), (STRANGER, 200, 120))] * 4)


@pytest.fixture
def model(tmp_path: Path) -> SchoolModel:
    return onnx_models.setting(tmp_path / "m.onnx", onnx_models.blotches(), input=PICTURES)


@pytest.fixture
def embedder(model: SchoolModel, tmp_path: Path) -> SchoolModelEmbedder:
    return SchoolModelEmbedder(form_of(model, tmp_path))


def enrolled(embedder: SchoolModelEmbedder, version: str) -> Gallery:
    """Ann and Ben, each measured in a drawn picture by the model."""
    templates = []
    for number, person in (("000001", ANN), ("000002", BEN)):
        box = Box(100, 100, 48, 48)
        face = FoundFace(box, 0.9, FaceKind.FACE, estimated_landmarks(box))
        own = embedder.embed(scene((person, 100, 100)), [face])[0]
        vectors = {SFACE: sface_of(person), DLIB: someone(0)[DLIB], SCHOOL: own}
        templates.append(Template(number, vectors, {**VERSIONS, SCHOOL: version}))
    return gallery_of(templates)


def identities(
    embedder: SchoolModelEmbedder,
    use: SchoolModelUse,
    sface: DrawnSFace | None = None,
    version: str = "",
) -> list[Identity]:
    """What a film of Ann, and then a stranger, gives."""
    analyser = FaceAnalyser(
        DrawnFinder(),
        sface or DrawnSFace(),
        NoDlib(),
        NO_FLOORS,
        school=SchoolRecognition(embedder, use, NO_FLOORS),
    )
    gallery = enrolled(embedder, version or embedder.version)
    found = examine_drawn(film_of_ann_and_a_stranger(), analyser=analyser, gallery=gallery).faces
    return [face.identity for face in sorted(found, key=lambda face: face.box.x)]


def test_a_face_in_a_film_is_matched_by_the_line_of_the_plugged_in_model(
    model: SchoolModel, embedder: SchoolModelEmbedder
) -> None:
    thresholds = thresholds_of(model)
    ann, stranger = identities(embedder, SchoolModelUse(thresholds))
    assert isinstance(ann, Match)
    assert ann.pupil == "000001"
    assert stranger == Unknown()
    above = replace(thresholds.fused_tail, start=1.01)
    strict = replace(thresholds, fused_tail=above, sface_tail=above)
    assert identities(embedder, SchoolModelUse(strict)) == [Unknown(), Unknown()]


def test_in_a_film_sface_must_agree_unless_the_model_runs_instead(
    model: SchoolModel, embedder: SchoolModelEmbedder
) -> None:
    thresholds, sees_a_stranger = thresholds_of(model), DrawnSFace(STRANGER)
    beside, instead = (
        identities(embedder, SchoolModelUse(thresholds, beside=beside), sees_a_stranger)
        for beside in (True, False)
    )
    assert beside == [Unknown(), Unknown()]
    assert isinstance(instead[0], Match), "the test can fail"


def test_no_face_of_a_film_is_compared_while_the_model_is_not_accepted_or_another_one(
    model: SchoolModel, embedder: SchoolModelEmbedder
) -> None:
    for found in (
        identities(embedder, SchoolModelUse(None, NOT_ACCEPTED)),
        identities(embedder, SchoolModelUse(thresholds_of(model)), version="another"),
        identities(embedder, SchoolModelUse(replace(thresholds_of(model), versions={SCHOOL: "x"}))),
    ):
        assert [type(identity) for identity in found] == [NotMatched, NotMatched]


@pytest.mark.parametrize("harm", ["missing", "changed"])
def test_a_film_waits_while_the_file_of_the_model_is_missing_or_another_one(
    home: Home, model: SchoolModel, harm: str
) -> None:
    path = model.path(home.root)
    path.unlink() if harm == "missing" else path.write_bytes(onnx_models.blotches(seed=1))
    (home.inbox / "play").mkdir(parents=True)
    (home.inbox / "play" / "film.mp4").write_bytes(make_film())
    with pytest.raises(SchoolModelUnavailable):
        ingest_once(with_model(home, model), lambda *_: None)
    assert not Publication.objects.exists()
    assert not Item.objects.exclude(state="received").exists()


# --- the whole way, with real faces


def film_of_a_pupil() -> bytes:
    portrait = Image.open(io.BytesIO(portrait_jpeg(OTHER_OBAMA))).convert("RGB")
    frame = np.asarray(
        portrait.crop((0, 0, portrait.width // 2 * 2, portrait.height // 2 * 2)), np.uint8
    )
    return make_film([frame] * 6, options={"crf": "10"})


@pytest.mark.slow
def test_a_film_goes_its_whole_way_by_the_plugged_in_model(
    demo_school: Home, tmp_path: Path
) -> None:
    model = onnx_models.setting(
        tmp_path / "m.onnx", onnx_models.sface_in_another_form(), input=onnx_models.ANOTHER_FORM
    )
    school = with_model(demo_school, model)
    assert measure_stored_portraits(school, "office", lambda *_: None, CachedPool) == ()

    def examined(name: str) -> tuple[list[Identity], str]:
        (school.inbox / name).mkdir(parents=True)
        (school.inbox / name / "film.mp4").write_bytes(film_of_a_pupil() + bytes(len(name)))
        ingest_once(school, lambda *_: None, CachedPool)
        item = Item.objects.get(source=f"{name}/film.mp4")
        evidence = from_json(item.evidence)
        assert isinstance(evidence, Examined)
        verdict = item.decisions.get(channel="website").verdict
        return [face.identity for face in evidence.faces], verdict

    before, verdict = examined("not-accepted")
    assert verdict == "held"
    assert [type(identity) for identity in before] == [NotMatched]
    photos = [photo.pk for photo in compared_photos(school)]
    proposal = propose_school_model(school, thresholds_of(model), "", photos, "office")
    accept_proposal(school, proposal.pk, "head")
    after, verdict = examined("accepted-model")
    assert verdict == "released"
    assert [i.pupil if isinstance(i, Match) else None for i in after] == ["000101"]
