"""An import does all of what it says, or nothing, and what it says is what it did."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import jsonschema
import pytest
from django.db import connection
from django.db.models import Model
from django.forms.models import model_to_dict

from consent_gate.db import audit_log
from consent_gate.db.models import (
    AuditEntry,
    ConsentAnswer,
    ImportRun,
    Item,
    ItemState,
    Lookalike,
    Portrait,
    PupilChange,
    PupilEntry,
    SuspendedPurpose,
    Template,
)
from consent_gate.db.models.publications import OPEN
from consent_gate.home.home import Home
from consent_gate.register.repository import encrypt_vector, last_exported_on, load_register
from consent_gate.register.sibling_lists import save_families
from ingest.enrolment import enrol
from ingest.enrolment.enrol import PhotoBatch
from publish.recall import withdraw
from publish.release import publish_pending
from sims_import.applying import apply as importing
from sims_import.applying import run as import_run
from sims_import.applying.apply import Applied, ExportFile
from sims_import.applying.history import changes_of, undo_grants
from sims_import.applying.run import run_import
from tests.conftest import ROOT, Clock
from tests.support import postgresql
from tests.support.factories import World, matches
from tests.support.fake_renderer import FakeRenderer, a_photo, files_of
from tests.support.made_school import NEXT_TERM, MadeSchool

pytestmark = pytest.mark.dialect

HEADER = (
    "Adno,UPN,Legal Forename,Legal Surname,Reg Group,Family,Photograph - Website,"
    "Photograph - Millfields Mag,Photograph - Displays,Biometric Consent,Biometric Objection,"
    "Never Publish"
)


def school_of(**answers: str) -> str:
    """An export of 40 pupils who said yes to everything, but for the rows given.

    ``answers``: by admission number with an underscore before it, the last six cells.
    """
    return school_with(40, **answers)


def school_with(pupils: int, /, **answers: str) -> str:
    """The same with so many pupils."""
    rows = []
    for at in range(pupils):
        number = f"{7000 + at:06d}"
        cells = answers.get(f"_{number}", "T,T,T,T,,")
        if cells != "gone":
            rows.append(f"{number},,Name{at},Surname{at},3W,F{at},{cells}")
    return "\n".join([HEADER, *rows])


def bring(home: Home, text: str | bytes, *accepted: str, **how: Any) -> Applied:
    data = text if isinstance(text, bytes) else text.encode()
    return run_import(home, ExportFile("consent.csv", data, **how), accepted, "office")


def register(home: Home) -> dict[str, Any]:
    """Everything a decision or an import rests on, as plain values."""
    tables: list[type[Model]] = [PupilEntry, ConsentAnswer, Template, Lookalike, SuspendedPurpose]
    tables += [ImportRun, PupilChange, AuditEntry]
    return {
        table.__name__: [model_to_dict(row) for row in table._default_manager.order_by("pk")]
        for table in tables
    }


def with_template(home: Home, number: str) -> bytes:
    """Enrol a pupil with a made-up vector. Returns the bytes that lie in the database."""
    from consent_gate.db.models import EnrolmentPhoto

    entry = PupilEntry.objects.get(admission_number=number)
    photo = EnrolmentPhoto.objects.create(
        pupil=entry, sha256=f"{number:0>64}", first_imported_on=home.now().date()
    )
    template = Template(photo=photo, model="sface", model_version="test")
    encrypt_vector(home, number, template, os.urandom(512))
    template.save()
    return bytes(template.ciphertext)


def stored_bytes(home: Home) -> bytes:
    """The database with its log; on PostgreSQL the tables of templates and portraits."""
    if connection.vendor == "postgresql":
        tables = ("gate_template", "gate_portrait")
        return b"".join(postgresql.bytes_of(home.settings.database, table) for table in tables)
    return b"".join(p.read_bytes() for p in sorted(home.root.glob("gate.sqlite3*")))


def verdict(item: Item, channel: str = "website") -> str:
    return item.decisions.get(channel=channel).verdict


def audit(action: str) -> int:
    return AuditEntry.objects.filter(action=action).count()


# --- the real exports -----------------------------------------------------------------------


def test_next_term_six_withdraw_three_leave_four_join_and_nothing_else(
    home: Home, made_school: MadeSchool
) -> None:
    bring(home, made_school.export("consent_wide.csv"))
    before = {p.admission_number: p.on_roll for p in PupilEntry.objects.all()}
    done = bring(home, made_school.export(NEXT_TERM))

    assert done.run.status == ImportRun.Status.APPLIED
    summary = done.run.summary
    assert sorted(summary["withdrawn"]) == list(made_school.withdrawn)
    assert sorted(summary["leavers"]) == list(made_school.leavers)
    assert sorted(set(summary["changed"]) - set(made_school.withdrawn)) == list(made_school.joiners)
    assert summary["added"] == []
    left = {n for n, here in before.items() if here} - set(
        PupilEntry.objects.filter(on_roll=True).values_list("admission_number", flat=True)
    )
    assert sorted(left) == list(made_school.leavers)
    for purpose in ("website", "mag", "displays", "biometric"):
        given = ConsentAnswer.objects.filter(purpose=purpose, answer="given")
        numbers = set(given.values_list("pupil__admission_number", flat=True))
        assert numbers.issuperset(made_school.joiners)
        assert numbers.isdisjoint(made_school.withdrawn) == (purpose == "website")


def test_leavers_templates_are_gone_from_the_file_and_its_log(
    home: Home, made_school: MadeSchool
) -> None:
    bring(home, made_school.export("consent_wide.csv"))
    lost = [with_template(home, number) for number in made_school.leavers]
    kept = with_template(home, made_school.withdrawn[0])
    assert all(sealed in stored_bytes(home) for sealed in lost)

    done = bring(home, made_school.export(NEXT_TERM))

    assert sorted(done.templates_destroyed) == list(made_school.leavers)
    data = stored_bytes(home)
    assert [sealed for sealed in lost if sealed in data] == []
    assert kept in data


def test_the_template_of_a_pupil_who_withdraws_matching_is_destroyed(home: Home) -> None:
    bring(home, school_of())
    sealed, portrait = with_template(home, "007001"), os.urandom(6000)
    Portrait.objects.create(template=Template.objects.get(), ciphertext=portrait)
    assert portrait[:500] in stored_bytes(home)
    bring(home, school_of(_007001="T,T,T,,,"))
    assert not Template.objects.exists()
    assert sealed not in stored_bytes(home)
    assert portrait[:500] not in stored_bytes(home)
    assert audit("templates.destroyed") == 1


def test_a_childs_own_objection_destroys_the_template(home: Home) -> None:
    bring(home, school_of())
    with_template(home, "007001")
    bring(home, school_of(_007001="T,T,T,T,Y,"))
    assert not Template.objects.exists()


# --- the same file again ----------------------------------------------------------------------


def test_the_same_file_again_changes_nothing(home: Home) -> None:
    bring(home, school_of())
    item = World(home).a_picture(matches("007001"))
    before, entries = register(home), AuditEntry.objects.count()
    done = bring(home, school_of())
    after = register(home)
    assert done.recalled == 0
    assert len(done.run.summary["unchanged"]) == 40
    assert AuditEntry.objects.count() == entries + 1, "the import itself"
    for table in ("PupilEntry", "ConsentAnswer", "Template", "SuspendedPurpose", "PupilChange"):
        assert after[table] == before[table]
    assert item.state == Item.objects.get(pk=item.pk).state


# --- a crash ----------------------------------------------------------------------------------

INSIDE = (
    "gate_plan",
    "_enter_run",
    "store.apply_changes",
    "store.suspend",
    "audit_log.record_all",
    "destroy_lost_templates",
    "delete_departed_lookalikes",
    "redecide",
    "_save_report",
)
"""Every step of the one transaction."""


class PowerCut(RuntimeError):
    """The machine stopped."""


@pytest.mark.parametrize("step", INSIDE)
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_crash_anywhere_before_the_end_leaves_the_old_register_whole(
    home: Home, monkeypatch: pytest.MonkeyPatch, step: str, when: str
) -> None:
    bring(home, school_of())
    with_template(home, "007002")
    World(home).a_picture(matches("007001"))
    before = register(home)
    owner, _, name = step.rpartition(".")
    module = getattr(importing, owner) if owner else importing
    real = getattr(module, name)

    def stop(*args: Any, **kwargs: Any) -> None:
        if when == "after":
            real(*args, **kwargs)
        raise PowerCut

    monkeypatch.setattr(module, name, stop)
    with pytest.raises(PowerCut):
        bring(home, school_of(_007001=",T,T,T,,", _007002="T,T,T,,,", _007003="gone"))
    assert register(home) == before
    monkeypatch.undo()
    bring(home, school_of(_007001=",T,T,T,,", _007002="T,T,T,,,", _007003="gone"))
    assert not Template.objects.exists()
    assert audit_log.verify(home) == []


AFTERWARDS = (
    (import_run, "sync_folders"),
    (withdraw, "remove_withdrawn"),
    (withdraw, "vacuum_deleted"),
    (import_run, "remember"),
    (importing, "replace_with"),
    (import_run, "enrol_all"),
)
"""Every step after the transaction, in order, and the module that takes it."""


@pytest.mark.parametrize(("module", "step"), AFTERWARDS)
def test_after_a_crash_behind_the_transaction_the_next_run_tidies_up(
    home: Home, monkeypatch: pytest.MonkeyPatch, module: ModuleType, step: str
) -> None:
    bring(home, school_of())
    with_template(home, "007001")
    a_photo(home, "007001")
    publish_pending(home, FakeRenderer())
    assert len(files_of(home)) == 1
    export = ExportFile("consent.csv", school_of(_007001=",T,T,T,,").encode())

    def stop(*args: Any, **kwargs: Any) -> None:
        raise PowerCut

    monkeypatch.setattr(module, step, stop)
    with pytest.raises(PowerCut):
        run_import(home, export, (), "office", PhotoBatch([NoPhotos()]))
    monkeypatch.undo()
    kept = ImportRun.objects.latest("pk").summary
    assert (kept["status"], kept["withdrawn"], kept["recalled"]) == ("applied", ["007001"], 1)
    publish_pending(home, FakeRenderer())
    assert files_of(home) == {}
    done = bring(home, school_of(_007001=",T,T,T,,"))
    assert len(done.run.summary["unchanged"]) == 40
    assert (
        ConsentAnswer.objects.get(pupil__admission_number="007001", purpose="website").answer
        == "not_stated"
    )


class NoPhotos:
    """An empty folder of photos."""

    def names(self) -> list[str]:
        return []

    def read(self, name: str) -> bytes:
        raise AssertionError(name)


class BrokenPhotos(NoPhotos):
    """A folder of photos that cannot be listed; notes what was out when it was tried."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self.out: dict[str, bytes] | None = None

    def names(self) -> list[str]:
        self.out = files_of(self.home)
        raise PowerCut


