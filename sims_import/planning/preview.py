"""Counts the answers for each use in an export and on the register. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from consent_gate.model import BIOMETRIC, Answer, Consent
from consent_gate.register.snapshot import RegisterPupil, RegisterSnapshot
from sims_import.reconcile import ImportRules, Plan
from sims_import.roster.records import PupilRecord

EXAMPLES = 3
"""Pupils named for each kind of answer."""
KIND_TITLES = {
    "yes": "yes",
    "no": "no",
    "no_answer": "no answer",
    "not_understood": "not understood",
}
"""Kinds of answer, and what staff read for each."""
KINDS = tuple(KIND_TITLES)
_KIND_OF = {Answer.GIVEN: "yes", Answer.REFUSED: "no", Answer.NOT_STATED: "no_answer"}


@dataclass(frozen=True)
class UsePreview:
    """The answers for one use, in the export and on the register."""

    use: str
    """The purpose, for example ``website``."""
    title: str
    """What staff call it."""
    counts: dict[str, int]
    """Pupils by kind of answer (``KINDS``)."""
    last: dict[str, int]
    """Pupils on the register now by kind of answer; ``not_understood`` is always 0."""
    pupils: dict[str, tuple[str, ...]]
    """Up to ``EXAMPLES`` admission numbers of each kind, in the export's order."""

    def as_dict(self) -> dict[str, Any]:
        """As ``import-sims --json`` prints it."""
        return {
            "use": self.use,
            "title": self.title,
            **self.counts,
            "last": self.last,
            "pupils": {kind: list(numbers) for kind, numbers in self.pupils.items()},
        }


def preview_uses(
    plan: Plan, register: RegisterSnapshot, rules: ImportRules
) -> tuple[UsePreview, ...]:
    """One preview for each use in the settings and one for face matching."""
    return tuple(_preview(name, plan, register, rules) for name in (*rules.channels, BIOMETRIC))


def _preview(use: str, plan: Plan, register: RegisterSnapshot, rules: ImportRules) -> UsePreview:
    kinds: dict[str, list[str]] = {kind: [] for kind in KINDS}
    for number, record in plan.records.items():
        kinds[_kind(record, use)].append(number)
    return UsePreview(
        use=use,
        title=rules.title_of(use),
        counts={kind: len(numbers) for kind, numbers in kinds.items()},
        last=_counts(_last_kinds(register.on_roll.values(), use)),
        pupils={kind: tuple(numbers[:EXAMPLES]) for kind, numbers in kinds.items()},
    )


def _kind(record: PupilRecord, use: str) -> str:
    answer = record.consents.get(use, Consent(Answer.NOT_STATED)).answer
    if answer is not Answer.REFUSED and use in record.not_understood:
        return "not_understood"
    if use == BIOMETRIC and record.biometric_objection:
        return "no"
    return _KIND_OF[answer]


def _last_kinds(pupils: Iterable[RegisterPupil], use: str) -> Iterator[str]:
    for pupil in pupils:
        if use == BIOMETRIC and pupil.biometric_objection:
            yield "no"
        else:
            yield _KIND_OF[pupil.consents.get(use, Consent(Answer.NOT_STATED)).answer]


def _counts(kinds: Iterable[str]) -> dict[str, int]:
    found = dict.fromkeys(KINDS, 0)
    for kind in kinds:
        found[kind] += 1
    return found


@dataclass(frozen=True)
class AnswerLine:
    """One kind of answer for one use, as staff read it."""

    title: str
    """What staff call the use."""
    answer: str
    count: int
    """Pupils in the export."""
    last: int
    """Pupils on the register now."""
    pupils: tuple[str, ...]
    """Some admission numbers."""


def answer_lines(uses: Iterable[dict[str, Any]]) -> list[AnswerLine]:
    """The previews (``UsePreview.as_dict``) as lines, without kinds of answer that no pupil has."""
    return [
        AnswerLine(use["title"], title, use[kind], use["last"][kind], tuple(use["pupils"][kind]))
        for use in uses
        for kind, title in KIND_TITLES.items()
        if use[kind] or use["last"][kind]
    ]
