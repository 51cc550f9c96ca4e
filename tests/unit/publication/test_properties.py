"""Properties of ``consent_gate/publication.py`` for every history and every order of events."""

from __future__ import annotations

from datetime import timedelta
from functools import reduce
from itertools import count

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from consent_gate.model import Reason, Release, Verdict
from consent_gate.policy import must_recall
from consent_gate.publication import (
    APPEARANCE_CHANGED,
    APPROVAL_WITHDRAWN,
    BY_HAND,
    COUNT_BEFORE_RELEASE,
    IN_MANIFEST,
    OPEN,
    PENDING,
    RECALLED_BEFORE,
    TRANSITIONS,
    Announce,
    Appearance,
    Cancel,
    ChannelStatus,
    Close,
    History,
    Keep,
    List,
    Open,
    PublicationState,
    Recall,
    RecordLost,
    ReExamine,
    Remake,
    RemoveFiles,
    Write,
    WriteAgain,
    may_be_listed,
    next_step,
    recall_or_cancel,
    remaining_steps,
)
from tests.support.publication_states import (
    COVERED,
    CROPPED,
    NO_CONSENT,
    NOW,
    REFUSED,
    RELEASE,
    VERDICTS,
    WHOLE,
    ChannelLedger,
    PublicationRow,
    all_histories,
)

S = PublicationState
WRITE = Write("ab" * 32, 1000, 168, 120)
REST = {S.LIVE, S.CLOSED, S.CANCELLED_CLEANED}
"""States in which nothing is left to do unless a person, a consent or a file changes."""


# --- one round, over every history ---


def test_no_hold_ever_publishes() -> None:
    for history in all_histories():
        for verdict in VERDICTS:
            steps, end = remaining_steps(verdict, history, WHOLE, may_open=True, now=NOW)
            if not isinstance(verdict, Release):
                assert not any(isinstance(step, Open) for step in steps)
                assert not isinstance(end, ReExamine)
            if must_recall(verdict):
                assert end.status is not ChannelStatus.RELEASED
                assert len(steps) == (history.current is not None)


def test_what_stays_out_was_out_and_looks_as_staff_want() -> None:
    for history in all_histories():
        for verdict in VERDICTS:
            for wanted in (WHOLE, COVERED):
                _, end = remaining_steps(verdict, history, wanted, may_open=False, now=NOW)
                if end.status is ChannelStatus.RELEASED:
                    assert history.current is not None
                    assert history.current.appearance == wanted
                    assert history.current.was_out or isinstance(verdict, Release)


def test_every_round_comes_to_rest_and_a_second_one_changes_nothing() -> None:
    for history in all_histories():
        for verdict in VERDICTS:
            for may_open in (False, True):
                steps, end = remaining_steps(verdict, history, COVERED, may_open, NOW)
                assert len(steps) <= 2
                after = reduce(History.after, steps, history)
                assert next_step(verdict, after, COVERED, may_open, NOW) == end


def test_no_rule_compares_times() -> None:
    later = NOW + timedelta(days=4000)
    for history in all_histories():
        for verdict in VERDICTS:
            one = next_step(verdict, history, COVERED, may_open=True, now=NOW)
            two = next_step(verdict, history, COVERED, may_open=True, now=later)
            assert repr(one).replace(repr(NOW), repr(later)) == repr(two)


def test_only_a_cleared_picture_that_was_never_recalled_is_examined_again() -> None:
    for history in all_histories():
        _, end = remaining_steps(RELEASE, history, WHOLE, may_open=False, now=NOW)
        stays = history.current is not None and history.current.appearance == WHOLE
        if isinstance(end, ReExamine):
            assert not history.was_recalled
            assert not stays
        elif not history.was_recalled:
            assert stays or (history.current and history.approval_withdrawn)


def test_what_may_be_listed_is_what_the_next_decision_leaves_alone() -> None:
    for history in all_histories():
        for verdict in VERDICTS:
            if may_be_listed(verdict, history, COVERED):
                step = next_step(verdict, history, COVERED, may_open=False, now=NOW)
                waits = history.last_status is ChannelStatus.WITHDRAWN  # then more has to be asked
                assert step == Keep(ChannelStatus.RELEASED) or waits


