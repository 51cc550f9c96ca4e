"""The next step of a channel never publishes what must not be published, whatever the facts."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

from consent_gate.db.models import ChannelStatus
from consent_gate.decisions.ledger import APPEARANCE_CHANGED, APPROVAL_WITHDRAWN
from consent_gate.decisions.publication_step import (
    ChannelFacts,
    PublicationStep,
    needs_reexamination,
    next_publication_step,
)
from consent_gate.model import Hold, Reason, Release

RELEASE = Release(basis=())
MUST_RECALL = Hold((Reason.REGISTER_STALE, Reason.CONSENT_REFUSED))
HOLDS_NEW = Hold((Reason.REGISTER_STALE,))
REFUSED = Hold((Reason.REFUSED_BY_STAFF,))

NEW = ChannelFacts(
    last_status=None,
    is_open=False,
    is_out=False,
    same_appearance=False,
    was_recalled=False,
    approved_since_recall=False,
    approval_withdrawn=False,
    may_open=True,
)


def all_facts() -> Iterator[ChannelFacts]:
    for last, *flags in product((None, *ChannelStatus), *[(False, True)] * 7):
        facts = ChannelFacts(last, *flags)
        if (facts.is_open or not (facts.is_out or facts.same_appearance)) and (
            facts.was_recalled or not facts.approved_since_recall
        ):
            yield facts


def test_a_hold_that_must_recall_leaves_nothing_out() -> None:
    for facts in all_facts():
        for verdict in (MUST_RECALL, REFUSED):
            step = next_publication_step(verdict, facts)
            assert not step.opens
            assert step.status is not ChannelStatus.RELEASED
            assert (step.recall_cause == verdict.reasons[-1].value) == facts.is_open


def test_no_hold_ever_publishes() -> None:
    for facts in all_facts():
        step = next_publication_step(HOLDS_NEW, facts)
        assert not step.opens
        if step.status is ChannelStatus.RELEASED:
            assert facts.is_out
            assert facts.same_appearance
            assert not facts.approval_withdrawn


def test_a_recalled_picture_waits_for_a_persons_approval() -> None:
    for facts in all_facts():
        if facts.was_recalled and not facts.approved_since_recall:
            step = next_publication_step(RELEASE, facts)
            cause = APPROVAL_WITHDRAWN if facts.is_open else None
            assert step == PublicationStep(ChannelStatus.WITHDRAWN, cause)


def test_a_round_that_may_open_nothing_opens_nothing() -> None:
    for facts in all_facts():
        if not facts.may_open:
            assert not next_publication_step(RELEASE, facts).opens


def test_a_released_picture_shows_what_staff_want_or_is_published_again() -> None:
    for facts in all_facts():
        step = next_publication_step(RELEASE, facts)
        if step.status is ChannelStatus.RELEASED:
            assert step.opens != (facts.is_open and facts.same_appearance)
            replaced = step.opens and facts.is_open
            assert step.recall_cause == (APPEARANCE_CHANGED if replaced else None)


def test_only_a_new_release_without_permission_to_open_is_examined_again() -> None:
    for facts in all_facts():
        expected = (
            not facts.may_open
            and not facts.was_recalled
            and not (facts.is_open and facts.same_appearance)
        )
        assert needs_reexamination(RELEASE, facts) is expected
        assert not needs_reexamination(HOLDS_NEW, facts)


def test_a_cleared_picture_that_is_new_is_published() -> None:
    assert next_publication_step(RELEASE, NEW) == PublicationStep(
        ChannelStatus.RELEASED, opens=True
    )
