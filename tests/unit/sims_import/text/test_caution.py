"""Tests of what free text may mean."""

from __future__ import annotations

import pytest

from sims_import.text.caution import note_may_mean_no


@pytest.mark.parametrize(
    "note",
    [
        "verbal, awaiting form",
        "form outstanding",
        "unsigned",
        "Chasing mum",
        "TBC",
        "provisional",
        "dispute between parents",
        "adoption in progress",
        "special guardianship",
        "witness protection",
        "blur the face",
        "cover her face please",
        "from a distance",
    ],
)
def test_a_note_that_may_mean_no_is_asked_about(note: str) -> None:
    assert note_may_mean_no(note)


@pytest.mark.parametrize(
    "note",
    ["", "paper form", "signed by mother", "Mrs Baker", "left-handed", "asthma", "12/09/2026"],
)
def test_an_ordinary_note_is_not(note: str) -> None:
    assert not note_may_mean_no(note)
