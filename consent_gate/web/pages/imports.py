"""View models of the import pages: changes by pupil, open questions and past imports."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from consent_gate.db.models import ImportRun, PupilEntry
from consent_gate.home.home import Home
from consent_gate.messages import counted
from consent_gate.operations.reminders import blocked_runs
from consent_gate.register.display import class_of, display_name
from consent_gate.web import uploads
from consent_gate.web.pages.names import display_names
from sims_import.applying.apply import import_context
from sims_import.applying.drop_folder import blocked_file
from sims_import.mapping.questions import Question
from sims_import.mapping.understand import SavedMapping as SchoolMapping
from sims_import.planning.answers import open_questions, option_text
from sims_import.planning.change_text import describe_change, most_serious_first
from sims_import.planning.import_blocks import gate_plan
from sims_import.planning.prepare import PreparedImport
from sims_import.planning.preview import answer_lines
from sims_import.reconcile import TIGHTENING, Change, ChangeKind
from sims_import.roster.records import PupilRecord

MAX_NEW_ROWS = 60
"""New pupils listed by name. A first import has hundreds, and none of them loses a consent."""
UPLOAD_KEY = "upload"
"""Key in the summary of a blocked import that holds the token of its uploaded file."""
MAX_OTHER_ROWS = 200
"""Pupils listed whose changes withdraw nothing. Pupils who lose something are all listed."""


@dataclass(frozen=True)
class PupilRow:
    """One pupil and the changes of an import, as sentences."""

    number: str
    name: str
    group: str
    changes: tuple[str, ...]


@dataclass(frozen=True)
class ChangeGroup:
    """Pupils with the same kind of change."""

    title: str
    count: int
    rows: list[PupilRow]
    is_open: bool = False
    """Whether the page shows the pupils without a click."""

    @property
    def hidden(self) -> int:
        """Number of pupils that are counted but not listed."""
        return self.count - len(self.rows)


def change_groups(home: Home, prepared: PreparedImport) -> list[ChangeGroup]:
    """Return all changes, as if every warning were accepted, the most serious group first."""
    every = [block.code for block in prepared.blocks]
    changes = gate_plan(prepared.plan, prepared.blocks, every).apply_now
    new = {change.pupil for change in changes if change.kind is ChangeKind.ADDED}
    old = [change for change in changes if change.pupil not in new]
    left = [change for change in old if change.kind is ChangeKind.LEFT]
    losing = [c for c in old if c.kind in TIGHTENING and c.kind is not ChangeKind.LEFT]
    others = [c for c in old if c.kind not in TIGHTENING]
    added = [change for change in changes if change.kind is ChangeKind.ADDED]
    who = _names_and_classes(
        {change.pupil for change in [*losing, *left, *others]}, prepared.plan.records
    )
    rows = [_rows(home, group, who) for group in (losing, left, others)]
    fresh = _rows(home, added[:MAX_NEW_ROWS], _names_and_classes(new, prepared.plan.records))
    return [
        ChangeGroup("Lose a permission", len(rows[0]), rows[0], is_open=True),
        ChangeGroup("Have left the school", len(rows[1]), rows[1], is_open=True),
        ChangeGroup("Other changes", len(rows[2]), rows[2][:MAX_OTHER_ROWS]),
        ChangeGroup("New pupils", len(new), fresh),
    ]


@dataclass(frozen=True)
class UseRow:
    """One kind of answer to one use."""

    use: str
    answer: str
    count: int
    """Pupils in the file."""
    last: int
    """Pupils on the register now."""
    pupils: tuple[str, ...]
    """Some of them, by name and admission number."""


def use_rows(prepared: PreparedImport) -> list[UseRow]:
    """What the file says of every use, beside the register, with some pupils of each kind."""
    lines = answer_lines(use.as_dict() for use in prepared.preview)
    numbers = {number for line in lines for number in line.pupils}
    who = _names_and_classes(numbers, prepared.plan.records)
    return [
        UseRow(
            line.title,
            line.answer,
            line.count,
            line.last,
            tuple(f"{who.get(n, ('', ''))[0]} ({n})".strip() for n in line.pupils),
        )
        for line in lines
    ]


def pupil_rows(home: Home, changes: Iterable[Change]) -> list[PupilRow]:
    """Return the changes of a past import by pupil, the most serious first."""
    listed = most_serious_first(changes)
    return _rows(home, listed, _names_and_classes({change.pupil for change in listed}, {}))


def _rows(
    home: Home, changes: Iterable[Change], who: Mapping[str, tuple[str, str]]
) -> list[PupilRow]:
    titles, by_pupil = home.settings.consent_titles, dict[str, list[str]]()
    for change in changes:
        by_pupil.setdefault(change.pupil, []).append(describe_change(change, titles))
    return [
        PupilRow(number, *who.get(number, ("", "")), tuple(sentences))
        for number, sentences in by_pupil.items()
    ]


def _names_and_classes(
    numbers: set[str], records: Mapping[str, PupilRecord]
) -> dict[str, tuple[str, str]]:
    """Name and class by admission number, from the register, else from the export."""
    found = {
        number: (f"{record.forename or ''} {record.surname or ''}".strip(), record.reg_group or "")
        for number in numbers
        if (record := records.get(number))
    }
    entries = PupilEntry.objects.all() if len(numbers) > MAX_IN_QUERY else _entries(numbers)
    for entry in entries:
        if entry.admission_number in numbers:
            found[entry.admission_number] = (display_name(entry), class_of(entry))
    return found


MAX_IN_QUERY = 500
"""Admission numbers in one query. For more, the whole register is read."""


def _entries(numbers: set[str]) -> Iterable[PupilEntry]:
    return PupilEntry.objects.filter(admission_number__in=numbers)


# --- questions -----------------------------------------------------------------------------


@dataclass(frozen=True)
class QuestionForm:
    """One question about an export, with its possible answers."""

    question: Question
    choices: list[tuple[str, str]]
    """Option identifiers with their labels."""


def question_forms(
    home: Home, prepared: PreparedImport, mapping: SchoolMapping | None = None
) -> list[QuestionForm]:
    """Return every open question with its answers."""
    school, titles = import_context(home, mapping), home.settings.consent_titles
    return [
        QuestionForm(q, [(option, option_text(q, option, school, titles)) for option in q.options])
        for q in open_questions(prepared.understanding.questions)
    ]


def _upload_token(home: Home, run: ImportRun) -> str:
    """Token of the uploaded file of a blocked import; empty when it is no longer stored."""
    token = str(run.summary.get(UPLOAD_KEY, ""))
    return token if token and uploads.exists(home, token) else ""


def _applied_later(run: ImportRun) -> bool:
    """Whether a later import of the same file applied what this one left open."""
    if run.status != ImportRun.Status.BLOCKED:
        return False
    again = ImportRun.objects.filter(file_sha256=run.file_sha256, pk__gt=run.pk)
    return again.filter(status=ImportRun.Status.APPLIED).exists()


# --- the history ---------------------------------------------------------------------------

_COUNTED = (
    ("added", "new pupil", "new pupils"),
    ("withdrawn", "loses a consent", "lose a consent"),
    ("leavers", "left the school", "left the school"),
    ("changed", "with other changes", "with other changes"),
    ("enrolled", "enrolled for face matching", "enrolled for face matching"),
    ("not_enrolled", "photo not used", "photos not used"),
)


def _counts(summary: Mapping[str, Any]) -> list[str]:
    """Counts as phrases. A pupil who loses a consent is not counted again as changed."""
    listed = {key: list(summary.get(key, ())) for key, _, _ in _COUNTED}
    counted_before = {*listed["withdrawn"], *listed["leavers"]}
    listed["changed"] = [pupil for pupil in listed["changed"] if pupil not in counted_before]
    return [counted(len(listed[key]), one, many) for key, one, many in _COUNTED if listed[key]]


def history(home: Home, runs: Iterable[ImportRun]) -> list[dict[str, Any]]:
    """Return one row of the list of imports for each run."""
    runs = list(runs)
    people = display_names(name for run in runs for name in (run.actor, run.undone_by))
    stopped = {run.pk for run in blocked_runs()}
    return [
        {
            "applied_later": _applied_later(run),
            "stopped": run.pk in stopped,
            "run": run,
            "by": people.get(run.actor, run.actor),
            "undone_by": people.get(run.undone_by, run.undone_by),
            "counts": _counts(run.summary),
            "waits": blocked_file(home, run) is not None,
            "token": _upload_token(home, run),
        }
        for run in runs
    ]
