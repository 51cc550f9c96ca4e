"""A face model of the school decides only after a calibration with it was accepted here."""

from __future__ import annotations

from dataclasses import replace

import pytest
from django.db import transaction

from consent_gate.db import audit_log
from consent_gate.db.models import AuditEntry, EnrolmentPhoto, Template, ThresholdSet
from consent_gate.errors import ItemNotFound
from consent_gate.home.home import Home
from consent_gate.matching.gallery import SCHOOL
from consent_gate.operations.recognition.school_model import accept_proposal
from consent_gate.register.gallery_version import gallery_version
from consent_gate.register.portraits import save_portrait
from consent_gate.register.repository import compared_photos, load_gallery
from consent_gate.register.school_model import (
    NOT_ACCEPTED,
    OF_ANOTHER_HOME,
    ProposalRefused,
    photos_to_measure,
    propose_school_model,
    school_model_use,
)
from consent_gate.register.templates import destroy_outdated_templates
from consent_gate.register.thresholds import accept, propose, thresholds_in_force
from tests.support.school_models import enrol_pupils, make_model, store, thresholds_of, with_model

MODEL = make_model()
OTHER = make_model("b" * 64)


@pytest.fixture
def school(home: Home) -> Home:
    chosen = with_model(home, MODEL)
    enrol_pupils(chosen, range(4), MODEL)
    return chosen


def proposal(home: Home) -> int:
    photos = [photo.pk for photo in compared_photos(home)]
    return propose_school_model(home, thresholds_of(MODEL), "<html>", photos, "office").pk


def refusal(home: Home) -> str:
    use = school_model_use(home)
    assert use is not None
    assert use.thresholds is None
    return use.refusal


def decides(home: Home) -> bool:
    use = school_model_use(home)
    return use is not None and use.thresholds is not None


def test_without_a_model_nothing_is_different(home: Home) -> None:
    enrol_pupils(home, range(2), None)
    assert school_model_use(home) is None
    assert not photos_to_measure(home).exists()
    assert set(load_gallery(home).vectors) == {"sface", "dlib"}


@pytest.mark.dialect
def test_it_waits_for_a_person_and_the_audit_trail_says_who(school: Home) -> None:
    before = gallery_version(school)
    assert refusal(school) == NOT_ACCEPTED
    number = proposal(school)
    assert refusal(school) == NOT_ACCEPTED
    accept_proposal(school, number, "head")
    assert decides(school)
    assert gallery_version(school) != before
    entry = AuditEntry.objects.get(action="school_model.accepted")
    assert entry.actor == "head"
    assert entry.detail["sha256"] == MODEL.sha256
    assert audit_log.verify(school) == []


def test_it_changes_nothing_about_the_models_of_the_package(school: Home) -> None:
    own = replace(thresholds_in_force(), margin=0.5)
    accept(school, propose(school, own, "", "office").pk, "head")
    accept_proposal(school, proposal(school), "head")
    assert thresholds_in_force() == own
    with pytest.raises(ItemNotFound):
        accept(school, proposal(school), "head")


def test_an_acceptance_needs_a_name(school: Home) -> None:
    with pytest.raises(ProposalRefused, match="name"):
        accept_proposal(school, proposal(school), "  ")
    assert not decides(school)


def test_beside_or_instead_is_as_the_settings_say(school: Home) -> None:
    accept_proposal(school, proposal(school), "head")
    use = school_model_use(school)
    assert use is not None
    assert use.beside
    alone = with_model(school, make_model(run="instead"))
    use = school_model_use(alone)
    assert use is not None
    assert not use.beside
    assert gallery_version(alone) != gallery_version(school)


def test_another_model_needs_templates_and_an_acceptance_of_its_own(school: Home) -> None:
    accept_proposal(school, proposal(school), "head")
    changed = with_model(school, OTHER)
    assert "4 enrolment photos were not measured" in refusal(changed)
    assert SCHOOL not in load_gallery(changed).vectors
    for photo in EnrolmentPhoto.objects.all():
        Template.objects.filter(photo=photo, model=SCHOOL).delete()
        store(changed, photo, SCHOOL, OTHER.version, photo.pk)
    assert refusal(changed) == NOT_ACCEPTED
    assert load_gallery(changed).versions[SCHOOL] == OTHER.version


def test_a_proposal_for_a_former_model_cannot_be_accepted(school: Home) -> None:
    number = proposal(school)
    with pytest.raises(ProposalRefused, match="another face model"):
        accept_proposal(with_model(school, OTHER), number, "head")
    with pytest.raises(ProposalRefused, match="another face model"):
        accept_proposal(with_model(school, None), number, "head")


def test_another_input_form_of_the_same_file_is_another_model(school: Home) -> None:
    accept_proposal(school, proposal(school), "head")
    changed = with_model(school, make_model(input={"colours": "bgr"}))
    assert "not measured" in refusal(changed)


def test_one_photo_that_was_not_measured_stops_the_model(school: Home) -> None:
    """A pupil whom the model cannot see may be the brother of one whom it sees."""
    accept_proposal(school, proposal(school), "head")
    enrol_pupils(school, [50], None)
    assert "1 enrolment photo was not measured" in refusal(school)
    assert SCHOOL not in load_gallery(school).vectors


def test_templates_of_a_former_model_are_destroyed_and_the_portraits_stay(school: Home) -> None:
    sface = Template.objects.filter(model="sface").first()
    assert sface is not None
    save_portrait(school, sface.photo.pupil.admission_number, sface, b"jpeg")
    changed = with_model(school, OTHER)
    with transaction.atomic():
        destroy_outdated_templates(changed, "office")
    assert not Template.objects.filter(model=SCHOOL).exists()
    sface.refresh_from_db()
    assert sface.portrait


def test_new_pupils_of_one_year_do_not_end_an_acceptance(school: Home) -> None:
    accept_proposal(school, proposal(school), "head")
    enrol_pupils(school, [60, 61], MODEL)
    assert decides(school)


def test_an_altered_row_does_not_count(school: Home) -> None:
    number = proposal(school)
    accept_proposal(school, number, "head")
    row = ThresholdSet.objects.get(pk=number)
    row.values = row.values.replace('"start": 0.3', '"start": 0.1')
    row.save()
    assert refusal(school) == OF_ANOTHER_HOME
