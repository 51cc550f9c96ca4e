"""Meanings are written to a mapping file and read back."""

from __future__ import annotations

import pytest

from sims_import.text.vocabulary import DEFAULT_VOCABULARY, parse_meaning


@pytest.mark.parametrize("text", ["consent", "consent:facebook", "sometimes", "", "consent:"])
def test_a_meaning_that_is_none_is_refused(text: str) -> None:
    assert parse_meaning(text, DEFAULT_VOCABULARY) is None


def test_every_meaning_reads_back_as_written() -> None:
    for text in ("consent:website+mag", "refusal", "refusal:displays", "consent:biometric", "year"):
        assert str(parse_meaning(text, DEFAULT_VOCABULARY)) == text
