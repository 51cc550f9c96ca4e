"""Open questions of an export are asked once; the answers are stored and used again."""

from __future__ import annotations

import errno
import os
import pty
import select
import subprocess
import sys
import time
from pathlib import Path

import pytest

from consent_gate.db.models import ImportRun
from consent_gate.home.home import Home
from sims_import.applying.apply import ExportFile, import_context, preview_import
from sims_import.applying.run import run_import
from sims_import.mapping.questions import Question
from sims_import.planning.answers import InvalidAnswer, open_questions, option_text, with_answers
from sims_import.text.vocabulary import Role
from tests.conftest import ROOT
from tests.support.imports import (
    COMMAND,
    UNKNOWN_CAPTION,
    consented_to_website,
    csv_with_caption,
    run_command,
)


def questions_about(home: Home, text: str) -> list[Question]:
    prepared = preview_import(home, ExportFile("c.csv", text.encode()))
    return open_questions(prepared.understanding.questions)


class Terminal:
    """The real command at a real terminal, with somebody who reads and types."""

    def __init__(self, home: Home, *arguments: str) -> None:
        self._end, theirs = pty.openpty()
        line = [sys.executable, "-c", COMMAND, "--home", str(home.root), *arguments]
        env = {**os.environ, "TERM": "xterm", "COLUMNS": "120"}
        self._run = subprocess.Popen(line, cwd=ROOT, stdin=theirs, stdout=theirs, env=env)
        os.close(theirs)
        self.shown = ""

    def wait_for(self, text: str, seconds: float = 60) -> None:
        """Read on until the text appears."""
        ends, start = time.monotonic() + seconds, len(self.shown)
        while text not in self.shown[start:]:
            assert time.monotonic() < ends, f"never shown: {text}\n{self.shown}"
            if select.select([self._end], [], [], 0.2)[0] and not self._read():
                break
        assert text in self.shown[start:], self.shown

    def types(self, text: str) -> None:
        os.write(self._end, f"{text}\n".encode())

    def ends(self) -> int:
        while self._read():
            pass
        os.close(self._end)
        return self._run.wait(60)

    def _read(self) -> bool:
        try:
            data = os.read(self._end, 65536)
        except OSError as error:
            if error.errno == errno.EIO:  # how a terminal says that the program ended
                return False
            raise
        self.shown += data.decode(errors="replace")
        return bool(data)


def test_a_person_at_a_terminal_is_shown_values_answers_once_and_the_import_goes_on(
    home: Home, tmp_path: Path
) -> None:
    file = tmp_path / "consent.csv"
    file.write_text(csv_with_caption(_7003="F"))
    desk = Terminal(home, "import-sims", str(file), "--by", "j.brown")
    desk.wait_for("leave it open")
    assert f"'{UNKNOWN_CAPTION}' speaks of consent" in desk.shown
    assert "In the file: 'T'; 'F'" in desk.shown
    assert "1  Consent for School website" in desk.shown
    desk.types("1")
    desk.wait_for("Apply these changes?")
    desk.types("y")
    assert desk.ends() == 0, desk.shown
    assert len(consented_to_website()) == 11
    assert "007003" not in consented_to_website()

    file.write_text(csv_with_caption(_7003="F", _7004=""))
    desk = Terminal(home, "import-sims", str(file))
    desk.wait_for("Apply these changes?")
    assert "leave it open" not in desk.shown, "last term's answer is used"
    assert "loses consent for School website" in desk.shown
    desk.types("y")
    assert desk.ends() == 0
    assert len(consented_to_website()) == 10


def test_a_question_left_open_grants_nothing(home: Home, tmp_path: Path) -> None:
    file = tmp_path / "consent.csv"
    file.write_text(csv_with_caption())
    desk = Terminal(home, "import-sims", str(file))
    desk.wait_for("leave it open")
    desk.types("")
    desk.wait_for("Apply these changes?")
    desk.types("y")
    assert desk.ends() == 0
    assert consented_to_website() == set()


def test_without_a_terminal_nobody_is_asked(home: Home, tmp_path: Path) -> None:
    file = tmp_path / "consent.csv"
    file.write_text(csv_with_caption())
    code, printed = run_command(home, "import-sims", str(file), "--json")
    assert (code, printed["status"]) == (0, "applied")
    assert [q["code"] for q in printed["questions"]] == [f"column:{UNKNOWN_CAPTION}"]
    assert consented_to_website() == set()


