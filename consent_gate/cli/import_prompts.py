"""Questions to a person at the terminal about the headings of an export."""

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


def ask_questions(home: Home, export: ExportFile) -> ExportFile:
    """Ask every question about an export once. Answers may raise new questions.

    Returns:
        The export with the answers; a question without an answer counts as not stated.

    Raises:
        ExportUnreadable: The file is no export.
    """
    asked: set[str] = set()
    while True:
        found = open_questions(preview_import(home, export).understanding.questions)
        new = [question for question in found if question.code not in asked]
        if not new:
            return export
        asked.update(question.code for question in new)
        school = import_context(home, export.mapping)
        answers = {question.code: _ask(home, school, question) for question in new}
        export = replace(export, mapping=with_answers(school, new, answers))


def ask_for_day(question: str) -> date | None:
    """Ask for a date such as 4/9/2026 or 2026-09-04; None when the person only presses Enter."""
    while True:
        typed = Prompt.ask(question, console=console, default="", show_default=False)
        day = read_date(typed) if typed else None
        if day or not typed:
            return day
        echo("Please type a date like 4/9/2026.")


def _ask(home: Home, school: ImportContext, question: Question) -> str:
    """Ask one question. Returns the chosen option; empty when the person leaves it open."""
    titles = home.settings.consent_titles
    console.rule(style="dim")
    echo(question.text)
    if question.samples:
        echo("In the file: " + "; ".join(f"'{sample}'" for sample in question.samples))
    for number, option in enumerate(question.options, 1):
        echo(f"  {number:>2}  {option_text(question, option, school, titles)}")
    choices = [str(number) for number in range(1, len(question.options) + 1)]
    answer = Prompt.ask(
        "Number, or press Enter to leave it open",
        console=console,
        choices=["", *choices],
        show_choices=False,
        default="",
        show_default=False,
    )
    return question.options[int(answer) - 1] if answer else ""
