"""Publications without a database: the rule book alone, for tests of every order of events."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import product

from consent_gate.model import Box, Hold, Reason, Release, Verdict
from consent_gate.publication import (
    APPEARANCE_CHANGED,
    BY_HAND,
    IN_MANIFEST,
    OPEN,
    RECALLED_BEFORE,
    Appearance,
    Cancel,
    ChannelStatus,
    History,
    Open,
    OpenPublication,
    PastRecall,
    PublicationState,
    Recall,
    Transition,
    WrittenStep,
    transitions_of,
)

NOW = datetime(2026, 11, 29, 9, 30, tzinfo=UTC)
FIRST, SECOND = NOW.replace(hour=7), NOW.replace(hour=8)
"""Times of two approvals."""

WHOLE = Appearance()
COVERED = Appearance((Box(30, 20, 24, 30),))
CROPPED = Appearance(crop=Box(0, 0, 55, 120))

RELEASE = Release(basis=())
HELD = Hold((Reason.UNKNOWN_FACE,))
HOLDS_NEW = Hold((Reason.REGISTER_STALE,))
NO_CONSENT = Hold((Reason.REGISTER_STALE, Reason.CONSENT_REFUSED))
REFUSED = Hold((Reason.REFUSED_BY_STAFF, Reason.CONSENT_REFUSED))
VERDICTS: tuple[Verdict, ...] = (RELEASE, HELD, HOLDS_NEW, NO_CONSENT, REFUSED)

RECALLS = (
    PastRecall(Reason.CONSENT_REFUSED.value, was_out=True),
    PastRecall(Reason.CONSENT_REFUSED.value, was_out=True, approval=FIRST),
    PastRecall(Reason.CONSENT_REFUSED.value, was_out=False, approval=FIRST),
    PastRecall(Reason.REFUSED_BY_STAFF.value, was_out=True),
    PastRecall(APPEARANCE_CHANGED, was_out=True, approval=FIRST),
    PastRecall(BY_HAND, was_out=False),
    PastRecall(RECALLED_BEFORE, was_out=True),
)


def all_histories() -> Iterator[History]:
    """Every history that a rule can tell from another, with at most one recall."""
    open_ones = [OpenPublication(*c) for c in product((WHOLE, COVERED, CROPPED), (False, True))]
    for status, current, recall, approval, withdrawn in product(
        (None, *ChannelStatus),
        (None, *open_ones),
        (None, *RECALLS),
        (None, FIRST, SECOND),
        (False, True),
    ):
        yield History(status, current, (recall,) if recall else (), approval, withdrawn)


@dataclass
class PublicationRow:
    """One publication, as the ledger holds it."""

    appearance: Appearance
    state: PublicationState = PublicationState.INTENDED
    released: bool = False
    """Whether it has been in the folder."""
    cause: str = ""
    approval_at_recall: datetime | None = None
    confirmed: bool = False

    def possible(self, step: WrittenStep) -> Transition | None:
        """The transition that the step makes here; None if it changes nothing."""
        out = self.released or self.state in IN_MANIFEST
        for row in transitions_of(step):
            fits = self.state in row.before and row.was_out in (None, out)
            if fits and (self.confirmed or not row.confirmed):
                return row
        return None

    def apply(self, step: WrittenStep, approval: datetime | None = None) -> bool:
        """Change the state. ``approval`` stands now. False if the step changes nothing."""
        transition = self.possible(step)
        if transition is None:
            return False
        self.state = transition.after
        self.released |= self.state in IN_MANIFEST
        if isinstance(step, Recall | Cancel):
            self.cause, self.approval_at_recall = step.cause, approval
        return True


@dataclass
class ChannelLedger:
    """One picture in one channel: its publications, and what staff and the gate said last."""

    rows: list[PublicationRow] = field(default_factory=list)
    status: ChannelStatus | None = None
    approval: datetime | None = None

    @property
    def current(self) -> PublicationRow | None:
        """The publication that is out or on its way out."""
        found = [row for row in self.rows if row.state in OPEN]
        assert len(found) < 2, "two publications of one picture are open"
        return found[0] if found else None

    def history(self, *, approval_withdrawn: bool = False) -> History:
        """The history that ``next_step`` sees."""
        current = self.current
        return History(
            self.status,
            OpenPublication(current.appearance, current.released) if current else None,
            tuple(
                PastRecall(
                    row.cause,
                    row.released and row.state is not PublicationState.CANCELLED,
                    row.approval_at_recall,
                )
                for row in self.rows
                if row.state not in OPEN
            ),
            self.approval,
            approval_withdrawn,
        )

    def apply(self, step: WrittenStep) -> None:
        """Write one step of a decision."""
        if isinstance(step, Open):
            assert self.current is None, "a second publication would be opened"
            self.rows.append(PublicationRow(step.appearance))
        elif self.current is not None:
            assert self.current.apply(step, self.approval), (self.current, step)

    def copy(self) -> ChannelLedger:
        """A copy that does not change with this one."""
        return replace(self, rows=[replace(row) for row in self.rows])