# --- the table ---


def test_every_state_reaches_rest() -> None:
    reached = set(REST)
    for _ in S:
        reached |= {s for row in TRANSITIONS if row.after in reached for s in row.before}
    assert reached == set(S)


def test_every_recall_ends_only_in_rest_without_a_picture() -> None:
    later = {S.WITHDRAWING, S.CANCELLED}
    for _ in S:
        later |= {row.after for row in TRANSITIONS if later & set(row.before)}
    assert not later & set(OPEN)
    assert {S.CLOSED, S.CANCELLED_CLEANED} <= later


def test_every_open_publication_can_be_taken_back() -> None:
    for state in OPEN:
        for released in (True, False):
            row = PublicationRow(WHOLE, state, released)
            out = released or state in IN_MANIFEST
            assert row.apply(recall_or_cancel(out, "cause", NOW))
            assert row.state is (S.WITHDRAWING if out else S.CANCELLED)
            assert not row.apply(recall_or_cancel(out, "another", NOW)), "a recall happens once"


def test_no_step_moves_a_publication_twice() -> None:
    for row in TRANSITIONS:
        same = [other for other in TRANSITIONS if other.step is row.step]
        assert sum(row.after in other.before for other in same) == 0
        for state in S:
            assert sum(state in other.before for other in same) <= 1


def test_each_state_is_entered_and_each_change_of_what_readers_see_renews_the_list() -> None:
    assert {row.after for row in TRANSITIONS} == set(S)
    for row in TRANSITIONS:
        for state in row.before:
            if (state in IN_MANIFEST) != (row.after in IN_MANIFEST):
                assert row.changes_manifest, row


# --- every order of events ---


