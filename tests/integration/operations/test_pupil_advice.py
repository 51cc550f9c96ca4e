"""Whom ``calibrate`` and ``doctor`` name for the office."""

from __future__ import annotations

from consent_gate.db.models import Item
from consent_gate.home.home import Home
from consent_gate.model import Tag, TagKind
from consent_gate.operations.pupil_advice import PupilAdvice, pupil_advice, templates
from consent_gate.review import service as review
from tests.support.unsure_faces import make_unsure

KIT = "000102"


def test_a_pupil_whom_staff_had_to_name_is_listed(demo_school: Home) -> None:
    assert pupil_advice(demo_school).served_badly == ()
    for name in ("04 judge", "01 winner"):
        item = Item.objects.get(source__contains=name)
        make_unsure(item, 0, None)
        action = review.at_current_revision(demo_school, "j.shaw", item.pk)
        review.tag_face(action, 0, Tag(TagKind.PUPIL, KIT))
    assert pupil_advice(demo_school).served_badly == ((KIT, 2),)


def test_templates_that_agree_are_well(demo_school: Home) -> None:
    assert [check.code for check in templates(demo_school)] == ["templates"]


def test_each_finding_has_a_sentence() -> None:
    assert list(PupilAdvice((), (), ()).lines()) == []
    (first, second) = PupilAdvice(("004001",), (("004002", 3),), ()).lines()
    assert "004001" in first
    assert "004002 (3)" in second
