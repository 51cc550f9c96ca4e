"""Properties of ``consent_gate/policy.py`` for every picture, school and member of staff."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from hypothesis import event, given, settings
from hypothesis import strategies as st

from consent_gate.decisions.pupil_references import renumbered
from consent_gate.model import (
    BIOMETRIC,
    MINIMUM_ROLL,
    Ambiguous,
    Answer,
    Box,
    Examined,
    FaceBasis,
    FaceEvidence,
    FaceKind,
    Hold,
    Match,
    NearMatch,
    NotMatched,
    Reason,
    Release,
    StaffInput,
    Tag,
    TagKind,
    Uncleared,
    Unknown,
    Verdict,
)
from consent_gate.subject_rights.erasure_holds import for_a_person, lost_reasons
from tests.support.core_factories import TODAY, WEBSITE, days_ago, make_face, make_matched_face
from tests.unit.policy.strategies import (
    COVERS,
    NUMBERS,
    ODD_FACES,
    SPOILING,
    Scene,
    scenes,
    spoil,
    staff_inputs,
)

quick = settings(max_examples=150, deadline=None)
PEOPLE = st.sampled_from(NUMBERS)
NOBODY_WE_KNOW = st.sampled_from(
    (
        make_face(Unknown()),
        make_face(Ambiguous(("000001", "000002"))),
        make_face(NotMatched(Reason.LOW_QUALITY_FACE)),
        make_matched_face("009999"),
    )
)
NO_REGISTER_DATES = st.one_of(
    st.none(), st.integers(131, 9999).map(days_ago), st.integers(-9999, -1).map(days_ago)
)


def test_pictures_are_released_and_held_often_enough_to_tell() -> None:
    seen: Counter[tuple[bool, bool]] = Counter()

    @settings(max_examples=300, deadline=None, derandomize=True, database=None)
    @given(scenes())
    def count(scene: Scene) -> None:
        for verdict in scene.verdicts().values():
            by_staff = isinstance(verdict, Release) and verdict.approved_by is not None
            seen[isinstance(verdict, Release) and bool(verdict.basis), by_staff] += 1

    count()
    share = {outcome: n / seen.total() for outcome, n in seen.items()}
    assert share[(True, False)] > 0.08  # by the machine
    assert share[(True, True)] > 0.02  # by staff
    assert share[(False, False)] > 0.3


# --- more faces, less consent, older registers: never a release ---


def with_face(scene: Scene, face: FaceEvidence, at: int) -> Scene:
    """The scene with one more face, every tag still on the face it was given to."""
    faces = (*scene.picture.faces[:at], face, *scene.picture.faces[at:])
    tags = {i + (i >= at): tag for i, tag in scene.staff.tags.items()}
    picture = replace(scene.picture, faces=faces)
    return replace(scene, picture=picture, staff=replace(scene.staff, tags=tags))


def released_anew(before: dict[str, Verdict], after: dict[str, Verdict]) -> list[str]:
    """Channels that were closed and are open."""
    event(f"{sum(isinstance(v, Release) for v in after.values())} channels open after")
    return [n for n, v in after.items() if isinstance(v, Release) and isinstance(before[n], Hold)]


@quick
@given(scenes(), NOBODY_WE_KNOW, st.integers(0, 3))
def test_a_picture_with_one_more_stranger_is_held(
    scene: Scene, face: FaceEvidence, at: int
) -> None:
    whole = replace(scene, staff=replace(scene.staff, crop=None))
    bolder = with_face(whole, face, min(at, len(scene.picture.faces)))
    was_open = any(isinstance(v, Release) for v in whole.verdicts().values())
    event(f"was open: {was_open}")
    assert all(isinstance(v, Hold) for v in bolder.verdicts().values())


@quick
@given(scenes(), st.one_of(ODD_FACES, PEOPLE.map(make_matched_face)), st.integers(0, 3))
def test_one_more_face_can_only_end_that_none_was_found(
    scene: Scene, face: FaceEvidence, at: int
) -> None:
    place = min(at, len(scene.picture.faces))
    before, after = scene.verdicts(), with_face(scene, face, place).verdicts()
    for name in released_anew(before, after):
        was, now = before[name], after[name]
        assert isinstance(was, Hold)
        assert isinstance(now, Release)
        assert was.reasons == (Reason.NO_FACES_FOUND,)
        assert now.basis[place].basis == "consent"


@quick
@given(scenes())
def test_a_face_staff_draw_holds_until_it_is_named(scene: Scene) -> None:
    more = (*scene.staff.added_faces, Box(2, 2, 8, 8))
    drawn = replace(scene.staff, added_faces=more, crop=None)
    known = len(scene.picture.faces) + len(scene.staff.added_faces)
    unnamed = replace(drawn, tags={i: t for i, t in drawn.tags.items() if i != known})
    assert all(isinstance(v, Hold) for v in replace(scene, staff=unnamed).verdicts().values())


@quick
@given(scenes(), PEOPLE, SPOILING)
def test_less_consent_never_releases(scene: Scene, number: str, how: object) -> None:
    worse = replace(scene, school=spoil(scene.school, number, how))  # type: ignore[arg-type]
    assert not released_anew(scene.verdicts(), worse.verdicts())


def erased(scene: Scene, number: str) -> Scene:
    """The scene after a pupil was erased from the register, the picture, the tags and the roll."""
    left = {
        n: replace(
            pupil,
            lookalikes=tuple(other for other in pupil.lookalikes if other != number),
            has_unenrolled_sibling=False,
        )
        for n, pupil in scene.school.pupils.items()
        if n != number
    }
    tags = {
        face: Tag(TagKind.CANNOT_TELL) if tag.pupil == number else tag
        for face, tag in scene.staff.tags.items()
    }
    roster = scene.staff.roster - {number} if scene.staff.roster else None
    picture = renumbered(scene.picture, number, None)
    assert isinstance(picture, Examined)
    return Scene(
        picture,
        replace(scene.school, pupils=left),
        scene.rules,
        replace(scene.staff, tags=tags, roster=roster or None),
    )


@quick
@given(scenes(), PEOPLE)
def test_a_pupil_gone_from_the_register_never_releases(scene: Scene, number: str) -> None:
    gone, before = erased(scene, number), scene.verdicts()
    staff = for_a_person(gone.staff, lost_reasons(before, gone.verdicts()))
    assert not released_anew(before, replace(gone, staff=staff).verdicts())


@quick
@given(scenes(), st.sampled_from([(), ("000001",), NUMBERS]))
def test_naming_the_classes_that_were_there_never_releases(
    scene: Scene, there: tuple[str, ...]
) -> None:
    unnamed = replace(scene, staff=replace(scene.staff, roster=None))
    named = replace(scene, staff=replace(scene.staff, roster=frozenset(there)))
    opened = released_anew(unnamed.verdicts(), named.verdicts())
    near = [f.identity for f in scene.picture.faces if isinstance(f.identity, NearMatch)]
    assert not opened or any(face.pupil in there for face in near)


@quick
@given(scenes(), st.sampled_from([(), ("000001",), NUMBERS]))
def test_a_roll_that_only_restricts_never_releases(scene: Scene, there: tuple[str, ...]) -> None:
    unnamed = replace(scene, staff=replace(scene.staff, roster=None))
    strict = replace(scene.staff, roster=frozenset(there), roll_threshold=False)
    named = replace(scene, staff=strict)
    assert not released_anew(unnamed.verdicts(), named.verdicts())


@quick
@given(scenes(), NO_REGISTER_DATES)
def test_a_stale_register_holds_everything(scene: Scene, exported_on: object) -> None:
    stale = replace(scene.school, exported_on=exported_on)  # type: ignore[arg-type]
    verdicts = replace(scene, school=stale).verdicts()
    assert all(isinstance(v, Hold) for v in verdicts.values())


@quick
@given(scenes())
def test_a_suspended_consent_holds_its_channel(scene: Scene) -> None:
    doubtful = replace(scene.school, suspended=frozenset({WEBSITE.purpose}))
    outcome = replace(scene, school=doubtful).verdicts()
    assert isinstance(outcome["website"], Hold)


@quick
@given(scenes())
def test_a_sealed_picture_tells_nothing_else(scene: Scene) -> None:
    sealed = replace(scene, staff=replace(scene.staff, sealed=True))
    assert set(map(repr, sealed.verdicts().values())) == {repr(Hold((Reason.SEALED,)))}


# --- order and channels ---


def sorted_out(verdict: Verdict, order: dict[int, int]) -> object:
    """A verdict without its order, its faces renumbered."""
    if isinstance(verdict, Release):
        return {replace(b, face=order[b.face]) for b in verdict.basis}, verdict.approved_by
    return set(verdict.reasons), {order[i]: set(r) for i, r in verdict.faces.items()}


@quick
@given(scenes(), st.randoms(use_true_random=False))
def test_the_order_of_faces_is_irrelevant(scene: Scene, random: object) -> None:
    count = len(scene.picture.faces)
    places = list(range(count))
    random.shuffle(places)  # type: ignore[attr-defined]
    order = dict(enumerate(places))
    moved_to = {old: new for new, old in order.items()}
    shuffled = replace(
        scene,
        picture=replace(scene.picture, faces=tuple(scene.picture.faces[i] for i in places)),
        staff=replace(
            scene.staff, tags={moved_to.get(i, i): t for i, t in scene.staff.tags.items()}
        ),
    )
    everywhere = {i: i for i in range(count + 9)}
    before, after = scene.verdicts(), shuffled.verdicts()
    for name, verdict in before.items():
        assert sorted_out(verdict, everywhere) == sorted_out(after[name], {**everywhere, **order})


@quick
@given(scenes(), PEOPLE, SPOILING)
def test_what_happens_to_one_channel_is_nothing_to_the_others(
    scene: Scene, number: str, how: object
) -> None:
    together = scene.verdicts()
    for channel in scene.rules.channels:
        alone = replace(scene, rules=replace(scene.rules, channels=(channel,)))
        assert alone.verdicts() == {channel.name: together[channel.name]}
    if isinstance(how, tuple) and how[0] not in (BIOMETRIC, WEBSITE.purpose):
        changed = replace(scene, school=spoil(scene.school, number, how))
        assert changed.verdicts()["website"] == together["website"]


# --- covers of the gate ---


def covering(scene: Scene) -> Scene:
    """The scene at a school whose channels cover who is not cleared."""
    return replace(scene, rules=COVERS)


def seen_faces(verdict: Verdict) -> set[int]:
    """Faces that a release shows."""
    if isinstance(verdict, Hold):
        return set()
    return {b.face for b in verdict.basis if b.basis in {"consent", "tagged", "agreement"}}


@settings(max_examples=400, deadline=None)
@given(scenes())
def test_a_channel_that_covers_shows_nobody_whom_it_would_hold(scene: Scene) -> None:
    channels = tuple(replace(c, uncleared=Uncleared.HOLD) for c in COVERS.channels)
    holding = replace(scene, rules=replace(COVERS, channels=channels)).verdicts()
    for name, verdict in covering(scene).verdicts().items():
        before = holding[name]
        event(f"{type(before).__name__} becomes {type(verdict).__name__}")
        if isinstance(before, Release):
            assert verdict == before
            continue
        held = set(before.faces)
        assert set(verdict.covered) <= held
        if isinstance(verdict, Release):
            assert verdict.covered
            assert {r for reasons in verdict.covered.values() for r in reasons} <= POSSIBLE_COVERS
            assert not held - set(verdict.covered)
            assert seen_faces(verdict)
            assert not seen_faces(verdict) & held


@quick
@given(scenes(), PEOPLE, SPOILING)
def test_less_consent_uncovers_nobody(scene: Scene, number: str, how: object) -> None:
    before = covering(scene)
    worse = replace(before, school=spoil(before.school, number, how))  # type: ignore[arg-type]
    was, now = before.verdicts(), worse.verdicts()
    assert not released_anew(was, now)
    assert all(seen_faces(now[name]) <= seen_faces(was[name]) for name in now)


@quick
@given(scenes(), PEOPLE)
def test_an_erased_pupil_is_uncovered_nowhere(scene: Scene, number: str) -> None:
    before = covering(scene)
    gone, was = erased(before, number), before.verdicts()
    staff = for_a_person(gone.staff, lost_reasons(was, gone.verdicts()))
    now = replace(gone, staff=staff).verdicts()
    assert not released_anew(was, now)
    assert all(seen_faces(now[name]) <= seen_faces(was[name]) for name in now)


@quick
@given(scenes(), st.data())
def test_a_pupil_never_to_publish_is_covered_by_no_channel(
    scene: Scene, data: st.DataObject
) -> None:
    shown = with_face(covering(scene), make_matched_face("000004"), 0)
    marked = replace(shown, school=spoil(shown.school, "000004", {"never_publish": True}))
    said = replace(marked, staff=data.draw(staff_inputs(marked.picture.faces)))
    assert all(isinstance(v, Hold) for v in said.verdicts().values())


POSSIBLE_COVERS = {
    Reason.UNKNOWN_FACE,
    Reason.AMBIGUOUS_MATCH,
    Reason.LOW_QUALITY_FACE,
    Reason.POSSIBLE_FACE,
    Reason.SAME_PUPIL_TWICE,
    Reason.NOT_AT_EVENT,
    Reason.CONSENT_MISSING,
    Reason.CONSENT_REFUSED,
    Reason.CONSENT_EXPIRED,
    Reason.BIOMETRIC_CONSENT_MISSING,
    Reason.TOO_RECOGNISABLE,
}


# --- what a release rests on ---


def may_be_shown(scene: Scene, number: str | None, purpose: str) -> bool:
    """The register, read by somebody who has not seen the policy's code."""
    pupil = scene.school.pupils.get(number or "")
    if pupil is None or pupil.never_publish or not pupil.on_roll or purpose not in pupil.consents:
        return False
    consent = pupil.consents[purpose]
    begins, ends = consent.given_on or TODAY, consent.expires_on or TODAY
    return consent.answer is Answer.GIVEN and begins <= TODAY <= ends


