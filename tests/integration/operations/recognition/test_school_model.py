"""A model is set, the stored portraits are measured with it, and a person accepts what it found."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any, Self, TypeVar, TypeVarTuple

import numpy as np
import pytest
from django.conf import settings
from django.test import Client
from django.utils.html import escape
from PIL import Image
from typer.testing import CliRunner

from consent_gate.cli.app import app
from consent_gate.db.models import EnrolmentPhoto, Item, Portrait, Template, ThresholdSet, User
from consent_gate.home.home import Home
from consent_gate.home.settings_school_model import SchoolModel
from consent_gate.matching.calibration import Volume
from consent_gate.matching.gallery import SCHOOL, Gallery
from consent_gate.matching.shipped_thresholds import shipped_thresholds
from consent_gate.operations.health.health import all_checks, machine_findings
from consent_gate.operations.recognition.school_model import accept_proposal
from consent_gate.operations.recognition.school_model_calibration import (
    PortraitsNotMeasured,
    calibrate_school_model,
)
from consent_gate.register.repository import compared_photos, load_gallery
from consent_gate.register.school_model import (
    NOT_ACCEPTED,
    propose_school_model,
    school_model_use,
)
from ingest.enrolment.school_vectors import measure_stored_portraits
from ingest.faces.embedders.school_model import SchoolModelEmbedder
from ingest.faces.school_recognition import SchoolRecognition
from ingest.workers.analysis_pool import school_model
from tests.support import onnx_models
from tests.support.factories import World
from tests.support.school_models import enrol_pupils, make_model, thresholds_of, with_model

T = TypeVar("T")
Arguments = TypeVarTuple("Arguments")


class OnlyTheModel:
    """A pool whose worker has the school's model alone, in this process."""

    size = 2

    def __init__(self, home: Home, _gallery: Gallery) -> None:
        chosen = school_model(home)
        assert chosen is not None
        embedder = SchoolModelEmbedder(chosen[0])
        self._recognition = SchoolRecognition(embedder, chosen[1], shipped_thresholds())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing is under way."""

    def submit(self, _task: Callable[[*Arguments], T], *arguments: *Arguments) -> Future[T]:
        jpeg = list[object](arguments)[0]
        assert isinstance(jpeg, bytes)
        portrait = np.asarray(Image.open(io.BytesIO(jpeg)).convert("RGB"), np.uint8)
        future: Future[Any] = Future()
        future.set_result(self._recognition.vector_of_portrait(portrait))
        return future


def measure(home: Home) -> tuple[str, ...]:
    return measure_stored_portraits(home, "office", lambda *_: None, OnlyTheModel)


def demo_model(home: Home, tmp_path: Path, seed: int = 0) -> Home:
    data = onnx_models.blotches(seed=seed)
    return with_model(home, onnx_models.setting(tmp_path / f"{seed}.onnx", data))


@pytest.mark.dialect
def test_stored_portraits_are_measured_when_a_model_is_set(
    demo_school: Home, tmp_path: Path
) -> None:
    chosen = demo_model(demo_school, tmp_path)
    before = load_gallery(chosen)
    assert measure(chosen) == ()
    gallery = load_gallery(chosen)
    assert gallery.vectors[SCHOOL].shape == (len(before.owners), onnx_models.LENGTH)
    assert np.array_equal(gallery.vectors["sface"], before.vectors["sface"])
    use = school_model_use(chosen)
    assert use is not None
    assert use.refusal == NOT_ACCEPTED


def test_another_model_replaces_their_figures(demo_school: Home, tmp_path: Path) -> None:
    measure(demo_model(demo_school, tmp_path))
    portraits = Portrait.objects.count()
    other = demo_model(demo_school, tmp_path, seed=1)
    measure(other)
    versions = set(Template.objects.filter(model=SCHOOL).values_list("model_version", flat=True))
    model = other.settings.recognition.model
    assert model is not None
    assert versions == {model.version}
    assert Portrait.objects.count() == portraits


def test_a_portrait_that_cannot_be_measured_is_named_and_stops_the_model(
    demo_school: Home, tmp_path: Path
) -> None:
    chosen = demo_model(demo_school, tmp_path)
    photo = compared_photos(chosen)[0]
    Portrait.objects.filter(template__photo=photo).delete()
    volume = Volume(100, 1.0, "as entered")
    with pytest.raises(PortraitsNotMeasured, match=photo.pupil.admission_number):
        calibrate_school_model(chosen, volume, (), "office", lambda *_: None, OnlyTheModel)
    use = school_model_use(chosen)
    assert use is not None
    assert "1 enrolment photo was not measured" in use.refusal
    EnrolmentPhoto.objects.filter(pk=photo.pk).delete()
    use = school_model_use(chosen)
    assert use is not None
    assert use.refusal == NOT_ACCEPTED, "without the photo nothing is missing"


def test_nothing_is_measured_without_consent(demo_school: Home, tmp_path: Path) -> None:
    chosen = demo_model(demo_school, tmp_path)
    pupil = compared_photos(chosen)[0].pupil
    pupil.biometric_objection = True
    pupil.save()
    measure(chosen)
    assert not Template.objects.filter(model=SCHOOL, photo__pupil=pupil).exists()


def test_held_pictures_are_examined_again_once_it_is_accepted(
    demo_school: Home, tmp_path: Path
) -> None:
    chosen = demo_model(demo_school, tmp_path)
    measure(chosen)
    model = chosen.settings.recognition.model
    assert model is not None
    photos = [photo.pk for photo in compared_photos(chosen)]
    number = propose_school_model(chosen, thresholds_of(model), "", photos, "office").pk
    assert not Item.objects.filter(needs_reexamination=True).exists()
    accept_proposal(chosen, number, "head")
    assert Item.objects.filter(needs_reexamination=True).exists()


def test_health_and_monitoring_say_that_it_waits(home: Home, tmp_path: Path) -> None:
    chosen = demo_model(home, tmp_path)
    (found,) = (f for f in all_checks(chosen) if f.code == "school_model.accepted")
    assert (found.state, found.message) == ("bad", NOT_ACCEPTED)
    (found,) = (f for f in machine_findings(chosen) if f.code == "school_model.accepted")
    assert found.state == "look"


def test_health_says_nothing_where_no_model_is_set(home: Home) -> None:
    assert not [f for f in all_checks(home) if f.code.startswith("school_model")]


def test_the_queue_says_that_it_waits(
    world: World, logged_in: Callable[[User], Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = logged_in(world.make_user())
    assert b"own face model" not in browser.get("/queue/").content
    monkeypatch.setattr(settings, "CONSENT_GATE_HOME", with_model(world.home, make_model()))
    assert escape(NOT_ACCEPTED) in browser.get("/queue/").content.decode()


def set_in_file(home: Home, model: SchoolModel) -> None:
    file = home.root / "consent-gate.toml"
    lines = [
        "[recognition.model]",
        f'file = "{model.file}"',
        f'sha256 = "{model.sha256}"',
        f'licence = "{model.licence}"',
    ]
    file.write_text(file.read_text("utf-8") + "\n" + "\n".join(lines) + "\n", "utf-8")


def command(home: Home, *words: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["--home", str(home.root), *words])
    return done.exit_code, done.output


def test_the_command_proposes_and_a_named_person_accepts(home: Home) -> None:
    model = make_model()
    enrol_pupils(home, range(52), model)
    set_in_file(home, model)
    chosen = with_model(home, model)
    code, printed = command(home, "calibrate", "--json", "--by", "office")
    assert code == 0, printed
    answer = json.loads(printed)
    assert answer["school_model"]["sha256"] == model.sha256
    assert "made for a test" in Path(answer["report"]).read_text("utf-8")
    use = school_model_use(chosen)
    assert use is not None
    assert use.refusal == NOT_ACCEPTED
    code, printed = command(
        home, "calibrate", "--accept", str(answer["proposal"]), "--by", "m.head"
    )
    assert code == 0, printed
    assert ThresholdSet.objects.get(pk=answer["proposal"]).accepted_by == "m.head"
    use = school_model_use(chosen)
    assert use is not None
    assert use.thresholds is not None
    assert use.thresholds.accept_fused(52) == pytest.approx(answer["accept"])
    _, printed = command(home, "rules")
    assert "made for a test" in " ".join(printed.split())
