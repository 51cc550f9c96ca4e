"""Homes with a face model of the school, and pupils enrolled with made-up vectors."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from consent_gate.db.models import EnrolmentPhoto, PupilEntry, Template
from consent_gate.home.home import Home
from consent_gate.home.settings_school_model import SchoolModel
from consent_gate.matching.gallery import SCHOOL
from consent_gate.matching.school_model import EXPONENTIAL, thresholds_before_calibration
from consent_gate.matching.shipped_thresholds import shipped_thresholds
from consent_gate.matching.thresholds import Tail, Thresholds
from consent_gate.register.template_vectors import encrypt_vector
from tests.support.face_vectors import VERSIONS, someone, unit
from tests.support.factories import World


def make_model(sha256: str = "a" * 64, **values: object) -> SchoolModel:
    """The setting of a model whose file no test opens."""
    return SchoolModel.model_validate(
        {"file": "m.onnx", "sha256": sha256, "licence": "made for a test", **values}
    )


def with_model(home: Home, model: SchoolModel | None) -> Home:
    """The home with this model in its settings."""
    recognition = home.settings.recognition.model_copy(update={"model": model})
    return replace(home, settings=home.settings.model_copy(update={"recognition": recognition}))


def enrol_pupils(home: Home, numbers: Iterable[int], model: SchoolModel | None) -> list[PupilEntry]:
    """Pupils with one confirmed portrait each, measured with SFace, dlib and this model."""
    pupils = []
    for number in numbers:
        pupil = World(home).make_pupil(f"{number:06d}", surname=f"Pupil{number}")
        photo = EnrolmentPhoto.objects.get(pupil=pupil)
        photo.templates.all().delete()
        store(home, photo, "sface", VERSIONS["sface"], number)
        store(home, photo, "dlib", VERSIONS["dlib"], number)
        if model:
            store(home, photo, SCHOOL, model.version, number)
        pupils.append(pupil)
    return pupils


def store(home: Home, photo: EnrolmentPhoto, model: str, version: str, seed: int) -> None:
    """A template of a photo with a made-up vector."""
    own = np.random.default_rng(seed).normal(size=64)
    vectors = {**someone(seed), SCHOOL: unit(own)}
    template = Template(photo=photo, model=model, model_version=version)
    vector = np.asarray(vectors[model], "<f4").tobytes()
    encrypt_vector(home, photo.pupil.admission_number, template, vector)
    template.save()


def thresholds_of(model: SchoolModel) -> Thresholds:
    """Figures as a calibration with this model might propose them."""
    tail = Tail(start=0.3, share=0.002, scale=0.02, shape=EXPONENTIAL)
    before = thresholds_before_calibration(model.version, shipped_thresholds())
    return replace(before, fused_tail=tail, sface_tail=tail, fitted_on="own templates")
