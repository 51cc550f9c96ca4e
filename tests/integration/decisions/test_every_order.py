"""The real ledger follows the rule book in every order of decisions, recalls, restores and crashes.

One picture in one channel goes through random orders of everything that can happen to it. The pure
ledger of ``tests.support.publication_states`` goes the same way. At each decision both must have
the same history, and after each event the same publications. After a crash they need not agree;
then every change of state must be one that the table allows.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from unittest.mock import patch

import pytest
from django.db import connection, transaction
from django.db.models import QuerySet
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from consent_gate.db.audit_chain import Entry
from consent_gate.db.evidence_json import from_json
from consent_gate.db.models import (
    AuditEntry,
    ChannelDecision,
    ConsentAnswer,
    Item,
    ItemState,
    Publication,
    StaffApproval,
)
from consent_gate.db.revocations import REVOKING_ACTIONS
from consent_gate.decisions import apply
from consent_gate.decisions.apply import redecide_pupils
from consent_gate.decisions.ledger import DecisionContext
from consent_gate.decisions.publications import appearance_of, history_of
from consent_gate.decisions.staff_input import load_staff_input
from consent_gate.home.home import Home
from consent_gate.model import Answer, Box, Examined, Reason, Tag, TagKind, Verdict
from consent_gate.operations.backup.restore_replay import replay_revocations
from consent_gate.publication import (
    APPEARANCE_CHANGED,
    BY_HAND,
    COUNT_BEFORE_RELEASE,
    IN_MANIFEST,
    OPEN,
    PENDING,
    TRANSITIONS,
    ChannelStatus,
    Close,
    History,
    Keep,
    List,
    PublicationState,
    ReExamine,
    Remake,
    RemoveFiles,
    Write,
    WrittenStep,
    may_be_listed,
    recall_or_cancel,
    remaining_steps,
    wanted_appearance,
)
from consent_gate.register.gallery_version import gallery_version
from consent_gate.register.repository import load_register
from consent_gate.review import service as review
from consent_gate.review.covering import undo_answers
from consent_gate.review.validation import CannotBeReleased, NotReviewable
from ingest.examinations import record_examination
from ingest.workers.examination import Examination
from publish.integrity.check import find_discrepancies, repair
from publish.recall import tickets
from publish.recall.by_hand import RecallSelection, recall_selection
from publish.recall.withdraw import remove_withdrawn
from publish.release import publish_pending
from publish.retention import retention_round
from tests.conftest import Clock
from tests.support.fake_renderer import (
    FakeRenderer,
    assert_folders_hold_just_the_manifest,
    make_photo,
    make_world_with_ann,
    published_files,
    read_manifest,
)
from tests.support.fault_injection import Killed, injected, kill_at
from tests.support.publication_states import WHOLE, ChannelLedger, PublicationRow
from tests.support.settings_override import with_settings

pytestmark = pytest.mark.sqlite_only  # a restore copies the database by SQLite's own backup

ANN, CHANNEL = "000001", "website"
LEFT_PART = Box(0, 0, 55, 120)
S = PublicationState
ENDED_BY_STAFF = {APPEARANCE_CHANGED, Reason.REFUSED_BY_STAFF.value}
KILLS = st.one_of(st.none(), st.none(), st.integers(1, 40))
"""Mostly no crash; else the step outside the process at which it happens."""


@dataclass
class Backup:
    """A copy of the database, and how long its audit trail was."""

    database: sqlite3.Connection
    sequence: int


def forget_approval(ledger: ChannelLedger) -> None:
    ledger.approval = None


def nothing(_: ChannelLedger) -> None:
    """What happens changes no publication unless a decision does."""


class EveryOrder(RuleBasedStateMachine):
    """One picture of Ann, and everything that can happen to it."""

    home: Home
    clock: Clock
    started: datetime

    @initialize()
    def a_picture_of_ann(self) -> None:
        self.clock.pass_minutes(round((self.started - self.clock()) / timedelta(minutes=1)))
        ConsentAnswer.objects.update(answer=Answer.GIVEN.value)
        self.item_id = make_photo(self.home, ANN).pk
        self.ledger = ChannelLedger([PublicationRow(WHOLE)], ChannelStatus.RELEASED)
        assert observed(self.ledger_of_the_home()) == observed(self.ledger)
        self.approvals: set[datetime] = set()
        self.stops: set[str] = set()
        self.approvals_at_stop: set[datetime] = set()
        self.backup: Backup | None = None
        self.deciding = self.approving = False
        self.unchecked = True
        """Whether a crash or a restore, also of the example before, may have left another file in
        the folder than is listed. The gate compares both at regular times; this machine does before
        it publishes."""

    def teardown(self) -> None:
        if hasattr(self, "item_id"):
            recall_selection(self.home, RecallSelection(items=[self.item_id]), "test")

    # --- what happens ---

    @rule(given=st.booleans(), kill=KILLS)
    def an_import_changes_the_consent(self, given: bool, kill: int | None) -> None:
        answer = Answer.GIVEN if given else Answer.REFUSED

        def change() -> None:
            with transaction.atomic():
                rows = ConsentAnswer.objects.filter(purpose=CHANNEL)
                rows.update(answer=answer.value)
                now = self.home.now()
                ctx = DecisionContext(self.home, load_register(now.date()), now)
                redecide_pupils(ctx, [ANN])

        self.event(change, kill)

    @rule(moved=st.booleans(), kill=KILLS)
    def the_picture_is_examined(self, moved: bool, kill: int | None) -> None:
        evidence = from_json(self.item.evidence)
        if not isinstance(evidence, Examined):
            return
        face = evidence.faces[0]
        if moved:
            face = replace(face, box=replace(face.box, x=61 - face.box.x))
        examination = Examination(replace(evidence, faces=(face,)), None, lines=())
        version = gallery_version(self.home)
        waits = self.item.state == ItemState.RECEIVED
        covered = {r.pk for r in self.rows().filter(state__in=OPEN) if appearance_of(r) != WHOLE}
        self.event(
            lambda: record_examination(self.home, self.item_id, examination, version),
            kill,
            forget_approval if moved and waits else nothing,
        )
        still_open = {row.pk for row in self.rows().filter(state__in=OPEN)}
        assert not covered or still_open <= covered, "another appearance took its place"

    @rule(kill=KILLS)
    def staff_approve(self, kill: int | None) -> None:
        self.approving = True
        self.event(lambda: review.release(self.by_staff(), [CHANNEL], "I know her"), kill)
        self.approving = False

    @rule(kill=KILLS)
    def staff_refuse(self, kill: int | None) -> None:
        self.event(lambda: review.refuse(self.by_staff(), [CHANNEL]), kill, forget_approval)

    @rule(kill=KILLS)
    def staff_take_their_answer_back(self, kill: int | None) -> None:
        self.event(lambda: undo_answers(self.by_staff(), [CHANNEL]), kill, forget_approval)

    @rule(kill=KILLS)
    def staff_describe(self, kill: int | None) -> None:
        """A round that may publish, and keeps the approvals."""
        self.event(lambda: review.describe(self.by_staff(), "Sports day", ""), kill)

    @rule(kept=st.sampled_from((None, LEFT_PART)), kill=KILLS)
    def staff_crop(self, kept: Box | None, kill: int | None) -> None:
        self.event(lambda: review.crop(self.by_staff(), kept), kill, forget_approval)

    @rule(cover=st.booleans(), kill=KILLS)
    def staff_cover(self, cover: bool, kill: int | None) -> None:
        def change() -> None:
            if cover:
                review.tag_face(self.by_staff(), 0, Tag(TagKind.BLURRED))
            else:
                review.untag_face(self.by_staff(), 0)

        self.event(change, kill, forget_approval)

    @rule(kill=KILLS)
    def recall_by_hand(self, kill: int | None) -> None:
        def recall(ledger: ChannelLedger) -> None:
            if ledger.current is not None:
                ledger.apply(recall_or_cancel(ledger.current.released, BY_HAND, self.home.now()))
                ledger.status = ChannelStatus.WITHDRAWN

        selection = RecallSelection(items=[self.item_id])
        self.event(lambda: recall_selection(self.home, selection, "office"), kill, recall)

    @rule(kill=KILLS)
    def pictures_are_published(self, kill: int | None) -> None:
        self.clock.pass_minutes(2)  # a release can no longer be undone
        if self.unchecked and kill is None:
            repair(self.home, find_discrepancies(self.home))
            self.resync()
            self.unchecked = False
        self.event(self.publish, kill)
        if kill is None:
            # One that is made again waits while it is held, also for a reason of new pictures.
            waiting = self.rows().filter(state=S.WRITTEN)
            assert_folders_hold_just_the_manifest(self.home, waiting)

    def publish(self) -> None:
        publish_pending(self.home, FakeRenderer())
        current, item = self.ledger.current, self.item
        if current is None or current.state not in PENDING:
            return
        current.apply(Write("", 0, 0, 0))
        staff, now = load_staff_input(item), self.home.now()
        ctx = DecisionContext(self.home, load_register(now.date()), now)
        verdict = apply.verdicts_of(ctx, item, staff)[CHANNEL]
        wanted = wanted_appearance(from_json(item.evidence), staff)
        placed = item.state == ItemState.DECIDED
        if placed and may_be_listed(verdict, self.ledger.history(), wanted):
            current.apply(List(now))

    @rule(kill=KILLS)
    def a_file_is_lost(self, kill: int | None) -> None:
        found = list(self.rows().filter(state__in=IN_MANIFEST))
        for row in found:
            (self.home.approved(CHANNEL) / row.file).unlink(missing_ok=True)

        def remake(ledger: ChannelLedger) -> None:
            if found and ledger.current is not None:
                ledger.current.apply(Remake())

        self.event(lambda: repair(self.home, find_discrepancies(self.home)), kill, remake)

    @rule(days=st.integers(-30, 30))
    def the_clock_is_set(self, days: int) -> None:
        self.clock.pass_days(days)

    @rule(kill=KILLS)
    def readers_confirm_and_a_year_passes(self, kill: int | None) -> None:
        passed: list[int] = []  # nothing, if the kill comes before the year

        def change() -> None:
            gone = list(self.rows().filter(state=S.REMOVED, confirmed_at=None))
            tickets.confirm(self.home, gone, tickets.STAFF, "office")
            passed.append(400)
            self.clock.pass_days(400)
            retention_round(self.home)

        def close(ledger: ChannelLedger) -> None:
            for row in ledger.rows:
                row.confirmed |= row.state is S.REMOVED
                row.apply(Close())

        self.event(change, kill, close)
        self.clock.pass_days(-sum(passed))

    @rule()
    def a_backup_is_made(self) -> None:
        copy = sqlite3.connect(":memory:", check_same_thread=False)
        connection.connection.backup(copy)
        self.backup = Backup(copy, AuditEntry.objects.count())

    @rule(back_to_work=st.booleans())
    def the_backup_is_restored(self, back_to_work: bool) -> None:
        if self.backup is None:
            return
        trail = AuditEntry.objects.filter(sequence__gt=self.backup.sequence)
        lost = [
            Entry(e.sequence, e.at, e.actor, e.action, e.subject, e.detail, e.mac)
            for e in trail.filter(action__in=REVOKING_ACTIONS).order_by("sequence")
            if e.subject == f"item:{self.item_id}"
        ]
        self.backup.database.backup(connection.connection)
        self.backup = None  # a second restore would need the list of both trails
        with transaction.atomic():
            replay_revocations(self.home, lost, "office")
        self.unchecked = True
        self.resync()
        if back_to_work:
            publish_pending(self.home, FakeRenderer())
            self.resync()

    # --- following the rule book ---

    @property
    def item(self) -> Item:
        return Item.objects.get(pk=self.item_id)

    def rows(self) -> QuerySet[Publication]:
        return Publication.objects.filter(item=self.item_id, channel=CHANNEL)

    def by_staff(self) -> review.ReviewAction:
        return review.at_current_revision(self.home, "j.shaw", self.item_id)

    def event(
        self,
        change: Callable[[], object],
        kill: int | None,
        expected: Callable[[ChannelLedger], None] = nothing,
    ) -> None:
        """Let something happen, to the end or until a crash, and compare what it left.

        ``expected`` changes the pure ledger as the event does before any decision.
        """
        before, states = self.ledger.copy(), self.states()
        expected(self.ledger)
        try:
            with self.following(), ExitStack() as stack:
                if kill is not None:
                    stack.enter_context(injected(kill_at(kill)))
                change()
                remove_withdrawn(self.home)
        except (CannotBeReleased, NotReviewable):
            self.ledger = before
            remove_withdrawn(self.home)  # a restore may have left files of before
        except Killed:
            self.unchecked = True
            remove_withdrawn(self.home)
            self.check_that_the_table_allows(states)
            self.resync()
        for row in self.ledger.rows:
            row.apply(RemoveFiles())
        if self.item.state == ItemState.ERASED:
            self.ledger.approval = None
        assert observed(self.ledger_of_the_home()) == observed(self.ledger)

    @contextmanager
    def following(self) -> Iterator[None]:
        """Compare the history at each decision, and take the steps of the decision too."""

        def read_history(item: Item, channel: str, *args: Any, **named: Any) -> History:
            self.deciding = (item.pk, channel) == (self.item_id, CHANNEL)
            return history_of(item, channel, *args, **named)

        def decide(
            verdict: Verdict, history: History, *rest: Any
        ) -> tuple[list[WrittenStep], Keep | ReExamine]:
            steps, end = remaining_steps(verdict, history, *rest)
            if self.deciding:
                self.follow(history, steps, end)
            return steps, end

        with (
            patch.object(apply, "history_of", read_history),
            patch.object(apply, "remaining_steps", decide),
        ):
            yield

    def follow(self, history: History, steps: list[WrittenStep], end: Keep | ReExamine) -> None:
        if self.approving and history.approval not in self.approvals:
            self.ledger.approval = history.approval
        mine = self.ledger.history(approval_withdrawn=history.approval_withdrawn)
        assert in_order(history) == in_order(mine)
        for step in steps:
            self.ledger.apply(step)
        self.ledger.status = end.status

    def states(self) -> dict[str, str]:
        return dict(self.rows().values_list("pk", "state"))

    def check_that_the_table_allows(self, before: dict[str, str]) -> None:
        """Each publication came from its state of before by steps of the table."""
        for key, state in self.states().items():
            start = before.get(key, "intended")  # a new one begins there
            reached = {S(start)}
            for _ in S:
                reached |= {t.after for t in TRANSITIONS if reached & set(t.before)}
            assert S(state) in reached, (start, state)

    def ledger_of_the_home(self) -> ChannelLedger:
        decision = ChannelDecision.objects.get(item=self.item_id, channel=CHANNEL)
        approval = StaffApproval.objects.filter(
            item=self.item_id, channel=CHANNEL, refused=False
        ).first()
        rows = [
            PublicationRow(
                appearance_of(row),
                S(row.state),
                row.released_at is not None or row.withdrawn_at is not None,
                row.cause,
                row.approval_at_recall,
                row.confirmed_at is not None,
            )
            for row in self.rows()
        ]
        standing = approval.created_at if approval else None
        return ChannelLedger(rows, ChannelStatus(decision.verdict), standing)

    def resync(self) -> None:
        self.ledger = self.ledger_of_the_home()

    # --- what must hold, whatever the rule book says ---

    @invariant()
    def nothing_that_came_back_is_out_without_a_later_word(self) -> None:
        if not hasattr(self, "item_id"):
            return
        stops = {
            row.pk
            for row in self.rows()
            if (row.withdrawn_at and row.cause not in ENDED_BY_STAFF)
            or row.cause in COUNT_BEFORE_RELEASE
        }
        if stops - self.stops:
            self.approvals_at_stop = set(self.approvals)
        self.stops |= stops
        standing = self.ledger_of_the_home().approval
        self.approvals |= {standing} if standing else set()
        if self.stops and standing in (None, *self.approvals_at_stop):
            assert not self.rows().filter(state__in=OPEN).exists()

    @invariant()
    def what_is_out_looks_as_staff_want(self) -> None:
        if not hasattr(self, "item_id"):
            return
        item = self.item
        wanted = wanted_appearance(from_json(item.evidence), load_staff_input(item))
        for row in self.rows().filter(state__in=OPEN):
            assert appearance_of(row) == wanted


def in_order(history: History) -> History:
    """The history with its recalls in an order that both ledgers share."""
    return replace(history, recalls=tuple(sorted(history.recalls, key=repr)))


def observed(ledger: ChannelLedger) -> tuple[object, ...]:
    """What of a ledger can be compared. A manifest may be written at any time."""
    rows = [replace(r, state=S.LIVE if r.state is S.LISTED else r.state) for r in ledger.rows]
    return sorted(map(repr, rows)), ledger.status, ledger.approval


def machine_of(home: Home, clock: Clock) -> type[EveryOrder]:
    """The machine, in a school with one channel."""
    channels = {CHANNEL: home.settings.channels[CHANNEL]}
    make_world_with_ann(home)

    class OfThisHome(EveryOrder):
        pass

    OfThisHome.home, OfThisHome.clock = with_settings(home, channels=channels), clock
    OfThisHome.started = clock()
    return OfThisHome


def run(home: Home, clock: Clock, examples: int, steps: int) -> None:
    """Try so many orders of so many events."""
    run_state_machine_as_test(
        machine_of(home, clock),
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            phases=[Phase.generate, Phase.shrink],
        ),
    )


def test_an_approval_of_before_a_recall_publishes_nothing_again(home: Home, clock: Clock) -> None:
    """An order that random ones seldom have: only a round that may publish can go wrong here."""
    machine = machine_of(home, clock)()
    machine.a_picture_of_ann()
    machine.staff_approve(kill=None)
    machine.pictures_are_published(kill=None)
    for given in (False, True):
        machine.an_import_changes_the_consent(given=given, kill=None)
        machine.nothing_that_came_back_is_out_without_a_later_word()
    machine.staff_describe(kill=None)
    machine.nothing_that_came_back_is_out_without_a_later_word()
    machine.staff_approve(kill=None)
    assert machine.ledger.current is not None


@pytest.mark.parametrize("kill", [1, 5, 12])
def test_a_crash_of_the_folder_check_loses_no_picture(home: Home, clock: Clock, kill: int) -> None:
    """An order that random ones once had: the file is lost, and the check of the folder crashes."""
    machine = machine_of(home, clock)()
    machine.a_picture_of_ann()
    machine.pictures_are_published(kill=None)
    machine.a_file_is_lost(kill=kill)
    machine.pictures_are_published(kill=None)
    machine.pictures_are_published(kill=None)


@pytest.mark.parametrize("days", [-18, 130])
def test_a_lost_picture_waits_while_the_consent_list_has_no_good_date(
    home: Home, clock: Clock, days: int
) -> None:
    """An order that random ones once had. The picture returns by itself when the clock is right."""
    machine = machine_of(home, clock)()
    machine.a_picture_of_ann()
    machine.pictures_are_published(kill=None)
    machine.a_file_is_lost(kill=None)
    machine.the_clock_is_set(days=days)
    machine.pictures_are_published(kill=None)
    assert machine.rows().get().state == S.WRITTEN
    assert read_manifest(home, CHANNEL)["items"] == []
    machine.the_clock_is_set(days=-days)
    machine.pictures_are_published(kill=None)
    assert machine.rows().get().state == S.LIVE


def test_a_lost_picture_that_waits_does_not_return_after_a_withdrawal(
    home: Home, clock: Clock
) -> None:
    machine = machine_of(home, clock)()
    machine.a_picture_of_ann()
    machine.pictures_are_published(kill=None)
    machine.a_file_is_lost(kill=None)
    machine.the_clock_is_set(days=-18)
    machine.pictures_are_published(kill=None)
    machine.an_import_changes_the_consent(given=False, kill=None)
    assert published_files(home, CHANNEL) == {}
    machine.an_import_changes_the_consent(given=True, kill=None)
    machine.the_clock_is_set(days=18)
    machine.pictures_are_published(kill=None)
    assert machine.rows().get().state == S.REMOVED
    assert published_files(home, CHANNEL) == {}


def test_a_restore_lists_no_picture_of_before_a_crop(home: Home, clock: Clock) -> None:
    """The whole picture of the backup waits for a person. The cropped file leaves the folder."""
    machine = machine_of(home, clock)()
    machine.a_picture_of_ann()
    machine.pictures_are_published(kill=None)
    machine.a_backup_is_made()
    machine.staff_crop(kept=LEFT_PART, kill=None)
    machine.pictures_are_published(kill=None)
    machine.the_backup_is_restored(back_to_work=True)
    machine.pictures_are_published(kill=None)
    assert not machine.rows().filter(state__in=OPEN).exists()


def test_a_restore_repeats_two_recalls(home: Home, clock: Clock) -> None:
    """An order that random ones once had: the second recall has no row in the backup."""
    machine = machine_of(home, clock)()
    machine.a_picture_of_ann()
    machine.a_backup_is_made()
    for _ in range(2):
        machine.recall_by_hand(kill=None)
        machine.staff_approve(kill=None)
    machine.recall_by_hand(kill=None)
    machine.the_backup_is_restored(back_to_work=False)
    machine.nothing_that_came_back_is_out_without_a_later_word()
    machine.staff_approve(kill=None)
    assert machine.ledger.current is not None


def test_a_refusal_after_a_restore_changes_nothing(home: Home, clock: Clock) -> None:
    """An order that random ones once had: the restore repeats the refusal."""
    machine = machine_of(home, clock)()
    machine.a_picture_of_ann()
    machine.a_backup_is_made()
    machine.staff_refuse(kill=None)
    machine.readers_confirm_and_a_year_passes(kill=None)
    machine.the_backup_is_restored(back_to_work=False)
    machine.staff_refuse(kill=None)
    assert not machine.rows().filter(state__in=OPEN).exists()


def test_the_ledger_follows_the_rule_book_in_every_order(home: Home, clock: Clock) -> None:
    run(home, clock, examples=12, steps=20)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_the_ledger_follows_the_rule_book_in_many_more_orders(home: Home, clock: Clock) -> None:
    run(home, clock, examples=150, steps=30)
