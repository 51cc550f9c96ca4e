"""The rules of ``consent_gate/publication.py``, one test in plain words for each of their parts."""

from __future__ import annotations

from dataclasses import replace

from consent_gate import publication as book
from consent_gate.model import Box, Reason
from consent_gate.publication import (
    APPEARANCE_CHANGED,
    APPROVAL_WITHDRAWN,
    BY_HAND,
    IN_MANIFEST,
    OPEN,
    RECALLED,
    RECALLED_BEFORE,
    Appearance,
    ChannelStatus,
    GateCover,
    History,
    Keep,
    OpenPublication,
    PastRecall,
    PublicationState,
    Step,
)
from tests.support.publication_states import (
    COVERED,
    CROPPED,
    FIRST,
    HOLDS_NEW,
    NO_CONSENT,
    NOW,
    REFUSED,
    RELEASE,
    SECOND,
    WHOLE,
)

S = PublicationState
CONSENT = Reason.CONSENT_REFUSED.value
OUT = History(ChannelStatus.RELEASED, OpenPublication(WHOLE, was_out=True))
ON_ITS_WAY = History(ChannelStatus.RELEASED, OpenPublication(WHOLE, was_out=False))


class WronglyOut(AssertionError):
    """A picture goes out, or stays out, against a rule."""


def step(
    history: History,
    verdict: object = RELEASE,
    wanted: Appearance = WHOLE,
    *,
    may_open: bool = True,
) -> Step:
    return book.next_step(verdict, history, wanted, may_open, NOW)  # type: ignore[arg-type]


def must_not(found: Step, kinds: object) -> None:
    if isinstance(found, kinds):  # type: ignore[arg-type]
        raise WronglyOut(found)


def recalled(cause: str, *, was_out: bool = True, approval: object = None) -> History:
    """A picture of this past. The last decision says nothing of it: a later one replaced it."""
    past = PastRecall(cause, was_out, approval)  # type: ignore[arg-type]
    return History(ChannelStatus.HELD, None, (past,))


def after(kind: type, state: PublicationState) -> list[PublicationState]:
    """The states that a step leads to from this one."""
    return [row.after for row in book.TRANSITIONS if row.step is kind and state in row.before]


# --- what goes out ---


def test_a_cleared_picture_goes_out_by_itself() -> None:
    assert step(History()) == book.Open(WHOLE, NOW)
    assert step(OUT) == Keep(ChannelStatus.RELEASED)


def test_a_picture_that_an_import_clears_is_examined_first() -> None:
    found = step(History(ChannelStatus.HELD), may_open=False)
    must_not(found, book.Open)
    assert isinstance(found, book.ReExamine)


def test_a_picture_goes_out_covered_as_staff_want() -> None:
    for wanted in (COVERED, CROPPED):
        found = step(History(), wanted=wanted)
        if not (isinstance(found, book.Open) and found.appearance == wanted):
            raise WronglyOut(found)


def test_a_cover_that_is_added_replaces_the_picture_that_is_out() -> None:
    found = step(OUT, wanted=COVERED)
    must_not(found, Keep)
    assert found == book.Recall(APPEARANCE_CHANGED, NOW)


def test_a_picture_without_the_cover_that_staff_want_does_not_stay_out() -> None:
    must_not(step(OUT, HOLDS_NEW, COVERED), Keep)


def test_a_withdrawn_consent_recalls_the_picture() -> None:
    found = step(OUT, NO_CONSENT)
    must_not(found, Keep)
    assert found == book.Recall(CONSENT, NOW)


def test_a_reason_for_new_pictures_alone_recalls_nothing() -> None:
    assert step(OUT, HOLDS_NEW) == Keep(ChannelStatus.RELEASED)


def test_a_picture_comes_back_with_the_approval_that_let_it_out() -> None:
    withdrawn = History(OUT.last_status, OUT.current, approval_withdrawn=True)
    must_not(step(withdrawn, HOLDS_NEW), Keep)
    assert step(withdrawn) == Keep(ChannelStatus.RELEASED)  # cleared without the approval


