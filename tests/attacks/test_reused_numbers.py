"""An admission number that means another child than before must carry nothing over.

Two children are swapped in the record system, a leaver's number is given again, or a child's old
number goes to somebody else. Templates, consents, pictures and the roll of an event of the first
child must not count for the second, and an erasure must not take the second child's pictures.
"""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from consent_gate.db.models import EventPupil, Item, ItemState, PupilEntry, Template
from consent_gate.decisions.event_classes import name_classes
from consent_gate.decisions.staff_input import load_staff_input
from consent_gate.home.home import Home
from consent_gate.register.snapshot import RegisterPupil, RegisterSnapshot
from consent_gate.subject_rights.erase import erase_pupil
from sims_import.applying.history import undo_grants
from sims_import.matching import Matched, with_replaced
from sims_import.roster.records import Origin, PupilRecord
from tests.support.factories import World, matches
from tests.support.imports import HEADER, import_csv, make_template, verdict_of

BORN = HEADER.replace("Reg Group", "DOB,Reg Group")
YES, NO, NEVER = "T,T,T,T,,", "F,F,F,T,,", "T,T,T,T,,T"
ANN, BEN = "007001", "007002"
UPN, OTHER_UPN = "A823432117001", "B823432117002"

CASES = {
    "another name": (HEADER, [f"{ANN},,Ann,Archer,3W,,{NO}"], [f"{ANN},,Zoe,Quill,3W,,{YES}"]),
    "swapped siblings": (
        BORN,
        [f"{ANN},,Ann,Archer,2016-01-02,3W,F1,{NO}", f"{BEN},,Ben,Archer,2018-03-04,3W,F1,{YES}"],
        [f"{ANN},,Ben,Archer,2018-03-04,3W,F1,{YES}", f"{BEN},,Ann,Archer,2016-01-02,3W,F1,{NO}"],
    ),
}


def export(header: str, rows: list[str]) -> str:
    """These rows, and twelve pupils who stay as they are."""
    born = "," if header is BORN else ""
    others = [f"{7100 + i:06d},,Name{i},Other{i},{born}3W,X{i},{YES}" for i in range(12)]
    return "\n".join([header, *rows, *others])


@pytest.mark.parametrize("case", CASES)
def test_the_face_of_the_first_child_never_counts_for_the_second(home: Home, case: str) -> None:
    header, before, after = CASES[case]
    import_csv(home, export(header, before))
    for row in before:
        make_template(home, row[:6])
    item = World(home).make_item(matches(ANN))
    done = import_csv(home, export(header, after))
    assert [block["code"] for block in done.report["blocked"]] == ["name-changed"]
    assert verdict_of(World(home).make_item(matches(ANN))) == "held", "nothing is granted unasked"
    import_csv(home, export(header, after), "name-changed")
    assert not Template.objects.filter(photo__pupil__admission_number=ANN).exists()
    assert verdict_of(item) == "held"
    assert not item.shown.exists()
    assert verdict_of(World(home).make_item(matches(ANN))) == "held", "it is Ann's face"
    assert PupilEntry.objects.get(admission_number=ANN).consents.get(purpose="website").answer


@pytest.mark.parametrize("said", [YES, NO])
def test_an_undone_import_leaves_no_answer_of_the_first_child(home: Home, said: str) -> None:
    import_csv(home, export(HEADER, [f"{ANN},,Ann,Archer,3W,,{said}"]))
    after = [f"{ANN},,Zoe,Quill,3W,,{YES}"]
    done = import_csv(home, export(HEADER, after), "name-changed", "many-grants:website")
    zoe = PupilEntry.objects.get(admission_number=ANN).consents
    assert zoe.get(purpose="website").answer == "given"
    undo_grants(home, done.run.pk, "office")
    assert not zoe.filter(answer__in=("given", "refused")).exists()


def test_a_mark_goes_with_the_child(home: Home) -> None:
    """Ann must never be published. The export that swaps the numbers has no such column."""
    import_csv(
        home, export(HEADER, [f"{ANN},,Ann,Archer,3W,,{NEVER}", f"{BEN},,Ben,Gray,3W,,{YES}"])
    )
    swapped = export(HEADER, [f"{ANN},,Ben,Gray,3W,,{YES}", f"{BEN},,Ann,Archer,3W,,{YES}"])
    without = "\n".join(line.rpartition(",")[0] for line in swapped.splitlines())
    import_csv(home, without, "name-changed", "header-changed")
    ann = PupilEntry.objects.get(forename="Ann", surname="Archer")
    assert (ann.admission_number, ann.never_publish) == (BEN, True)


