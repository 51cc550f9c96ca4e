"""Hypothesis strategies: schools, pictures and staff input, mostly in order.

Few pupils and few faces, so that what is wrong often concerns somebody in the picture; few flaws,
so that about half of all pictures are released and a property can fail.

Strategies that need no argument are made once: Hypothesis checks each new one, which takes longer
than to draw from it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from consent_gate.model import (
    BIOMETRIC,
    MINIMUM_ROLL,
    Ambiguous,
    Approval,
    Box,
    Consent,
    DeviceRule,
    Examined,
    FaceEvidence,
    FaceKind,
    Match,
    NotMatched,
    Pupil,
    Reason,
    Register,
    Rules,
    StaffInput,
    Tag,
    TagKind,
    Uncleared,
    Unknown,
    Verdict,
    WhenNoFaces,
)
from tests.support.core_factories import (
    BLANK,
    CAMERA,
    DISPLAYS,
    MAG,
    REFUSED,
    WEBSITE,
    days_ago,
    decide_all,
    make_consent,
    make_face,
    make_matched_face,
    make_near_face,
    make_picture,
    make_pupil,
    make_register,
    make_rules,
    with_consent,
)

NUMBERS = ("000001", "000002", "000003", "000004")
CHANNELS = (WEBSITE, MAG, DISPLAYS)
PURPOSES = (BIOMETRIC, *(c.purpose for c in CHANNELS))


@dataclass(frozen=True)
class Scene:
    """Everything the gate is asked about."""

    picture: Examined
    school: Register
    rules: Rules
    staff: StaffInput

    def verdicts(self) -> dict[str, Verdict]:
        """What the gate says of it."""
        return decide_all(self.picture, self.school, self.staff, self.rules)


NO_CONSENTS: tuple[Consent | None, ...] = (
    None,
    BLANK,
    REFUSED,
    make_consent(expires_on=days_ago(1)),
    make_consent(given_on=days_ago(-1)),
)
"""Every way in which a consent is not one today."""

MARKS: tuple[dict[str, object], ...] = (
    {"never_publish": True},
    {"biometric_objection": True},
    {"on_roll": False},
    {"has_unenrolled_sibling": True},
    {"enrolled_on": None},
    {"enrolled_on": days_ago(549)},
    {"enrolled_on": days_ago(-1)},
    {"enrolment_confirmed": False},
    {"lookalikes": ("000001", "009999")},
)
"""Every mark on a pupil that can hold a picture."""


def spoilt(pupil: Pupil, how: dict[str, object] | tuple[str, Consent | None]) -> Pupil:
    """The pupil with a mark, or without one of the consents."""
    if isinstance(how, tuple):
        return with_consent(pupil, how[1], how[0])
    return replace(pupil, **how)  # type: ignore[arg-type]  # pairs of MARKS


SPOILING = st.one_of(
    st.sampled_from(MARKS), st.tuples(st.sampled_from(PURPOSES), st.sampled_from(NO_CONSENTS))
)

ODD_FACES = st.sampled_from(
    (
        make_face(Unknown()),
        make_face(Unknown(), side=20),
        make_face(Ambiguous(NUMBERS[:2])),
        make_face(NotMatched(Reason.LOW_QUALITY_FACE), side=20),
        make_face(NotMatched(Reason.NOT_EXAMINED)),
        make_matched_face("009999"),
        make_matched_face("000001"),
        make_matched_face("000002", kind=FaceKind.POSSIBLE),
        make_near_face("000001"),
        make_near_face("000004"),
        make_near_face("000002", MINIMUM_ROLL - 1),
        make_near_face("000003", kind=FaceKind.POSSIBLE),
    )
)
"""Faces that are not cleared, or only sometimes."""


def spoil(
    school: Register, number: str, how: dict[str, object] | tuple[str, Consent | None]
) -> Register:
    """The school after one pupil's entry changed for the worse."""
    return replace(school, pupils={**school.pupils, number: spoilt(school.pupils[number], how)})


FLAWS: st.SearchStrategy[list[tuple[str, Any]]] = st.one_of(
    st.just([]), st.lists(st.tuples(st.sampled_from(NUMBERS), SPOILING), max_size=2)
)

DOUBTS: st.SearchStrategy[dict[str, Any]] = st.sampled_from(
    (
        *({},) * 20,
        {"exported_on": days_ago(131)},
        {"exported_on": None},
        {"suspended": frozenset({WEBSITE.purpose})},
        {"suspended": frozenset({BIOMETRIC})},
    )
)


@st.composite
def schools(draw: DrawFn) -> Register:
    """Four pupils in order, but for a flaw or two."""
    school = make_register(*(make_pupil(number) for number in NUMBERS))
    for number, how in draw(FLAWS):
        school = spoil(school, number, how)
    return replace(school, **draw(DOUBTS))