def test_a_picture_whose_cover_was_deleted_waits_for_a_person() -> None:
    for was_out in (True, False):
        covered = OpenPublication(COVERED, was_out)
        history = History(ChannelStatus.RELEASED, covered, approval_withdrawn=True)
        steps, end = book.remaining_steps(RELEASE, history, WHOLE, may_open=True, now=NOW)
        for found in steps:
            must_not(found, book.Open)
        assert end == Keep(ChannelStatus.WITHDRAWN)


def test_a_picture_stopped_by_a_hold_when_its_cover_was_deleted_waits_for_a_person() -> None:
    covered = History(
        ChannelStatus.RELEASED, OpenPublication(COVERED, was_out=False), approval_withdrawn=True
    )
    for verdict in (NO_CONSENT, HOLDS_NEW):
        stopped = covered.after(step(covered, verdict))
        must_not(step(stopped), book.Open)
    refused = covered.after(step(covered, REFUSED))  # staff may withdraw their own refusal
    assert isinstance(step(refused), book.Open)


# --- what was recalled ---


def test_a_recalled_picture_waits_for_a_person() -> None:
    must_not(step(recalled(CONSENT)), book.Open)
    must_not(step(History(ChannelStatus.WITHDRAWN)), book.Open)


def test_an_approval_from_before_the_recall_opens_nothing() -> None:
    past = recalled(CONSENT, approval=FIRST)
    again = History(past.last_status, None, past.recalls, approval=FIRST)
    must_not(step(again), book.Open)
    assert step(History(past.last_status, None, past.recalls, SECOND)) == book.Open(WHOLE, NOW)


def test_a_picture_published_by_an_approval_comes_back_when_that_is_undone() -> None:
    past = recalled(CONSENT, approval=FIRST)
    undone = History(ChannelStatus.RELEASED, OUT.current, past.recalls)
    must_not(step(undone), Keep)
    assert step(undone) == book.Recall(APPROVAL_WITHDRAWN, NOW)


def test_a_picture_that_a_person_stopped_on_its_way_stays_back() -> None:
    for cause in (BY_HAND, RECALLED_BEFORE, APPROVAL_WITHDRAWN):
        must_not(step(recalled(cause, was_out=False)), book.Open)


def test_a_picture_that_the_gate_stopped_on_its_way_was_never_seen() -> None:
    assert step(recalled(CONSENT, was_out=False)) == book.Open(WHOLE, NOW)


def test_no_cause_but_a_change_by_staff_ends_by_itself() -> None:
    changes = {APPEARANCE_CHANGED, Reason.REFUSED_BY_STAFF.value}
    causes = {reason.value for reason in Reason} | {BY_HAND, APPROVAL_WITHDRAWN, RECALLED_BEFORE}
    for cause in sorted(causes - changes):
        must_not(step(recalled(cause)), book.Open)


def test_a_refusal_or_a_cover_that_staff_take_back_needs_no_approval() -> None:
    for cause in (APPEARANCE_CHANGED, Reason.REFUSED_BY_STAFF.value):
        assert step(recalled(cause)) == book.Open(WHOLE, NOW)


# --- how a picture is taken back ---


def test_readers_are_told_of_a_picture_that_was_out() -> None:
    for history, wanted in ((OUT, book.Recall), (ON_ITS_WAY, book.Cancel)):
        found = step(history, REFUSED)
        if not isinstance(found, wanted):
            raise WronglyOut(found)


def test_a_picture_that_was_out_is_never_cancelled() -> None:
    rows = [row for row in book.TRANSITIONS if row.step is book.Cancel]
    if any(row.was_out is not False for row in rows):
        raise WronglyOut(rows)


def test_a_picture_that_is_no_longer_cleared_is_not_listed() -> None:
    if book.may_be_listed(NO_CONSENT, ON_ITS_WAY, WHOLE):
        raise WronglyOut
    if book.may_be_listed(None, ON_ITS_WAY, WHOLE):
        raise WronglyOut
    assert book.may_be_listed(RELEASE, ON_ITS_WAY, WHOLE)


def test_a_picture_without_the_new_cover_is_not_listed() -> None:
    if book.may_be_listed(RELEASE, ON_ITS_WAY, COVERED):
        raise WronglyOut


def test_a_picture_whose_new_approval_was_undone_is_not_listed() -> None:
    undone = History(ChannelStatus.RELEASED, ON_ITS_WAY.current, recalled(CONSENT).recalls)
    if book.may_be_listed(RELEASE, undone, WHOLE):
        raise WronglyOut