def answer(home: Home, text: str, answers: dict[str, str], by: str = "office") -> ImportRun:
    """Import with a person's answers."""
    school = import_context(home)
    mapping = with_answers(school, questions_about(home, text), answers)
    export = ExportFile("c.csv", text.encode(), mapping=mapping)
    return run_import(home, export, ("layout",), by).run


def test_every_version_of_the_mapping_is_kept_with_the_import_that_used_it(home: Home) -> None:
    first = answer(
        home, csv_with_caption(), {f"column:{UNKNOWN_CAPTION}": "consent:website"}, "j.brown"
    )
    assert 'photos online" = "consent:website"' in first.mapping
    second = answer(home, csv_with_caption(), {})
    assert second.mapping == first.mapping, "nothing new was settled"
    third = answer(home, csv_with_caption("Pictures online"), {"column:Pictures online": "ignore"})
    assert third.mapping != first.mapping
    assert [run.actor for run in ImportRun.objects.order_by("pk")] == [
        "j.brown",
        "office",
        "office",
    ]


def test_a_caption_that_changed_waits_until_a_person_says_what_it_is(home: Home) -> None:
    nobody = {f"_{number}": "" for number in range(7001, 7005)}
    bring = csv_with_caption("Photograph - Website", **nobody)
    run_import(home, ExportFile("c.csv", bring.encode()), (), "office")
    assert len(consented_to_website()) == 8
    renamed = csv_with_caption("Website photos")
    (question,) = questions_about(home, renamed)
    assert question.was == ("photograph website",)
    assert question.samples == ("T",)
    run = run_import(home, ExportFile("c.csv", renamed.encode()), (), "office").run
    assert (run.status, len(consented_to_website())) == ("blocked", 8)
    answer(home, renamed, {question.code: "consent:website"})
    assert len(consented_to_website()) == 12
    assert questions_about(home, renamed) == [], "asked once"


def test_a_type_that_changed_since_last_term_is_settled_as_a_type(home: Home) -> None:
    rows = [f"00{n},Name{n},Surname{n},{{}}" for n in range(7001, 7013)]
    old = "\n".join(["Adno,Forename,Surname,Parental Consent", *rows])
    before = old.replace("{}", '"School Website, Displays"')
    run_import(home, ExportFile("c.csv", before.encode()), (), "office")
    renamed = old.replace("{}", '"Website pictures, Displays"')
    (question,) = questions_about(home, renamed)
    assert question.code == "changed_type:Website pictures"
    answer(home, renamed, {question.code: "consent:website"})
    assert questions_about(home, renamed) == []
    assert len(consented_to_website()) == 12


def test_an_answer_that_was_not_offered_settles_nothing(home: Home) -> None:
    questions = questions_about(home, csv_with_caption())
    for wrong in ("admission_number", "consent:facebook", "T"):
        with pytest.raises(InvalidAnswer):
            with_answers(import_context(home), questions, {f"column:{UNKNOWN_CAPTION}": wrong})
    with pytest.raises(InvalidAnswer):
        with_answers(import_context(home), questions, {"column:Surname": "consent:website"})


def test_one_consent_for_every_use_can_be_answered_but_never_for_face_matching(home: Home) -> None:
    (question,) = questions_about(home, csv_with_caption())
    every = "consent:displays+mag+website"
    several = [o for o in question.options if o.startswith("consent:") and "+" in o]
    assert len(several) == 1
    assert set(several[0].removeprefix("consent:").split("+")) == set(
        every.removeprefix("consent:").split("+")
    )


def test_every_answer_is_offered_in_words(home: Home) -> None:
    school, titles = import_context(home), {"website": "School website"}
    (question,) = questions_about(home, csv_with_caption())
    words = [option_text(question, option, school, titles) for option in question.options]
    assert len(set(words)) == len(words)
    assert words[0] == "Consent for School website"
    assert not [text for text in words if ":" in text and "pass over" not in text]
    assert {str(role) for role in Role}.isdisjoint(words)
