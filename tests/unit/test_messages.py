"""Every reason has a message for staff in plain words that reveals no more than it should."""

from __future__ import annotations

import re

import pytest

from consent_gate.messages import LABELS, REASON_MESSAGES, reason_message
from consent_gate.model import Reason
from consent_gate.web.pages.labels import face_reason_text

JARGON = re.compile(
    r"biometric|template|embedding|threshold|detector|evidence|metadata|hash|null|policy|register"
    r"|verdict|algorithm|margin|lookalike|EXIF|UTC",
    re.IGNORECASE,
)
CAUSES = re.compile(
    r"consent|refus|parent|famil|court|order|adopt|foster|care|risk|danger|abuse|harm|indecent"
    r"|police|court|biometric",
    re.IGNORECASE,
)
TO_DO = re.compile(r"\b(say|cover|ask|look|release|save|choose|leave|talk)\b", re.IGNORECASE)


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_is_told_in_plain_words(reason: Reason) -> None:
    told = reason_message(reason)
    assert re.fullmatch(r"[A-Z].{20,220}\.", told)
    assert not JARGON.search(told)
    assert "_" not in told


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_says_what_can_be_done(reason: Reason) -> None:
    assert TO_DO.search(reason_message(reason))


@pytest.mark.parametrize("reason", [Reason.NEVER_PUBLISH, Reason.SEALED])
def test_what_is_never_published_or_sealed_does_not_tell_why(reason: Reason) -> None:
    assert not CAUSES.search(reason_message(reason))


def test_no_two_reasons_are_told_alike() -> None:
    assert len(set(REASON_MESSAGES.values())) == len(Reason)


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_has_a_short_label_too(reason: Reason) -> None:
    assert 0 < len(LABELS[reason]) <= 40
    assert 0 < len(face_reason_text(reason)) <= 40