def test_a_damaged_picture_leaves_the_list_and_is_checked_anew() -> None:
    for state in IN_MANIFEST:
        if after(book.Remake, state) != [S.INTENDED]:
            raise WronglyOut
    if any(S.INTENDED in row.before for row in book.TRANSITIONS if row.after in IN_MANIFEST):
        raise WronglyOut("the files are listed before they are made")


def test_no_step_leads_back_from_a_recall() -> None:
    ended = {state for state in S if state not in OPEN}
    for row in book.TRANSITIONS:
        if ended & set(row.before) and row.after in OPEN:
            raise WronglyOut(row)


def test_a_recall_is_listed_until_every_copy_is_confirmed_gone() -> None:
    for row in book.TRANSITIONS:
        leaves = set(row.before) & set(RECALLED) and row.after not in RECALLED
        if leaves and not (row.confirmed and row.before == (S.REMOVED,)):
            raise WronglyOut(row)


def test_a_recall_that_the_home_had_lost_counts() -> None:
    lost = book.RecordLost(NOW)
    (row,) = book.transitions_of(lost)
    if row.after is not S.CLOSED:
        raise WronglyOut(row)
    must_not(step(recalled(lost.cause, was_out=False)), book.Open)


# --- rule 14: covers of the gate ---

HER_FACE, HIS_FACE = Box(30, 20, 24, 30), Box(90, 20, 24, 30)
NO_LONGER = Appearance((HER_FACE,), by_gate=(GateCover(HER_FACE, Reason.CONSENT_REFUSED),))
BOTH = Appearance((HER_FACE, HIS_FACE), by_gate=(GateCover(HIS_FACE, Reason.CONSENT_REFUSED),))


def test_a_face_that_loses_its_consent_recalls_the_picture_and_is_not_merely_covered() -> None:
    found = step(OUT, wanted=NO_LONGER)
    if not (isinstance(found, book.Recall) and found.cause == CONSENT):
        raise WronglyOut(found)
    must_not(step(OUT.after(found), wanted=NO_LONGER), book.Open)


def test_one_more_face_to_cover_recalls_a_covered_picture_for_its_own_reason() -> None:
    covered = History(ChannelStatus.RELEASED, OpenPublication(COVERED, was_out=True))
    for verdict in (RELEASE, HOLDS_NEW):
        found = step(covered, verdict, wanted=BOTH)
        if not (isinstance(found, book.Recall) and found.cause == CONSENT):
            raise WronglyOut(found)


def test_a_picture_is_covered_before_it_goes_out_and_uncovered_when_everybody_is_cleared() -> None:
    found = step(History(), wanted=NO_LONGER)
    assert isinstance(found, book.Open)
    assert found.appearance.by_gate
    assert isinstance(step(ON_ITS_WAY, wanted=NO_LONGER), book.Cancel)
    covered = History(ChannelStatus.RELEASED, OpenPublication(COVERED, was_out=True))
    assert step(covered, wanted=NO_LONGER) == Keep(ChannelStatus.RELEASED)
    back = step(covered)
    assert isinstance(back, book.Recall)
    assert back.cause == APPEARANCE_CHANGED
    assert isinstance(step(covered.after(back)), book.Open)


def test_a_face_found_some_pixels_beside_its_cover_is_no_new_one() -> None:
    covered = History(ChannelStatus.RELEASED, OpenPublication(COVERED, was_out=True))
    beside = replace(HER_FACE, x=HER_FACE.x + 3)
    moved = Appearance((beside,), by_gate=(GateCover(beside, Reason.UNKNOWN_FACE),))
    found = step(covered, wanted=moved)
    assert isinstance(found, book.Recall)
    assert found.cause == APPEARANCE_CHANGED


def test_a_face_that_only_is_too_recognisable_returns_covered() -> None:
    large = Appearance((HER_FACE,), by_gate=(GateCover(HER_FACE, Reason.TOO_RECOGNISABLE),))
    found = step(OUT, wanted=large)
    assert isinstance(found, book.Recall)
    assert isinstance(step(OUT.after(found), wanted=large), book.Open)