def renumbered(home: Home) -> tuple[Item, Item]:
    """Ann got 009001, and Zoe got Ann's old number. A picture of each."""
    rows = [f"{ANN},{UPN},Ann,Archer,3W,,{YES}"]
    import_csv(home, export(HEADER, rows))
    make_template(home, ANN)
    ann = World(home).make_item(matches(ANN))
    rows = [f"009001,{UPN},Ann,Archer,3W,,{YES}"]
    import_csv(home, export(HEADER, rows))
    rows.append(f"{ANN},{OTHER_UPN},Zoe,Quill,4K,,{YES}")
    import_csv(home, export(HEADER, rows))
    make_template(home, ANN)
    return ann, World(home).make_item(matches(ANN))


def test_an_erasure_spares_who_has_the_old_number_now(home: Home) -> None:
    ann, zoe = renumbered(home)
    erase_pupil(home, "009001", "office")
    ann.refresh_from_db()
    zoe.refresh_from_db()
    assert (ann.state, zoe.state) == (ItemState.ERASED, ItemState.DECIDED)
    assert set(zoe.shown.values_list("admission_number", flat=True)) == {ANN}


def test_the_old_number_is_not_on_the_roll(home: Home) -> None:
    """Ann's class was at the event, and Zoe's was not."""
    _, zoe = renumbered(home)
    name_classes(home, zoe.event, ["3W"], "j.shaw")
    assert EventPupil.objects.filter(pupil__admission_number="009001").exists()
    roll = load_staff_input(zoe).roster or frozenset()
    assert ("009001" in roll, ANN in roll) == (True, False)
    assert verdict_of(zoe) != "released"


BIRTHDAY, OTHER_BIRTHDAY = date(2016, 1, 2), date(2018, 3, 4)
Details = dict[str, tuple[dict[str, Any], dict[str, Any]]]
OTHER_CHILD: Details = {
    "forename and UPN": ({"date_of_birth": None}, {"forename": "Zoe", "upn": OTHER_UPN}),
    "forename and birthday": ({}, {"forename": "Zoe", "date_of_birth": OTHER_BIRTHDAY}),
    "surname and birthday": ({}, {"surname": "Quill", "date_of_birth": OTHER_BIRTHDAY}),
    "a namesake": ({}, {"upn": OTHER_UPN, "date_of_birth": OTHER_BIRTHDAY}),
    "a twin, by UPN": ({}, {"forename": "Ben", "upn": "C823432117003"}),
    "a twin, by name": ({"upn": ""}, {"forename": "Ben"}),
}
SAME_CHILD: Details = {
    "married": ({}, {"surname": "Quill"}),
    "known as": ({"preferred_forename": "Zoe"}, {"forename": "Zoe"}),
    "second forename": ({"forename": "Mary Zoe"}, {"forename": "Zoe"}),
    "new forename": ({"upn": "", "date_of_birth": None}, {"forename": "Zoe", "upn": None}),
    "permanent UPN": ({}, {"upn": OTHER_UPN}),
    "corrected birthday": ({}, {"date_of_birth": date(2016, 2, 1)}),
    "new forename, same birthday": ({}, {"forename": "Zoe", "upn": OTHER_UPN}),
    "adopted, same UPN": ({}, {"forename": "Zoe", "surname": "Quill", "upn": UPN}),
}


def is_replaced(was: dict[str, Any], now: dict[str, Any]) -> bool:
    """Whether Ann's number names another child in the export. Her twin is on the register."""
    known: dict[str, Any] = {"forename": "Ann", "surname": "Archer", "date_of_birth": BIRTHDAY}
    ann = RegisterPupil(ANN, **{**known, "upn": UPN, **was})
    ben = RegisterPupil(BEN, upn="C823432117003", forename="Ben", surname="Archer")
    record = PupilRecord(ANN, Origin("", 1), **{**known, "upn": None, **now})
    register = RegisterSnapshot({ANN: ann, BEN: ben})
    return with_replaced(register, [Matched(ANN, record, ann)])[0].is_replaced


@pytest.mark.parametrize("case", OTHER_CHILD)
def test_another_child_is_seen_by_what_differs(case: str) -> None:
    assert is_replaced(*OTHER_CHILD[case])


@pytest.mark.parametrize("case", SAME_CHILD)
def test_a_child_with_new_details_is_the_same_child(case: str) -> None:
    assert not is_replaced(*SAME_CHILD[case])
