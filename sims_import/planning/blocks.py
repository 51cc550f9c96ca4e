"""Defines a reason to stop an import, and the changes that it defers."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

from consent_gate.model import Answer
from consent_gate.register.snapshot import RegisterSnapshot
from sims_import.reconcile import ChangeKind, Plan


@dataclass(frozen=True)
class BlockEffect:
    """What a block defers in addition to everything that could release a picture."""

    suspends: frozenset[str] = frozenset()
    """Purposes for which nothing new is published and nothing published is recalled."""
    holds: frozenset[ChangeKind] = frozenset()
    """Tightening changes that wait too; of withdrawals only those of a suspended purpose."""


@dataclass(frozen=True)
class ImportBlock:
    """A reason to stop an import and ask a person."""

    code: str
    """Stable identifier for ``--accept``, for example ``consent-vanished:website``."""
    message: str
    """What was seen and what accepting it means, for school staff."""
    effect: BlockEffect = BlockEffect()


HOLDS_LEAVERS = BlockEffect(holds=frozenset({ChangeKind.LEFT}))


def given_purposes(plan: Plan) -> set[str]:
    """Purposes to which at least one pupil in the export says yes."""
    return {
        name
        for record in plan.records.values()
        for name, consent in record.consents.items()
        if consent.answer is Answer.GIVEN
    }


def has_answers(register: RegisterSnapshot) -> bool:
    """Whether the register has any answer; a register made from a roster has none."""
    return any(
        consent.answer is not Answer.NOT_STATED
        for pupil in register.pupils.values()
        for consent in pupil.consents.values()
    )


def day_text(day: date) -> str:
    """``4 September 2026``."""
    return f"{day:%-d %B %Y}"


def numbers_text(numbers: Collection[str]) -> str:
    """Some admission numbers, and how many more there are."""
    shown = ", ".join(list(numbers)[:5])
    return shown if len(numbers) <= 5 else f"{shown} and {len(numbers) - 5} more"