PUPILS = st.permutations([make_matched_face(number) for number in NUMBERS])
HOW_MANY_PUPILS = st.integers(0, 3)
OTHERS: st.SearchStrategy[list[FaceEvidence]] = st.one_of(
    st.just([]), st.lists(ODD_FACES, min_size=1, max_size=2)
)
DEVICES = st.sampled_from((CAMERA, CAMERA, CAMERA, None))


@st.composite
def pictures(draw: DrawFn) -> Examined:
    """Up to three different pupils, at times with somebody else."""
    faces = (*draw(PUPILS)[: draw(HOW_MANY_PUPILS)], *draw(OTHERS))
    return make_picture(*faces, device=draw(DEVICES))


TAGS = st.builds(
    Tag,
    st.sampled_from(TagKind),
    st.one_of(st.sampled_from(NUMBERS), st.none()),
    st.sampled_from(("the vicar", " ")),
)
"""What staff may say of a face, sense and nonsense."""


@cache
def tags_up_to(last: int) -> st.SearchStrategy[dict[int, Tag]]:
    """What staff may say of the faces 0 to ``last``."""
    return st.dictionaries(st.integers(0, last), TAGS, max_size=2)


CLEARING_TAGS = st.sampled_from(
    (
        *(Tag(TagKind.PUPIL, number) for number in NUMBERS),
        Tag(TagKind.ADULT_WITH_AGREEMENT, basis="the vicar"),
        Tag(TagKind.NOT_A_FACE),
        Tag(TagKind.BLURRED),
    )
)

SIGNED = Approval("j.shaw", "asked the teacher", "p.rao")
SIGNATURES = st.one_of(
    st.just(SIGNED),
    st.sampled_from(
        (replace(SIGNED, second_person=None), replace(SIGNED, basis=""), replace(SIGNED, actor=" "))
    ),
)


def named(face: FaceEvidence) -> str:
    """Whom the machine names for a face, if anybody."""
    return face.identity.pupil if isinstance(face.identity, Match) else ""


CROPS = st.sampled_from(
    (None, None, None, Box(0, 0, 4000, 3000), Box(100, 90, 800, 600), Box(400, 0, 900, 900))
)
"""Whole, through the faces, without them."""

YES_OR_NO = st.booleans()
SELDOM = st.sampled_from((False,) * 7 + (True,))
APPROVALS = st.dictionaries(st.sampled_from([c.name for c in CHANNELS]), SIGNATURES)
ADDED_BOXES = st.sampled_from(((), (), (Box(1, 1, 9, 9),)))
REFUSED_CHANNELS = st.sampled_from((frozenset(), frozenset(), frozenset({"website"})))
ROSTERS = st.sampled_from((None, None, frozenset(NUMBERS[:3])))


@st.composite
def staff_inputs(draw: DrawFn, faces: tuple[FaceEvidence, ...] = ()) -> StaffInput:
    """What staff may say: often what clears the picture, at times anything at all."""
    if draw(YES_OR_NO):
        odd = [i for i, face in enumerate(faces) if face != make_matched_face(named(face))]
        return StaffInput(
            {i: draw(CLEARING_TAGS) for i in odd},
            approvals={channel.name: SIGNED for channel in CHANNELS},
            crop=draw(CROPS),
        )
    approvals, added = draw(APPROVALS), draw(ADDED_BOXES)
    return StaffInput(
        draw(tags_up_to(len(faces) + len(added))),
        added,
        approvals,
        refused=draw(REFUSED_CHANNELS),
        crop=draw(CROPS),
        sealed=draw(SELDOM),
        roster=draw(ROSTERS),
        roll_threshold=draw(YES_OR_NO),
        roll_is_whole=draw(YES_OR_NO),
        roll_unclear=draw(SELDOM),
    )


COVERS = make_rules(
    replace(WEBSITE, uncleared=Uncleared.COVER),
    replace(MAG, uncleared=Uncleared.COVER, unrecognisable_below_px=12),
    replace(DISPLAYS, uncleared=Uncleared.COVER, largest_face_px=100),
)
"""Channels in which the gate covers who is not cleared."""

RULE_SETS: tuple[Rules, ...] = (
    make_rules(*CHANNELS),
    make_rules(*CHANNELS, registered_devices=frozenset({CAMERA})),
    make_rules(*CHANNELS, registered_devices=frozenset({CAMERA}), devices=DeviceRule.WARN),
    make_rules(
        replace(WEBSITE, when_no_faces=WhenNoFaces.RELEASE),
        replace(MAG, unrecognisable_below_px=12),
        replace(DISPLAYS, four_eyes=True),
    ),
)


PICTURES, SCHOOLS, RULES = pictures(), schools(), st.sampled_from(RULE_SETS)


@st.composite
def scenes(draw: DrawFn) -> Scene:
    """A picture before the gate of a school, with what staff said of it."""
    picture = draw(PICTURES)
    said = draw(staff_inputs(picture.faces)) if draw(YES_OR_NO) else StaffInput()
    return Scene(picture, draw(SCHOOLS), draw(RULES), said)
