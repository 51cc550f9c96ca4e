"""Factories of the core's values: pupils, registers, faces, pictures, rules.

Every value is in order unless the test says otherwise: the one thing that a test changes is the one
thing that holds the picture. Nothing here needs a file, a database or a model.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from consent_gate import policy
from consent_gate.model import (
    BIOMETRIC,
    Answer,
    Approval,
    Box,
    ChannelRules,
    Consent,
    Evidence,
    Examined,
    FaceEvidence,
    FaceKind,
    Hold,
    Identity,
    Match,
    NamePart,
    NearMatch,
    Pupil,
    Reason,
    Register,
    Release,
    Rules,
    StaffInput,
    Tag,
    TagKind,
    TextCheck,
    Verdict,
)

NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
TODAY = NOW.date()
CAMERA = "Canon|EOS R50|0123456789"

WEBSITE = ChannelRules(name="website", purpose="school website")
MAG = ChannelRules(name="mag", purpose="millfields mag")
DISPLAYS = ChannelRules(name="displays", purpose="school displays")

ANN, BEN, CAT = "000001", "000002", "000003"
"""Admission numbers that read like people."""


def days_ago(days: int) -> date:
    """A date before today; after it when negative."""
    return TODAY - timedelta(days=days)


def make_consent(**changes: Any) -> Consent:
    """A consent that holds today."""
    return replace(Consent(Answer.GIVEN, given_on=days_ago(60)), **changes)


REFUSED = Consent(Answer.REFUSED)
BLANK = Consent(Answer.NOT_STATED)


def make_pupil(number: str = ANN, **changes: Any) -> Pupil:
    """A pupil on roll with every consent and a fresh, confirmed enrolment photo."""
    purposes = [BIOMETRIC, *(c.purpose for c in (WEBSITE, MAG, DISPLAYS))]
    pupil = Pupil(
        number,
        {p: make_consent() for p in purposes},
        enrolled_on=days_ago(30),
        enrolment_confirmed=True,
    )
    return replace(pupil, **changes)


def with_consent(pupil: Pupil, consent: Consent | None, purpose: str = WEBSITE.purpose) -> Pupil:
    """The pupil with one answer changed; None leaves the answer out altogether."""
    others = {p: c for p, c in pupil.consents.items() if p != purpose}
    return replace(pupil, consents=others if consent is None else {**others, purpose: consent})


def make_register(*pupils: Pupil, **changes: Any) -> Register:
    """A register exported a week ago. Ann, Ben and Cat are on it, unless pupils are given."""
    on_it = pupils or tuple(make_pupil(number) for number in (ANN, BEN, CAT))
    register = Register({p.admission_number: p for p in on_it}, exported_on=days_ago(7))
    return replace(register, **changes)


def make_face(identity: Identity, kind: FaceKind = FaceKind.FACE, side: int = 200) -> FaceEvidence:
    """A square face, ``side`` pixels of the original high."""
    return FaceEvidence(Box(40, 40, side, side), score=0.97, kind=kind, identity=identity)


def make_matched_face(number: str = ANN, **changes: Any) -> FaceEvidence:
    """A face that clearly matches one pupil."""
    return replace(make_face(Match(number, distance=0.31, margin=0.22)), **changes)


def make_near_face(number: str = ANN, roll_size: int = 200, **changes: Any) -> FaceEvidence:
    """A face like one pupil whose score suffices for a roll of ``roll_size`` pupils at most."""
    near = NearMatch(number, distance=0.56, margin=0.2, roll_size=roll_size)
    return replace(make_face(near), **changes)


def make_picture(*faces: FaceEvidence, **changes: Any) -> Examined:
    """A picture of these people from one of the school's cameras."""
    picture = Examined(4000, 3000, pixels_sha256="ab" * 32, faces=faces, device=CAMERA)
    picture = replace(
        picture, text_check=TextCheck.COMPARED, text_side=10_000, looked_for=tuple(NamePart)
    )
    return replace(picture, **changes)


def make_rules(*channels: ChannelRules, **changes: Any) -> Rules:
    """The school's settings: the website alone, unless channels are given."""
    return replace(Rules(channels=channels or (WEBSITE,)), **changes)


LENIENT = make_rules(replace(WEBSITE, unrecognisable_below_px=12))
"""A website that lets faces too small to recognise go."""
WITH_FOUR_EYES = make_rules(replace(WEBSITE, four_eyes=True))


def pupil_tag(number: str) -> Tag:
    """A member of staff names a pupil."""
    return Tag(TagKind.PUPIL, pupil=number)


def visitor_tag(agreement: str = "signed the visitors' form") -> Tag:
    """A member of staff vouches for an adult."""
    return Tag(TagKind.ADULT_WITH_AGREEMENT, basis=agreement)


def unsigned_input(tags: dict[int, Tag] | None = None, **changes: Any) -> StaffInput:
    """What staff said of a picture, unsigned."""
    return StaffInput(tags=tags or {}, **changes)


def signed_input(tags: dict[int, Tag] | None = None, **changes: Any) -> StaffInput:
    """What staff said, with an approval for every channel of the school."""
    approval = Approval(actor="j.shaw", basis="asked the class teacher")
    approvals = {c.name: approval for c in (WEBSITE, MAG, DISPLAYS)}
    return replace(StaffInput(tags=tags or {}, approvals=approvals), **changes)


def decide_all(
    picture: Evidence,
    school: Register | None = None,
    staff: StaffInput | None = None,
    rules: Rules | None = None,
    now: datetime = NOW,
) -> dict[str, Verdict]:
    """Put a picture before the gate, as ``policy.decide`` is at this moment."""
    return policy.decide(
        picture, school or make_register(), rules or make_rules(), now, staff or StaffInput()
    )


def website_verdict(
    picture: Evidence,
    school: Register | None = None,
    staff: StaffInput | None = None,
    rules: Rules | None = None,
) -> Verdict:
    """The verdict for the website."""
    return decide_all(picture, school, staff, rules)["website"]


class WronglyReleased(AssertionError):
    """A picture went out that should have been held."""


def assert_held(verdict: Verdict, *reasons: Reason) -> None:
    """The picture stays in, for exactly these reasons."""
    if isinstance(verdict, Release):
        raise WronglyReleased(f"released: {verdict}")
    assert isinstance(verdict, Hold)
    assert set(verdict.reasons) == set(reasons)


def assert_released(verdict: Verdict) -> Release:
    """The picture may go out."""
    assert isinstance(verdict, Release), verdict
    return verdict
