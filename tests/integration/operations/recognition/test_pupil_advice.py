"""Whom ``calibrate`` and ``doctor`` name for the office."""

from __future__ import annotations

import numpy as np

from consent_gate.db.models import EnrolmentPhoto, Item, PupilEntry, Template
from consent_gate.home.home import Home
from consent_gate.model import Tag, TagKind
from consent_gate.operations.health.health_check import State
from consent_gate.operations.recognition.pupil_advice import PupilAdvice, pupil_advice, templates
from consent_gate.register.template_vectors import decrypt_vector, encrypt_vector
from consent_gate.review import service as review
from tests.support.unsure_faces import make_unsure

ROBIN, KIT = "000101", "000102"


def test_a_pupil_whom_staff_had_to_name_is_listed(demo_school: Home) -> None:
    assert pupil_advice(demo_school).often_named_by_staff == ()
    for name in ("04 judge", "01 winner"):
        item = Item.objects.get(source__contains=name)
        make_unsure(item, 0, None)
        action = review.at_current_revision(demo_school, "j.shaw", item.pk)
        review.tag_face(action, 0, Tag(TagKind.PUPIL, KIT))
    assert pupil_advice(demo_school).often_named_by_staff == ((KIT, 2),)


def test_templates_that_agree_are_well(demo_school: Home) -> None:
    assert [check.code for check in templates(demo_school)] == ["templates"]


def test_each_finding_has_a_sentence() -> None:
    assert list(PupilAdvice((), (), (), ()).lines()) == []
    (first, second) = PupilAdvice(
        ("004001",), ("004001, face in fair/1.jpg",), (("004002", 3),), ()
    ).lines()
    assert "004001, face in fair/1.jpg" in first
    assert "004002 (3)" in second


def test_a_template_that_disagrees_is_named_with_its_picture(demo_school: Home) -> None:
    """A remembered face of Kit gets the vectors of Robin, as if the wrong child had been named."""
    item = Item.objects.get(source__contains="04 judge")
    today = demo_school.now().date()
    robin = EnrolmentPhoto.objects.filter(pupil__admission_number=ROBIN, item=None).first()
    assert robin is not None
    wrong = EnrolmentPhoto.objects.create(
        pupil=PupilEntry.objects.get(admission_number=KIT),
        sha256="0" * 64,
        first_imported_on=today,
        item=item,
        face=0,
        confirmed_at=demo_school.now(),
    )
    for template in robin.templates.all():
        vector = np.frombuffer(decrypt_vector(demo_school, ROBIN, template), np.float32)
        made = Template(photo=wrong, model=template.model, model_version=template.model_version)
        encrypt_vector(demo_school, KIT, made, vector.tobytes())
        made.save()
    advice = pupil_advice(demo_school)
    assert advice.disagreeing == (KIT,)
    assert f"{KIT}, face in {item.source}" in advice.pictures
    assert all(KIT in picture for picture in advice.pictures)
    (check,) = templates(demo_school)
    assert check.state is State.WARNING
    assert KIT not in check.message, "what doctor says is sent to others"
