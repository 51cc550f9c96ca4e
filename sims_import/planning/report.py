"""Builds the report of an import that ``import-sims --json`` prints (docs/contracts.md)."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sims_import.mapping.questions import Question
from sims_import.planning.import_blocks import GatedPlan
from sims_import.planning.preview import UsePreview
from sims_import.reconcile import Change, ChangeKind, Plan

_LEFT_OUT = frozenset({ChangeKind.ADDED, ChangeKind.LEFT})
_LOST = frozenset(
    {ChangeKind.WITHDRAWN, ChangeKind.EXPIRED, ChangeKind.OBJECTED, ChangeKind.MARKED}
)


class Status(StrEnum):
    """How an import ended."""

    APPLIED = "applied"
    DRY_RUN = "dry_run"
    BLOCKED = "blocked"


@dataclass(frozen=True)
class Outcome:
    """Parts of the report that are not in the plan. Photos are reported separately."""

    dry_run: bool = False
    recalled: int = 0
    """Published pictures that this import withdrew."""
    questions: tuple[Question, ...] = ()
    preview: tuple[UsePreview, ...] = ()


def report(
    plan: Plan,
    done: GatedPlan,
    outcome: Outcome,
) -> dict[str, Any]:
    """Build the report before any photo is enrolled.

    Lists hold admission numbers, in the export's order. ``added``, ``changed``, ``withdrawn`` and
    ``leavers`` cover the changes that are applied now, or would be. ``waiting`` has the same lists
    for the changes that wait for a person. A pupil who loses a consent is in ``withdrawn`` and in
    ``changed``. ``waiting``, ``suspended``, ``questions`` and ``preview`` (``UsePreview.as_dict``
    of each use) are additions to the contract.
    """
    status = Status.BLOCKED if done.standing else Status.APPLIED
    return {
        "status": str(Status.DRY_RUN if outcome.dry_run else status),
        "blocked": [{"code": b.code, "message": b.message} for b in done.standing],
        **summary(done.apply_now),
        "unchanged": list(plan.unchanged),
        "enrolled": [],
        "not_enrolled": [],
        "warnings": [problem.as_dict() for problem in plan.roster.warnings],
        "errors": [problem.as_dict() for problem in plan.roster.errors],
        "recalled": outcome.recalled,
        "waiting": summary(done.deferred_changes),
        "suspended": sorted(done.suspended),
        "questions": [
            {
                "code": question.code,
                "message": question.text,
                "samples": list(question.samples),
                "options": list(question.options),
            }
            for question in outcome.questions
        ],
        "preview": [use.as_dict() for use in outcome.preview],
    }


def summary(changes: Collection[Change]) -> dict[str, list[str]]:
    """Admission numbers of new, changed and leaving pupils and of those who lose a consent."""
    added = _pupils(c for c in changes if c.kind is ChangeKind.ADDED)
    new = set(added)
    return {
        "added": added,
        "changed": _pupils(c for c in changes if c.kind not in _LEFT_OUT and c.pupil not in new),
        "withdrawn": _pupils(c for c in changes if c.kind in _LOST and c.pupil not in new),
        "leavers": _pupils(c for c in changes if c.kind is ChangeKind.LEFT),
    }


def _pupils(changes: Iterable[Change]) -> list[str]:
    return list(dict.fromkeys(change.pupil for change in changes))
