"""Asking the person at the terminal what an export's headings mean."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from rich.prompt import Prompt

from consent_gate.cli.console import console, echo
from consent_gate.home.home import Home
from sims_import.applying.apply import ExportFile, import_context, preview_import
from sims_import.mapping.questions import Question
from sims_import.planning.answers import open_questions, option_text, with_answers
from sims_import.planning.prepare import ImportContext
from sims_import.text.values import read_date


def answered(home: Home, export: ExportFile) -> ExportFile:
    """The export with every question put once; what is left open counts as not stated.

    Answers may raise new questions, so it asks until none is new. Raises ExportUnreadable.
    """
    put: set[str] = set()
    while True:
        found = open_questions(preview_import(home, export).understanding.questions)
        new = [question for question in found if question.code not in put]
        if not new:
            return export
        put.update(question.code for question in new)
        school = import_context(home, export.mapping)
        answers = {question.code: _ask(home, school, question) for question in new}
        export = replace(export, mapping=with_answers(school, new, answers))


def ask_for_day(question: str) -> date | None:
    """A day typed as 4/9/2026 or 2026-09-04; None where the person only presses Enter."""
    while True:
        text = Prompt.ask(question, console=console, default="", show_default=False)
        day = read_date(text) if text else None
        if day or not text:
            return day
        echo("Please type a day like 4/9/2026.")


def _ask(home: Home, school: ImportContext, question: Question) -> str:
    """One of the question's options; empty where the person leaves it open."""
    titles = home.settings.consent_titles
    console.rule(style="dim")
    echo(question.text)
    if question.samples:
        echo("In the file: " + "; ".join(f"'{sample}'" for sample in question.samples))
    for number, option in enumerate(question.options, 1):
        echo(f"  {number:>2}  {option_text(question, option, school, titles)}")
    choices = [str(number) for number in range(1, len(question.options) + 1)]
    answer = Prompt.ask(
        "Number, or only Enter to leave it open",
        console=console,
        choices=["", *choices],
        show_choices=False,
        default="",
        show_default=False,
    )
    return question.options[int(answer) - 1] if answer else ""