def machine_may_clear(scene: Scene, basis: FaceBasis) -> bool:
    """Rule 7, but for the channel's own consent."""
    face, roster = scene.picture.faces[basis.face], scene.staff.roster
    pupil = scene.school.pupils[basis.pupil or ""]
    near = isinstance(face.identity, NearMatch) and (
        roster is not None
        and scene.staff.roll_threshold
        and face.identity.roll_size >= max(len(roster), MINIMUM_ROLL)
    )
    return (
        isinstance(face.identity, Match | NearMatch)
        and (isinstance(face.identity, Match) or near)
        and face.identity.pupil == basis.pupil
        and face.kind is FaceKind.FACE
        and may_be_shown(scene, basis.pupil, BIOMETRIC)
        and BIOMETRIC not in scene.school.suspended
        and not pupil.biometric_objection
        and not pupil.has_unenrolled_sibling
        and pupil.enrolled_on is not None
        and days_ago(548) <= pupil.enrolled_on <= TODAY
        and pupil.enrolment_confirmed
        and (roster is None or basis.pupil in roster)
    )


def is_beyond(scene: Scene, index: int) -> bool:
    """Whether no pixel of a face's box is in what is published."""
    faces = [*(face.box for face in scene.picture.faces), *scene.staff.added_faces]
    box, crop = faces[index], scene.staff.crop
    assert crop is not None
    across = range(max(box.x, crop.x), min(box.x + box.width, crop.x + crop.width))
    down = range(max(box.y, crop.y), min(box.y + box.height, crop.y + crop.height))
    return not (across and down)