class OnePicture(RuleBasedStateMachine):
    """One picture in one channel, and everything that can happen to it, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.ledger, self.now = ChannelLedger(), NOW
        self.wanted, self.needs_word, self.refused = WHOLE, False, False
        self.times = (NOW + timedelta(minutes=minute) for minute in count())

    def decide(self, verdict: Verdict, *, may_open: bool, approval_withdrawn: bool = False) -> None:
        # The policy gives this reason where staff refused, and only there.
        verdict = REFUSED if self.refused else NO_CONSENT if verdict == REFUSED else verdict
        history = self.ledger.history(approval_withdrawn=approval_withdrawn)
        steps, end = remaining_steps(verdict, history, self.wanted, may_open, self.now)
        for step in steps:
            self.take(step)
        self.ledger.status = end.status

    def take(self, step: Open | Recall | Cancel | object) -> None:
        if isinstance(step, Open):
            assert not self.needs_word, "a recalled picture goes out without a person's word"
            assert step.appearance == self.wanted
        staff_did_it = isinstance(step, Recall) and step.cause in {
            APPEARANCE_CHANGED,
            Reason.REFUSED_BY_STAFF.value,
        }
        by_hand = isinstance(step, Cancel) and step.cause in COUNT_BEFORE_RELEASE
        self.needs_word |= (isinstance(step, Recall) and not staff_did_it) or by_hand
        self.ledger.apply(step)  # type: ignore[arg-type]

    @rule(minutes=st.integers(-100_000, 100_000))
    def clock_is_set(self, minutes: int) -> None:
        self.now = NOW + timedelta(minutes=minutes)

    @rule(verdict=st.sampled_from(VERDICTS), may_open=st.booleans())
    def decision(self, verdict: Verdict, may_open: bool) -> None:
        self.decide(verdict, may_open=may_open)

    @rule(verdict=st.sampled_from(VERDICTS))
    def staff_approve(self, verdict: Verdict) -> None:
        self.ledger.approval, self.refused, self.needs_word = next(self.times), False, False
        self.decide(verdict, may_open=True)

    @rule(verdict=st.sampled_from(VERDICTS))
    def staff_withdraw_their_answer(self, verdict: Verdict) -> None:
        stood, self.ledger.approval = self.ledger.approval is not None, None
        self.refused = False
        self.decide(verdict, may_open=True, approval_withdrawn=stood)

    @precondition(lambda self: self.wanted != WHOLE)
    @rule(verdict=st.sampled_from(VERDICTS))
    def an_examination_deletes_the_covers(self, verdict: Verdict) -> None:
        self.ledger.approval, self.wanted = None, WHOLE
        self.needs_word |= self.ledger.current is not None
        self.decide(verdict, may_open=True, approval_withdrawn=True)

    @rule()
    def staff_refuse(self) -> None:
        self.ledger.approval, self.refused = None, True
        self.decide(RELEASE, may_open=True)

    @rule(verdict=st.sampled_from(VERDICTS), wanted=st.sampled_from((WHOLE, COVERED, CROPPED)))
    def staff_change_the_picture(self, verdict: Verdict, wanted: Appearance) -> None:
        stood, self.ledger.approval = self.ledger.approval is not None, None
        self.wanted = wanted
        self.decide(verdict, may_open=True, approval_withdrawn=stood)

    @precondition(lambda self: self.ledger.current is not None)
    @rule(cause=st.sampled_from((BY_HAND, RECALLED_BEFORE)))
    def recall_by_hand_or_after_a_restore(self, cause: str) -> None:
        current = self.ledger.current
        assert current is not None
        if cause == RECALLED_BEFORE:
            self.ledger.approval = None
        self.take(recall_or_cancel(current.released, cause, self.now))
        self.ledger.status = ChannelStatus.WITHDRAWN
        self.needs_word = True

    @rule()
    def recall_that_the_home_had_lost(self) -> None:
        lost = RecordLost(self.now)
        self.ledger.rows.append(PublicationRow(WHOLE, S.CLOSED, released=True, cause=lost.cause))
        if self.ledger.current is not None:
            self.take(recall_or_cancel(self.ledger.current.released, lost.cause, self.now))
        self.ledger.approval, self.ledger.status = None, ChannelStatus.WITHDRAWN
        self.needs_word = True

    @rule(verdict=st.sampled_from(VERDICTS))
    def round_of_releases(self, verdict: Verdict) -> None:
        current, verdict = self.ledger.current, REFUSED if self.refused else verdict
        if current is None or current.state not in PENDING:
            return
        current.apply(WRITE)
        if may_be_listed(verdict, self.ledger.history(), self.wanted):
            assert not self.needs_word, "a recalled picture is listed without a person's word"
            assert current.apply(List(self.now))
        else:
            self.decide(verdict, may_open=False)

    @rule(step=st.sampled_from((Remake(), WriteAgain(), Announce())))
    def folder_changes(self, step: Remake | WriteAgain | Announce) -> None:
        for row in self.ledger.rows:
            row.apply(step)

    @rule(confirmed=st.booleans())
    def files_go_and_readers_confirm(self, confirmed: bool) -> None:
        for row in self.ledger.rows:
            row.apply(RemoveFiles())
            row.confirmed |= confirmed and row.state is S.REMOVED
            row.apply(Close())

    @invariant()
    def nothing_is_out_without_a_persons_word(self) -> None:
        assert not (self.needs_word and self.ledger.current), self.ledger

    @invariant()
    def what_is_out_is_covered_as_staff_want(self) -> None:
        current = self.ledger.current
        assert current is None or current.appearance == self.wanted

    @invariant()
    def what_staff_refused_is_not_out(self) -> None:
        assert not (self.refused and self.ledger.current)


TestEveryOrderOfEvents = OnePicture.TestCase
TestEveryOrderOfEvents.settings = settings(max_examples=200, stateful_step_count=25, deadline=None)


def test_every_step_of_a_decision_is_among_the_histories() -> None:
    found = [
        next_step(verdict, history, WHOLE, may_open, NOW)
        for history in all_histories()
        for verdict in VERDICTS
        for may_open in (False, True)
    ]
    assert {type(step) for step in found} == {Open, Keep, ReExamine, Recall, Cancel}
    causes = {step.cause for step in found if isinstance(step, Recall)}
    assert {APPROVAL_WITHDRAWN, APPEARANCE_CHANGED, Reason.CONSENT_REFUSED.value} <= causes
