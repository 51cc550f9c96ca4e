"""A message at a cell is understood if it only says how to fill the cell in."""

from __future__ import annotations

import pytest

from sims_import.text.cell_messages import message_may_mean_no


@pytest.mark.parametrize(
    "text",
    [
        *("Y = parent refused", "Tick if the parent refused", "Refused?", "Consent 2024/25"),
        *("Yes means the parent has opted out", "Choose yes for refused", "Only for trips"),
        *("Select Yes or No. Yes if there is an objection.", "Choose the internal use only"),
        *("Enter Y when the form is in", "Form of 2023", "Please choose Yes or No for video"),
    ],
)
def test_a_message_that_may_limit_the_answers_is_asked_about(text: str) -> None:
    assert message_may_mean_no(text)


@pytest.mark.parametrize(
    "text",
    [
        *("Please choose Yes or No", "Select Yes or No from the list.", "Website", "Yes/No only"),
        *("Choose from the drop-down list", "Please select a value from the list", "Error"),
        "The value you entered is not valid.\nA user has restricted values that can be entered "
        "into this cell.",
        *("Y = yes, N = no", "Invalid entry. Please try again.", "Photo consent", "Enter Y or N"),
    ],
)
def test_a_message_about_filling_in_is_none(text: str) -> None:
    assert not message_may_mean_no(text)
