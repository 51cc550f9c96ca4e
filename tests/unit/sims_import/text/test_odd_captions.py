"""A heading whose words are all usual is asked about if it may be about something else."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sims_import.text.caption_meaning import meaning_of_caption, meaning_of_type
from sims_import.text.vocabulary import DEFAULT_VOCABULARY, Role
from tests.support.consent_files import standing, wide_rows

MILLFIELDS = replace(DEFAULT_VOCABULARY, school="Millfields Community School")

ODD = (
    *("Website: use of", "Use of website", "Website use", "Can use website", "Using the web"),
    *("Websites", "Websites allowed", "Website allowed", "Allow website", "Allowed on website"),
    *(
        "Website parent photo",
        "Website photo parent",
        "Parent photo website",
        "Mum's photo website",
    ),
    *("Website - parent", "Parent website", "Parents' magazine", "Website for parents"),
    *("Website for mum", "Website contact", "Website guardian", "Photo of dad - website"),
    *("Website given to", "Website by school", "Website shown to child", "Website with"),
    *("Own website", "Their website", "Your website", "Website own photo", "Child's own website"),
    *("Website agreement", "Website use agreement", "Website happy", "Website put"),
    *("Child's consent - website", "Consent of child: website", "Website: child agrees"),
    *("Pupil's own consent - biometric", "Website parental use", "Website Q1", "Website Oakdale"),
    *("Website (was)", "Community website", "Website of child", "Photos of website"),
    *("Website inside", "child: website", "Take down from website by"),
)
CLEAR = (
    *("Put on website", "Can be used on website", "For use on website", "Happy to be on website"),
    *("Use of photographs on school website", "Website (use of photos)", "Our website"),
    *("I agree to my child's photo being used on the school website", "Website - child"),
    *("Parental consent: website", "Parent/carer consent - Website", "Website (Parent 1)"),
    *("Consent of the child's parent: website", "Mother - Website", "Website given by parent 2"),
    *("As parent or guardian of the child I give permission for photos on website",),
    *("Your child's photo on our website", "Website consent given", "Website Y/N"),
    *("Millfields Website", "Website (Millfields)", "Millfields Community School website"),
    *("MCS website", "Photographs on the Millfields website", "Q1 School website", "Q12. Website"),
    *("Website (No/Yes)", "Website N/Y", "Consent was given: website"),
    *("School's own website", "Our own website"),
    *("Question 1: School website", "Part 1: Website", "Section A - Website", "1a) Website"),
)


@pytest.mark.parametrize("caption", ODD)
def test_a_heading_that_may_be_about_something_else_is_asked_about(caption: str) -> None:
    assert meaning_of_caption(caption, MILLFIELDS).role is not Role.CONSENT
    assert meaning_of_type(caption, MILLFIELDS).role is not Role.CONSENT


@pytest.mark.parametrize("caption", CLEAR)
def test_a_heading_with_the_same_words_in_their_usual_order_is_read(caption: str) -> None:
    expected = Role.NOTE if "given by" in caption else Role.CONSENT
    assert meaning_of_caption(caption, MILLFIELDS).role is expected


def test_the_own_name_is_known_from_the_magazine_if_the_settings_have_none() -> None:
    assert meaning_of_caption("Millfields Website", DEFAULT_VOCABULARY).role is Role.CONSENT


@pytest.mark.parametrize("name", ["Video Community School", "No Man's Heath School"])
def test_a_word_of_the_own_name_that_may_say_something_is_not_passed_over(name: str) -> None:
    school = replace(DEFAULT_VOCABULARY, school=name)
    assert meaning_of_caption(f"{name} website", school).role is not Role.CONSENT


def test_a_consent_that_everybody_gave_is_not_lost_without_a_question() -> None:
    rows = wide_rows()
    rows[0][4] = "Website something"
    assert standing(rows) == ["open-questions"]
    rows[0][5] = "Website"
    rows[0][6] = "Millfields Mag and School Displays"
    assert standing(rows) == []