def is_well_founded(scene: Scene, basis: FaceBasis, channel: str, purpose: str) -> bool:
    """Whether one face of a released picture has what it needs, by basis."""
    tag = scene.staff.tags.get(basis.face)
    approval = scene.staff.approvals.get(channel)
    signed = approval is not None and approval.actor.strip() and approval.basis.strip()
    if basis.basis == "consent":
        return machine_may_clear(scene, basis) and may_be_shown(scene, basis.pupil, purpose)
    if basis.basis == "unrecognisable":
        face = scene.picture.faces[basis.face]
        return tag is None and face.box.height == 20 and not isinstance(face.identity, Match)
    if basis.basis == "cut_away":
        return bool(signed) and is_beyond(scene, basis.face)
    if tag is None or not signed:
        return False
    return {
        "tagged": tag.kind is TagKind.PUPIL and may_be_shown(scene, tag.pupil, purpose),
        "agreement": tag.kind is TagKind.ADULT_WITH_AGREEMENT and bool(tag.basis.strip()),
        "not_a_face": tag.kind is TagKind.NOT_A_FACE,
        "blurred": tag.kind is TagKind.BLURRED,
    }[basis.basis]


@settings(max_examples=400, deadline=None)
@given(scenes())
def test_a_release_states_a_basis_for_every_face(scene: Scene) -> None:
    purposes = {c.name: c.purpose for c in scene.rules.channels}
    for name, verdict in scene.verdicts().items():
        if isinstance(verdict, Release):
            event("released by staff" if verdict.approved_by else "released by the machine")
            shown = len(scene.picture.faces) + len(scene.staff.added_faces)
            assert [b.face for b in verdict.basis] == list(range(shown))
            assert all(is_well_founded(scene, b, name, purposes[name]) for b in verdict.basis)
            named = [b.pupil for b in verdict.basis if b.basis in ("consent", "tagged")]
            assert len(set(named)) == len(named)