def test_what_is_withdrawn_is_gone_before_any_photo_is_looked_at(home: Home) -> None:
    bring(home, school_of())
    with_template(home, "007001")
    a_photo(home, "007001")
    publish_pending(home, FakeRenderer())
    assert len(files_of(home)) == 1
    photos = BrokenPhotos(home)
    export = ExportFile("consent.csv", school_of(_007001=",T,T,T,,").encode())
    with pytest.raises(PowerCut):
        run_import(home, export, (), "office", PhotoBatch([photos]))
    assert photos.out == {}, "recalled before the enrolment began"
    assert files_of(home) == {}, "and not put back because it failed"


def test_an_import_without_new_photos_syncs_the_folders_once(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced = []

    def count(of: Home) -> None:
        synced.append(of)
        withdraw.remove_withdrawn(of)

    for module in (import_run, enrol):
        monkeypatch.setattr(module, "sync_folders", count)
    done = run_import(
        home, ExportFile("c.csv", school_of().encode()), (), "office", PhotoBatch([NoPhotos()])
    )
    assert len(synced) == 1
    assert done.report["enrolled"] == done.run.summary["enrolled"] == []


KILLED = """
import os, signal, sys
from pathlib import Path
from consent_gate.bootstrap import configure_django, open_home
configure_django()
from sims_import.applying import apply, run, store
real = store.apply_changes
def killed(*args):
    real(*args)
    os.kill(os.getpid(), signal.SIGKILL)
store.apply_changes = killed
home = open_home(Path(sys.argv[1]))
run.run_import(home, apply.ExportFile("n.csv", Path(sys.argv[2]).read_bytes()), (), "office")
"""


def test_a_killed_process_leaves_the_old_register_whole(home: Home, tmp_path: Path) -> None:
    bring(home, school_of())
    before = register(home)
    export = tmp_path / "next.csv"
    export.write_text(school_of(_007001=",,,,,", _007003="gone"))
    command = [sys.executable, "-c", KILLED, str(home.root), str(export)]
    ended = subprocess.run(command, cwd=ROOT, check=False)
    assert ended.returncode == -signal.SIGKILL
    assert register(home) == before


# --- blocked ----------------------------------------------------------------------------------


def test_a_blocked_import_applies_what_holds_and_nothing_that_releases(home: Home) -> None:
    nobody = {f"_{7000 + at:06d}": ",T,T,T,," for at in range(20)}
    bring(home, school_of(**nobody))
    shifted = school_of(_007039="T,,T,T,,")
    done = bring(home, shifted)
    assert done.run.status == ImportRun.Status.BLOCKED
    assert [b.code for b in done.done.standing] == ["many-grants:website"]
    website = ConsentAnswer.objects.filter(purpose="website", answer="given").count()
    assert website == 20, "no grant was applied"
    assert (
        ConsentAnswer.objects.get(pupil__admission_number="007039", purpose="mag").answer
        == "not_stated"
    ), "the withdrawal was"

    bring(home, shifted, "many-grants:website")
    assert ConsentAnswer.objects.filter(purpose="website", answer="given").count() == 40


def test_a_blocked_import_does_not_make_the_register_fresh(home: Home, clock: Clock) -> None:
    bring(home, school_of(**{f"_{7000 + at:06d}": ",T,T,T,," for at in range(20)}))
    first = last_exported_on()
    clock.pass_days(100)
    bring(home, school_of())
    assert last_exported_on() == first


def test_an_older_export_is_stopped_even_after_a_blocked_one(home: Home) -> None:
    today = home.now().date()
    nobody = {f"_{7000 + at:06d}": ",T,T,T,," for at in range(20)}
    bring(home, school_of(**nobody), exported_on=today - timedelta(days=60))
    bring(home, school_of(_007039="T,,T,T,,"), exported_on=today)
    older = bring(home, school_of(**nobody), exported_on=today - timedelta(days=30))
    assert [b.code for b in older.done.standing] == ["export-older"]
    assert (
        ConsentAnswer.objects.get(pupil__admission_number="007039", purpose="mag").answer
        == "not_stated"
    ), "the older export did not bring it back"


def test_the_first_import_has_no_brakes_on_counts_and_withdraws_nothing(home: Home) -> None:
    marked = {f"_{7000 + at:06d}": "T,T,T,T,Y,T" for at in range(30)}
    done = bring(home, school_of(**marked))
    assert done.run.status == ImportRun.Status.APPLIED
    assert len(done.run.summary["added"]) == 40
    assert done.run.summary["withdrawn"] == []
    assert done.run.summary["changed"] == []


# --- pictures ---------------------------------------------------------------------------------


@pytest.fixture
def small_school(home: Home) -> World:
    """Forty pupils by import, all with templates where a test needs them."""
    bring(home, school_of())
    for number in ("007001", "007002"):
        with_template(home, number)
    return World(home)


def test_a_withdrawn_pupil_is_taken_back_from_the_website_alone(small_school: World) -> None:
    home, item = small_school.home, small_school.a_picture(matches("007001"))
    item.publications.update(state="live", released_at=home.now())
    done = bring(home, school_of(_007001=",T,T,T,,"))
    assert done.recalled == 1
    assert (verdict(item), verdict(item, "mag")) == ("withdrawn", "released")


def test_a_new_consent_puts_a_picture_back_into_the_queue_not_out(small_school: World) -> None:
    home = small_school.home
    bring(home, school_of(_007001=",T,T,T,,"))
    item = small_school.a_picture(matches("007001"))
    assert verdict(item) == "held"
    bring(home, school_of() + "\n")
    item.refresh_from_db()
    assert item.state == ItemState.RECEIVED, "examined again before anything goes out"
    assert not item.publications.filter(channel="website").exists()


def test_what_came_back_stays_back_until_a_person_approves(small_school: World) -> None:
    home, item = small_school.home, small_school.a_picture(matches("007001"))
    item.publications.update(state="live", released_at=home.now())
    bring(home, school_of(_007001=",T,T,T,,"))
    bring(home, school_of())
    item.refresh_from_db()
    assert (item.state, verdict(item)) == (ItemState.DECIDED, "withdrawn")
    assert not item.publications.filter(channel="website", state="live").exists()


def test_a_pupil_whose_sibling_is_no_longer_enrolled_is_not_cleared_by_the_machine(
    home: Home,
) -> None:
    family = school_of().replace(",F2,", ",F1,")
    bring(home, family)
    for number in ("007001", "007002"):
        with_template(home, number)
    item = World(home).a_picture(matches("007001"))
    assert verdict(item) == "released", "on its way out"
    done = bring(home, family.replace("F1,T,T,T,T,,\n007003", "F1,T,T,T,,,\n007003"))
    assert done.templates_destroyed == ("007002",)
    assert item.decisions.get(channel="website").reasons == ["sibling_guard"]
    assert not item.publications.filter(state__in=OPEN).exists()


def test_a_number_given_to_another_child_never_speaks_for_the_first_one(home: Home) -> None:
    upn = "A823432117001"
    row = "007001,,Name1,Surname1,"
    assert row in school_of()
    first = school_of().replace(row, f"007001,{upn},Name1,Surname1,")
    bring(home, first)
    with_template(home, "007001")
    item = World(home).a_picture(matches("007001"))
    bring(home, first.replace(f"007001,{upn}", f"009001,{upn}"))
    assert set(item.shown.values_list("admission_number", flat=True)) == {"009001"}
    item.refresh_from_db()
    assert "007001" not in json.dumps(item.evidence)


def test_the_schools_own_list_makes_siblings_where_sims_knows_of_none(home: Home) -> None:
    bring(home, school_of())
    with_template(home, "007001")
    item = World(home).a_picture(matches("007001"))
    assert verdict(item) == "released", "on its way out"
    save_families(home, (("007001", "007002", "999999"),))
    bring(home, school_of())
    groups = PupilEntry.objects.exclude(family_group="")
    assert set(groups.values_list("admission_number", flat=True)) == {"007001", "007002"}
    assert item.decisions.get(channel="website").reasons == ["sibling_guard"]


# --- history ----------------------------------------------------------------------------------


def test_undoing_an_import_takes_its_grants_back_and_leaves_withdrawals(home: Home) -> None:
    bring(home, school_of(_007001=",T,T,T,,", _007002="T,T,T,,,"))
    done = bring(home, school_of(_007003="T,,T,T,,"))
    with_template(home, "007002")
    item = World(home).a_picture(matches("007002"))
    assert len(list(changes_of(done.run))) == 3

    undone = undo_grants(home, done.run.pk, "j.brown")

    assert undone.pupils == ("007001", "007002")
    assert not Template.objects.exists(), "matching was one of the grants"
    assert verdict(item) != "released"
    answers = dict(
        ConsentAnswer.objects.filter(
            pupil__admission_number__in=("007001", "007003"), purpose__in=("website", "mag")
        ).values_list("pupil__admission_number", "answer")
    )
    assert set(answers.values()) <= {"given", "not_stated"}
    assert (
        ConsentAnswer.objects.get(pupil__admission_number="007001", purpose="website").answer
        == "not_stated"
    )
    assert (
        ConsentAnswer.objects.get(pupil__admission_number="007003", purpose="mag").answer
        == "not_stated"
    )
    assert undo_grants(home, done.run.pk, "j.brown").pupils == ()
    assert audit_log.verify(home) == []


def test_a_grant_confirmed_by_a_later_import_is_not_undone(home: Home) -> None:
    bring(home, school_of(_007001=",T,T,T,,"))
    second = bring(home, school_of())
    bring(home, school_of(_007001=",T,T,T,,"))
    bring(home, school_of())
    assert undo_grants(home, second.run.pk, "j.brown").pupils == ()


def test_undoing_an_import_takes_back_the_time_it_granted(home: Home) -> None:
    """A consent that ends this week was read as one without an end."""
    ends = home.now().date() + timedelta(days=3)
    head = "Adno,Surname,Website,Website expiry date,Mag,Displays,Biometric Consent"

    def until(day: str) -> str:
        return "\n".join([head, f"007001,Archer,T,{day},T,T,T"])

    bring(home, until(f"{ends:%Y-%m-%d}"))
    done = bring(home, until(""))
    website = ConsentAnswer.objects.get(purpose="website")
    assert (website.answer, website.expires_on) == ("given", None)

    assert undo_grants(home, done.run.pk, "j.brown").pupils == ("007001",)
    again = ConsentAnswer.objects.get(purpose="website")
    assert (again.answer, again.expires_on) == ("given", ends)
    assert undo_grants(home, done.run.pk, "j.brown").pupils == ()


def guarded(home: Home, number: str) -> bool:
    """Whether a match to the pupil is not trusted, for the sake of a brother or sister."""
    return load_register(home.now().date()).pupils[number].has_unenrolled_sibling


def test_undoing_an_import_brings_the_brothers_and_sisters_back_that_it_lost(home: Home) -> None:
    """A report in which the family column was filled wrongly."""
    family = school_of().replace(",F1,", ",F2,")
    bring(home, family)
    with_template(home, "007001")
    assert guarded(home, "007001")
    done = bring(home, school_of())
    assert not guarded(home, "007001")
    item = World(home).a_picture(matches("007001"))
    undo_grants(home, done.run.pk, "j.brown")
    assert guarded(home, "007001")
    assert verdict(item) == "held", "it was on its way out"
    bring(home, school_with(41))
    assert guarded(home, "007001"), "another import does not lose them again"


def test_undoing_an_import_keeps_the_brothers_and_sisters_that_it_told_of(home: Home) -> None:
    bring(home, school_of())
    with_template(home, "007001")
    done = bring(home, school_of().replace(",F1,", ",F2,"))
    undo_grants(home, done.run.pk, "j.brown")
    assert guarded(home, "007001")


def test_undoing_an_import_remembers_a_brother_whom_it_took_for_gone(home: Home) -> None:
    together = school_of().replace(",F1,", ",F2,")
    bring(home, together)
    with_template(home, "007001")
    gone = "\n".join(row for row in together.splitlines() if not row.startswith("007002"))
    done = bring(home, gone)
    assert not guarded(home, "007001")
    undo_grants(home, done.run.pk, "j.brown")
    assert guarded(home, "007001")
    assert not ConsentAnswer.objects.filter(pupil__admission_number="007002").exists()


def test_the_schools_own_list_still_knows_a_pupil_with_a_new_number(home: Home) -> None:
    upn = "A823432117001"
    first = school_of().replace("007002,,Name2", f"007002,{upn},Name2")
    save_families(home, (("007001", "007002"),))
    bring(home, first)
    with_template(home, "007001")
    assert guarded(home, "007001")
    bring(home, first.replace(f"007002,{upn}", f"009002,{upn}"))
    assert guarded(home, "007001")


# --- the report -------------------------------------------------------------------------------

NUMBERS = {"type": "array", "items": {"type": "string"}}
CONTRACT = {
    "type": "object",
    "required": [
        *("status", "blocked", "added", "changed", "withdrawn", "leavers", "unchanged"),
        *("enrolled", "not_enrolled", "warnings", "errors", "recalled"),
    ],
    "properties": {
        "status": {"enum": ["applied", "dry_run", "blocked"]},
        "blocked": {
            "type": "array",
            "items": {"type": "object", "required": ["code", "message"]},
        },
        **dict.fromkeys(
            ("added", "changed", "withdrawn", "leavers", "unchanged", "enrolled"), NUMBERS
        ),
        "not_enrolled": {
            "type": "array",
            "items": {"type": "object", "required": ["pupil", "reason"]},
        },
        "warnings": {"type": "array"},
        "errors": {
            "type": "array",
            "items": {"type": "object", "required": ["row", "column", "message"]},
        },
        "recalled": {"type": "integer"},
    },
}


COMMAND = "from consent_gate.cli import main; main()"


def command(home: Home, *arguments: str) -> tuple[int, dict[str, Any]]:
    """Run the real command without a terminal."""
    run = subprocess.run(
        [sys.executable, "-c", COMMAND, "--home", str(home.root), *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=240,
        check=False,
    )
    return run.returncode, json.loads(run.stdout)


def test_the_command_prints_the_contract_and_never_waits(home: Home, tmp_path: Path) -> None:
    export = tmp_path / "consent.csv"
    export.write_text(school_of(**{f"_{7000 + at:06d}": ",T,T,T,," for at in range(20)}))
    before = register(home)
    code, printed = command(home, "import-sims", str(export), "--dry-run", "--json")
    assert (code, printed["status"]) == (0, "dry_run")
    assert register(home) == before
    jsonschema.validate(printed, CONTRACT)

    code, printed = command(home, "import-sims", str(export), "--json")
    assert (code, printed["status"]) == (0, "applied")
    jsonschema.validate(printed, CONTRACT)

    export.write_text(school_of())
    code, printed = command(home, "import-sims", str(export), "--json")
    assert (code, printed["status"]) == (1, "blocked")
    assert printed["added"] == printed["changed"] == []
    jsonschema.validate(printed, CONTRACT)


def test_what_is_kept_of_an_import_holds_the_files_hash_and_no_cell_of_it(home: Home) -> None:
    text = school_of().replace("Photograph - Website", "Photograph perhaps Surname7")
    result = run_import(home, ExportFile("c.csv", text.encode()), (), "office").report
    run = ImportRun.objects.get()
    assert run.file_sha256 == hashlib.sha256(text.encode()).hexdigest()
    assert "Name7" not in json.dumps(run.summary)
    assert result["status"] == "applied"
