"""Decides which changes of an import apply now, which wait for a person, and why.

Each block has a stable code that a person accepts. While a block stands:

- nothing that could release a picture is applied: grants, new pupils, new numbers;
- single withdrawals, refusals, objections, never-publish marks and leavers are applied at once;
- changes to a whole consent type or to a tenth of the school look like an accident: those
  withdrawals wait too, and the purposes are *suspended*: nothing new is published for them, and
  nothing published is recalled for them (docs/adr/0005-import.md).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from datetime import date

from consent_gate.model import BIOMETRIC, is_live
from consent_gate.register.snapshot import RegisterSnapshot
from sims_import.mapping.understand import ColumnMapping
from sims_import.planning.blocks import (
    HOLDS_LEAVERS,
    BlockEffect,
    ImportBlock,
    day_text,
    given_purposes,
    has_answers,
    numbers_text,
)
from sims_import.planning.reading_blocks import reading_blocks
from sims_import.reconcile import TIGHTENING, Change, ChangeKind, ImportRules, Plan

_OF_PURPOSE = frozenset({ChangeKind.WITHDRAWN, ChangeKind.EXPIRED})
MIN_SUSPICIOUS_WITHDRAWALS = 10
"""So many withdrawals of one purpose never look like an accident, even in a small school."""
MIN_SUSPICIOUS_RETURNS = 2
"""So many leavers in one export look like an old file."""
MIN_SUSPICIOUS_GRANTS = 5
"""So many grants of one purpose never look like a shifted column, even in a small school."""


@dataclass(frozen=True)
class GatedPlan:
    """What an import does now and what waits for a person."""

    apply_now: tuple[Change, ...]
    deferred_changes: tuple[Change, ...]
    suspended: frozenset[str]
    """Every purpose suspended after this import, instead of those before. An earlier suspension
    stays while any block stands."""
    standing: tuple[ImportBlock, ...]
    """Blocks that nobody has accepted."""


def find_blocks(  # noqa: PLR0913  each is an input of the decision
    plan: Plan,
    register: RegisterSnapshot,
    understanding: ColumnMapping,
    rules: ImportRules,
    today: date,
    *,
    superseded: bool = False,
) -> list[ImportBlock]:
    """Every reason to stop before ``plan`` is applied as a whole.

    Leaves out blocks that would defer nothing, so importing the same file again is never blocked.
    ``superseded`` means that this file, or one with the same answers, was imported before, and
    another one since.
    """
    nothing = list(_nothing_recognised(plan, register))
    if not plan.roster.records:
        return nothing
    reading = list(reading_blocks(plan, register, understanding, rules, today))
    found = [
        *nothing,
        *_older(plan, register, superseded=superseded),
        *_header_changed(understanding),
        *reading,
        # A reading block that holds leavers already says why pupils are missing.
        *(_leavers(plan, register, rules) if not _explains_leavers(reading) else ()),
        *_vanished(plan, register, rules, today),
        *_withdrawals(plan, register, rules),
        *_marks(plan, register, rules),
        *_grants(plan, register, rules),
        *_returning(plan),
        *_strangers(plan),
        *_shared_upns(plan),
        *_marks_gone(plan),
    ]
    loosens = any(change.kind not in TIGHTENING for change in plan.changes)
    return [
        block
        for block in found
        if loosens or block.effect.suspends or plan.of_kind(*block.effect.holds)
    ]


def gate_plan(plan: Plan, found: Collection[ImportBlock], accepted: Collection[str]) -> GatedPlan:
    """Split a plan into what applies now and what waits, and find the suspended purposes."""
    standing = tuple(block for block in found if block.code not in accepted)
    suspended = frozenset(name for block in standing for name in block.effect.suspends)
    if standing or not plan.is_authoritative:
        suspended |= plan.suspended_before
    if not standing:
        return GatedPlan(plan.changes, (), suspended, ())
    absent = set(plan.pupils(ChangeKind.ADDED))
    renumbered = {c.pupil: str(c.before) for c in plan.of_kind(ChangeKind.RENUMBERED)}
    now, waiting = [], []
    for change in plan.changes:
        if change.pupil in absent or _must_wait(change, standing):
            waiting.append(change)
        else:
            # A new number waits, so changes that apply now use the old number.
            now.append(replace(change, pupil=renumbered.get(change.pupil, change.pupil)))
    return GatedPlan(tuple(now), tuple(waiting), suspended, standing)


def _must_wait(change: Change, standing: Collection[ImportBlock]) -> bool:
    if change.kind not in TIGHTENING:
        return True
    return any(
        change.kind in block.effect.holds
        and (change.kind not in _OF_PURPOSE or change.subject in block.effect.suspends)
        for block in standing
    )


# --- each block ----------------------------------------------------------------------------


def _nothing_recognised(plan: Plan, register: RegisterSnapshot) -> Iterator[ImportBlock]:
    if not plan.roster.records:
        text = "No pupil was recognised in this file, so nothing was changed. "
        yield ImportBlock("nothing-recognised", text + "Check that it is the right report.")
    elif plan.roster.complete and not plan.roster.purposes and not has_answers(register):
        text = "Pupils were recognised in this file but no consent. Accept to add them without any."
        yield ImportBlock("nothing-recognised", text)


def _explains_leavers(blocks: Collection[ImportBlock]) -> bool:
    return any(ChangeKind.LEFT in block.effect.holds for block in blocks)


def _older(plan: Plan, register: RegisterSnapshot, *, superseded: bool) -> Iterator[ImportBlock]:
    new, last = plan.exported_on, register.exported_on
    if superseded:
        yield ImportBlock(
            "export-older",
            "This file, or one with the same answers, was imported before, and a newer one since. "
            "Accept only if the older one is right.",
            HOLDS_LEAVERS,
        )
    elif new is not None and last is not None and new < last:
        text = (
            f"This export was run on {day_text(new)}, before the last one imported "
            f"({day_text(last)}). Accept only if the older one is right."
        )
        yield ImportBlock("export-older", text, HOLDS_LEAVERS)


def _header_changed(understanding: ColumnMapping) -> Iterator[ImportBlock]:
    names = understanding.changed_captions
    if names:
        listed = ", ".join(f"'{name}'" for name in names)
        text = f"The export's headings have changed since last term: {listed}. Check how they are "
        yield ImportBlock("header-changed", text + "read before accepting.")


def _leavers(plan: Plan, register: RegisterSnapshot, rules: ImportRules) -> Iterator[ImportBlock]:
    gone, total = len(plan.of_kind(ChangeKind.LEFT)), len(register.on_roll)
    if gone >= 2 and gone > total * rules.share:
        text = (
            f"{gone} of {total} pupils are no longer in the export. A report run with too few "
            "permissions looks like this. Accept if they have all left."
        )
        yield ImportBlock(
            "many-leavers",
            text,
            BlockEffect(frozenset(rules.purposes), frozenset({ChangeKind.LEFT})),
        )


def _vanished(
    plan: Plan, register: RegisterSnapshot, rules: ImportRules, today: date
) -> Iterator[ImportBlock]:
    """Purposes without any yes in the export, although the register has some."""
    if not plan.roster.complete:
        return
    for purpose in sorted(set(rules.purposes) - given_purposes(plan), key=rules.purposes.index):
        live = sum(is_live(p.consents.get(purpose), today) for p in register.on_roll.values())
        listed = purpose in plan.roster.purposes
        # If only one pupil had consent, its loss is a single withdrawal, not a lost column.
        if live >= (2 if listed else 1):
            what = "has no yes for anybody" if listed else "is not in this export at all"
            text = (
                f"Consent for {rules.title_of(purpose)} {what}, but {live} pupils have it on the "
                "register. Until somebody says which it was, nothing new goes out on it and "
                "nothing is recalled. Accept to withdraw it for all of them."
            )
            yield ImportBlock(
                f"consent-vanished:{purpose}",
                text,
                BlockEffect(frozenset({purpose}), _OF_PURPOSE),
            )


def _withdrawals(
    plan: Plan, register: RegisterSnapshot, rules: ImportRules
) -> Iterator[ImportBlock]:
    """So many withdrawals of one purpose that a part of its column may be missing."""
    total, given = len(register.on_roll), given_purposes(plan)
    added = set(plan.pupils(ChangeKind.ADDED))
    for purpose in rules.purposes:
        lost = [
            c for c in plan.of_kind(*_OF_PURPOSE) if c.subject == purpose and c.pupil not in added
        ]
        limit = max(MIN_SUSPICIOUS_WITHDRAWALS, total * rules.share)
        if purpose in given and len(lost) > limit:
            text = (
                f"{len(lost)} of {total} pupils would lose consent for {rules.title_of(purpose)} "
                "at once. Until somebody says whether that is right, nothing new goes out on it "
                "and nothing is recalled. Accept to withdraw them all."
            )
            yield ImportBlock(
                f"many-withdrawals:{purpose}",
                text,
                BlockEffect(frozenset({purpose}), _OF_PURPOSE),
            )


def _marks(plan: Plan, register: RegisterSnapshot, rules: ImportRules) -> Iterator[ImportBlock]:
    """So many new marks that a column may have shifted. Objections would destroy templates."""
    added, total = set(plan.pupils(ChangeKind.ADDED)), len(register.on_roll)
    marks = (
        (ChangeKind.OBJECTED, "many-objections", "an objection to face matching", {BIOMETRIC}),
        (ChangeKind.MARKED, "many-never-publish", "a never-publish mark", set(rules.channels)),
    )
    for kind, code, what, purposes in marks:
        new = set(plan.pupils(kind)) - added
        if len(new) > max(MIN_SUSPICIOUS_WITHDRAWALS, total * rules.share):
            text = (
                f"{len(new)} of {total} pupils would get {what} at once. Columns that have shifted "
                "look like this. Until somebody says, nothing new goes out and nothing is recalled."
            )
            yield ImportBlock(code, text, BlockEffect(frozenset(purposes), frozenset({kind})))


def _grants(plan: Plan, register: RegisterSnapshot, rules: ImportRules) -> Iterator[ImportBlock]:
    """So many new grants for known pupils that a column may have shifted."""
    if not has_answers(register):
        return
    added, total = set(plan.pupils(ChangeKind.ADDED)), len(register.on_roll)
    for purpose in rules.purposes:
        new = {c.pupil for c in plan.of_kind(ChangeKind.GRANTED) if c.subject == purpose} - added
        if len(new) > max(MIN_SUSPICIOUS_GRANTS, total * rules.share):
            text = (
                f"{len(new)} of {total} pupils would gain consent for {rules.title_of(purpose)} "
                "at once. Columns that have shifted look like this. Accept if the forms say so."
            )
            yield ImportBlock(f"many-grants:{purpose}", text)


def _returning(plan: Plan) -> Iterator[ImportBlock]:
    """Several pupils who had left are in the export again, as in an old file."""
    back = plan.pupils(ChangeKind.READMITTED)
    if len(back) >= MIN_SUSPICIOUS_RETURNS:
        text = (
            f"{len(back)} pupils who had left are in this file again: {numbers_text(back)}. An old "
            "file looks like this. Accept if they have come back."
        )
        yield ImportBlock("leavers-return", text)


def _strangers(plan: Plan) -> Iterator[ImportBlock]:
    if plan.strangers:
        text = (
            f"Under {numbers_text(plan.strangers)} the export now has a child with another name "
            "and nothing else in common. Accept if the number really was given to somebody else."
        )
        yield ImportBlock("name-changed", text)


def _shared_upns(plan: Plan) -> Iterator[ImportBlock]:
    if plan.shared_upns:
        pupils = sorted({number for numbers in plan.shared_upns.values() for number in numbers})
        text = f"{numbers_text(pupils)} would share a UPN. Put it right in the record system, or "
        yield ImportBlock("shared-upn", text + "accept to import them all the same.")


def _marks_gone(plan: Plan) -> Iterator[ImportBlock]:
    pupils = plan.pupils(ChangeKind.LIFT_ASKED)
    if pupils:
        text = (
            f"The export no longer says never to publish {numbers_text(pupils)}. The mark stays. "
            "Accept to ask for it to be lifted: another person then has to confirm that."
        )
        yield ImportBlock("never-publish-lifted", text)