@quick
@given(scenes())
def test_a_hold_says_why(scene: Scene) -> None:
    for verdict in scene.verdicts().values():
        if isinstance(verdict, Hold):
            assert verdict.reasons
            assert all(verdict.faces.values())
            assert {r for found in verdict.faces.values() for r in found} <= set(verdict.reasons)


@quick
@given(scenes(), st.data())
def test_nothing_staff_say_beats_never_publish(scene: Scene, data: st.DataObject) -> None:
    shown = with_face(scene, make_matched_face("000004"), 0)
    marked = replace(shown, school=spoil(shown.school, "000004", {"never_publish": True}))
    anything = data.draw(staff_inputs(marked.picture.faces))
    said = replace(marked, staff=anything)
    assert all(isinstance(v, Hold) for v in said.verdicts().values())


@quick
@given(scenes(), st.sampled_from(TagKind))
def test_a_never_publish_pupil_named_by_staff_is_never_out(scene: Scene, kind: TagKind) -> None:
    shown = with_face(scene, make_face(Unknown()), 0)
    tags = {**shown.staff.tags, 0: Tag(kind, "000004", basis="her aunt agreed")}
    marked = replace(
        shown,
        school=spoil(shown.school, "000004", {"never_publish": True}),
        staff=replace(shown.staff, tags=tags),
    )
    assert all(isinstance(v, Hold) for v in marked.verdicts().values())


@quick
@given(scenes())
def test_staff_who_sign_nothing_open_nothing(scene: Scene) -> None:
    machine = replace(scene, staff=StaffInput())
    unsigned = replace(scene, staff=replace(scene.staff, approvals={}, roster=None))
    opened = released_anew(machine.verdicts(), unsigned.verdicts())
    assert not opened
