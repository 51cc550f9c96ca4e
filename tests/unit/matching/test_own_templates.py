"""Pupils whose own templates disagree, and years whose faces are close to each other."""

from __future__ import annotations

from consent_gate.matching.gallery import gallery_of
from consent_gate.matching.own_templates import disagreeing_pupils, faces_by_year
from tests.support.face_vectors import THRESHOLDS, seen_again, someone, template

ANN, BEN = someone(1), someone(2)


def test_a_pupil_with_another_childs_picture_is_named() -> None:
    right = [template("004001", ANN), template("004001", seen_again(ANN, 3, 0.4))]
    alone = [template("004002", BEN)]
    assert disagreeing_pupils(gallery_of([*right, *alone]), THRESHOLDS) == ()
    wrong = template("004001", someone(9))
    assert disagreeing_pupils(gallery_of([*right, wrong, *alone]), THRESHOLDS) == ("004001",)


def test_a_year_in_which_two_pupils_look_alike_is_told_apart_from_the_others() -> None:
    pupils = [template(f"00{n:04d}", someone(n)) for n in range(24)]
    twin = template("000099", seen_again(someone(3), 5, 0.3))
    years = {f"00{n:04d}": "Year 3" if n < 12 else "Year 4" for n in range(24)}
    years["000099"] = "Year 3"
    gallery = gallery_of([*pupils, twin])
    third, fourth = faces_by_year(gallery, THRESHOLDS, years)
    assert (third.year, third.pupils, third.confused) == ("Year 3", 13, 2)
    assert (fourth.year, fourth.confused) == ("Year 4", 0)
    related, _ = faces_by_year(gallery, THRESHOLDS, years, [("000003", "000099")])
    assert related.confused == 0
