"""An answer of the child, or of somebody who is no parent, is no consent of a parent."""

from __future__ import annotations

import pytest

from tests.support.consent_files import cell_rows, granted, standing, wide_rows, with_column

CAPTIONS = (
    *("Given by", "Signed by", "Completed by", "Respondent", "Who answered", "Consent by"),
    *("Signature", "Signatory", "Answered by", "Role", "Relationship", "Source"),
)


@pytest.mark.parametrize("caption", CAPTIONS)
@pytest.mark.parametrize("text", ["Pupil", "The child", "Self", "pupil (aged 12)", "Nobody"])
def test_an_answer_of_nobody_who_may_answer_stops_grants(caption: str, text: str) -> None:
    cells = {**dict.fromkeys(range(1, 7), "Mother"), 2: text}
    assert standing(with_column(caption, cells)) == ["open-questions"]


@pytest.mark.parametrize("caption", CAPTIONS)
@pytest.mark.parametrize("text", ["Mother", "Mrs Child", "Grandmother", "Pupil's mother", "Office"])
def test_an_answer_of_a_parent_stops_nothing(caption: str, text: str) -> None:
    assert standing(with_column(caption, dict.fromkeys(range(1, 7), text))) == []


@pytest.mark.parametrize(
    "title",
    [
        *("Answers given by pupils", "Signed by pupils", "Completed by children"),
        *("Consent by child", "Consents of children"),
    ],
)
def test_a_title_about_answers_of_the_children_stops_grants(title: str) -> None:
    assert granted([[title], *wide_rows()]) == set()


@pytest.mark.parametrize(
    "title", ["Consents by pupil", "Sorted by pupil", "Photo consent by class"]
)
def test_a_title_about_the_order_of_pupils_stops_nothing(title: str) -> None:
    assert standing([[title], *wide_rows()]) == []


@pytest.mark.parametrize("cell", ["child: website", "Website was yes", "Pupil: School Website"])
def test_a_type_that_a_child_gave_or_that_was_given_once_is_asked_about(cell: str) -> None:
    assert "000001" not in {pupil for pupil, _ in granted(cell_rows({1: cell}))}
