"""Measures how imports handle consent exports as schools and other systems write them.

    python -m benchmarks.sims_exports [--folder DIR] [--only TEXT] [--verbose]

DIR holds exports and ``truth.json`` (tests/README.md says where it lies): a list of ``{id, file,
family, mode, expect, truth, answers, accept}``. Each file is read, understood, planned and gated as
``import-sims`` does it without a terminal, against the register that its ``mode`` names. One word
is printed for each:

- ``right``: applied, every consent as the truth has it;
- ``asked``: stopped for a person, and nothing wrong given, before the answers of ``truth.json`` or
  after them;
- ``refused``: the file is no export that can be read;
- ``lost``: applied without stopping, and some consent that was given is missing;
- ``WRONG``: a pupil has a consent that nobody gave, or has lost a never-publish mark.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

from benchmarks.machine import heading
from consent_gate.errors import ExportUnreadable
from consent_gate.model import Consent, is_live
from consent_gate.register.snapshot import TEXT_FIELDS, RegisterPupil, RegisterSnapshot
from sims_import.mapping.understand import apply_answers
from sims_import.planning.answers import open_questions
from sims_import.planning.import_blocks import GatedPlan, gate_plan
from sims_import.planning.prepare import ImportContext, PreparedImport, prepare, read_export
from sims_import.reconcile import Change, ChangeKind
from sims_import.roster.records import PupilRecord

TODAY = date(2026, 11, 28)
PURPOSES = ("website", "mag", "displays", "biometric")
BASES = {
    "fresh": (),
    "existing": ("base_consent_wide.csv",),
    "existing_next": ("base_consent_wide.csv", "base_consent_next_term.csv"),
}
"""Exports imported before, by ``mode``. Every block that they raised was accepted."""
WORDS = ("right", "asked", "refused", "lost", "WRONG")


@dataclass(frozen=True)
class Home:
    """A register, and what a home saves about its exports."""

    register: RegisterSnapshot = field(default_factory=RegisterSnapshot)
    context: ImportContext = field(default_factory=ImportContext)
    files: tuple[str, ...] = ()
    """SHA-256 of the imported exports, the newest last."""


@dataclass(frozen=True)
class Outcome:
    """The result for one export."""

    word: str
    codes: tuple[str, ...] = ()
    questions: tuple[str, ...] = ()
    details: tuple[str, ...] = ()


def import_into(home: Home, data: bytes, name: str, accepted: Collection[str] | None) -> Home:
    """Return the home after an import. ``accepted`` None accepts every block."""
    _, after = _run(home, data, name, accepted)
    return after


def _run(
    home: Home, data: bytes, name: str, accepted: Collection[str] | None
) -> tuple[tuple[PreparedImport, GatedPlan], Home]:
    table = read_export(data, name, home.context)
    digest = hashlib.sha256(data).hexdigest()
    superseded = digest in home.files[:-1] and home.files[-1] != digest
    prepared = prepare(table, home.register, home.context, TODAY, superseded=lambda _: superseded)
    codes = [block.code for block in prepared.blocks] if accepted is None else accepted
    gated = gate_plan(prepared.plan, prepared.blocks, codes)
    register = changed(home.register, gated, prepared.plan.records)
    context = home.context
    if not gated.standing:
        context = replace(context, saved=prepared.understanding.mapping)
    return (prepared, gated), Home(register, context, (*home.files, digest))


def changed(
    register: RegisterSnapshot, gated: GatedPlan, records: dict[str, PupilRecord]
) -> RegisterSnapshot:
    """``register`` after the changes that ``gated`` applies now."""
    pupils = dict(register.pupils)
    for change in gated.apply_now:
        pupils = _applied(pupils, change, records)
    return replace(register, pupils=pupils, suspended=gated.suspended)


def _applied(
    pupils: dict[str, RegisterPupil], change: Change, records: dict[str, PupilRecord]
) -> dict[str, RegisterPupil]:
    number, kind = change.pupil, change.kind
    if kind is ChangeKind.ADDED:
        record = records[number]
        texts: dict[str, Any] = {name: getattr(record, name) or "" for name in TEXT_FIELDS}
        born = record.date_of_birth
        pupils[number] = replace(RegisterPupil(number), date_of_birth=born, **texts)
        return pupils
    if kind is ChangeKind.RENUMBERED:
        pupils[number] = replace(pupils.pop(str(change.before)), admission_number=number)
        return pupils
    flags: dict[ChangeKind, dict[str, Any]] = {
        ChangeKind.LEFT: {"on_roll": False},
        ChangeKind.READMITTED: {"on_roll": True, "consents": {}},
        ChangeKind.OBJECTED: {"biometric_objection": True},
        ChangeKind.OBJECTION_LIFTED: {"biometric_objection": False},
        ChangeKind.MARKED: {"never_publish": True},
        ChangeKind.FIELD: {change.subject: change.after} if change.subject else {},
    }
    if kind in flags:
        pupils[number] = replace(pupils[number], **flags[kind])
    elif isinstance(change.after, Consent):
        consents = {**pupils[number].consents, change.subject: change.after}
        pupils[number] = replace(pupils[number], consents=consents)
    return pupils


def judge(case: dict[str, Any], folder: Path, bases: dict[str, Home]) -> Outcome:
    """Import one export without a person, and then with the answers that the office would give."""
    home, data = bases[case["mode"]], (folder / case["file"]).read_bytes()
    try:
        (prepared, gated), after = _run(home, data, case["file"], case.get("accept", []))
    except ExportUnreadable as error:
        return Outcome("refused", details=(str(error),))
    questions = tuple(q.code for q in open_questions(prepared.understanding.questions))
    codes = tuple(block.code for block in gated.standing)
    wrong = wrongly_given(after.register, case["truth"])
    if wrong:
        return Outcome("WRONG", codes, questions, tuple(wrong))
    if not gated.standing:
        lost = missing(after.register, case["truth"])
        return Outcome("lost" if lost else "right", codes, questions, tuple(lost))
    wrong = wrongly_given(_answered(home, data, case, prepared).register, case["truth"])
    return Outcome("WRONG" if wrong else "asked", codes, questions, tuple(wrong))


def _answered(home: Home, data: bytes, case: dict[str, Any], prepared: PreparedImport) -> Home:
    """The home after an import with the answers of ``truth.json`` to every question they cover."""
    answered: set[str] = set()
    while True:
        asked = {q.code: q for q in open_questions(prepared.understanding.questions)}
        new = {
            code: answer
            for code, answer in case["answers"].items()
            if code in asked and answer in asked[code].options and code not in answered
        }
        if not new:
            return import_into(home, data, case["file"], [*case["accept"], "layout"])
        answered |= set(new)
        context = home.context
        saved = apply_answers(context.saved, new, context.vocabulary)
        home = replace(home, context=replace(context, saved=saved))
        (prepared, _), _ = _run(home, data, case["file"], [])


def wrongly_given(register: RegisterSnapshot, truth: dict[str, dict[str, int]]) -> list[str]:
    """``number: purpose`` for each live consent, and each missing mark, against the truth."""
    found = []
    for number, pupil in register.on_roll.items():
        facts = truth.get(number, {})
        if facts.get("never") and not pupil.never_publish:
            found.append(f"{number}: never publish")
        found += [
            f"{number}: {purpose}"
            for purpose in PURPOSES
            if is_live(pupil.consents.get(purpose), TODAY)
            and not facts.get(purpose)
            and purpose not in register.suspended
            and not (purpose == "biometric" and pupil.biometric_objection)
        ]
    return found


def missing(register: RegisterSnapshot, truth: dict[str, dict[str, int]]) -> list[str]:
    """``number: purpose`` for every consent of the truth that the register lacks."""
    found = []
    for number, facts in truth.items():
        pupil = register.on_roll.get(number)
        if pupil is None or not facts["on"]:
            found += [f"{number}: on roll"] if bool(pupil) != bool(facts["on"]) else []
            continue
        found += [
            f"{number}: {purpose}"
            for purpose in PURPOSES
            if facts[purpose]
            and not (
                is_live(pupil.consents.get(purpose), TODAY)
                and not (purpose == "biometric" and pupil.biometric_objection)
            )
        ]
    return found


def judge_all(folder: Path, only: str = "") -> dict[str, tuple[dict[str, Any], Outcome]]:
    """Judge every export of ``folder`` whose id contains ``only``. Returns the results by id."""
    cases = json.loads((folder / "truth.json").read_text("utf-8"))
    bases = {}
    for mode, files in BASES.items():
        home = Home()
        for file in files:
            home = import_into(home, (folder / file).read_bytes(), file, None)
        bases[mode] = home
    return {c["id"]: (c, judge(c, folder, bases)) for c in cases if only in c["id"]}


def default_folder() -> Path:
    """The exports of the shared data (tests/README.md)."""
    return Path(os.environ.get("CONSENT_GATE_SHARED", "../shared")) / "data" / "exports"


def main() -> None:
    """Judge the exports and print the results."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--folder", type=Path, default=default_folder())
    options.add_argument("--only", default="")
    options.add_argument("--verbose", action="store_true")
    chosen = options.parse_args()
    print(heading("Consent exports as schools and other systems write them"))
    results = judge_all(chosen.folder, chosen.only)
    for name, (case, outcome) in results.items():
        print(f"{name:<38}{case['mode']:<14}{case['expect']:<8}{outcome.word:<8}", end="")
        print(", ".join(outcome.codes))
        if chosen.verbose:
            for line in (*outcome.questions, *outcome.details[:6]):
                print(f"      {line}")
    families = sorted({case["family"] for case, _ in results.values()})
    print(f"\n{'family':<8}" + "".join(f"{word:>9}" for word in WORDS))
    for family in (*families, "all"):
        counts = Counter(o.word for c, o in results.values() if family in {c["family"], "all"})
        print(f"{family:<8}" + "".join(f"{counts[word]:>9}" for word in WORDS))


if __name__ == "__main__":
    main()
