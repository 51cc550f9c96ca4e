"""An import changes everything that its report says, or nothing."""

from __future__ import annotations

import json
import os
from datetime import timedelta
from pathlib import Path

import jsonschema
import pytest

from consent_gate.db.models import (
    AuditEntry,
    ConsentAnswer,
    ImportRun,
    Item,
    ItemState,
    Portrait,
    PupilEntry,
    Template,
)
from consent_gate.home.home import Home
from consent_gate.publication import OPEN
from consent_gate.register.repository import last_exported_on, load_register
from consent_gate.register.sibling_lists import save_families
from tests.conftest import Clock
from tests.support.factories import World, matches
from tests.support.imports import (
    consent_csv,
    database_bytes,
    import_csv,
    make_template,
    register_rows,
    run_command,
    run_here,
    verdict_of,
)
from tests.support.made_school import NEXT_TERM, MadeSchool


def audit(action: str) -> int:
    return AuditEntry.objects.filter(action=action).count()


@pytest.mark.dialect
def test_next_term_six_withdraw_three_leave_four_join_and_nothing_else(
    home: Home, made_school: MadeSchool
) -> None:
    import_csv(home, made_school.export("consent_wide.csv"))
    before = {p.admission_number: p.on_roll for p in PupilEntry.objects.all()}
    done = import_csv(home, made_school.export(NEXT_TERM))

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


@pytest.mark.dialect
def test_leavers_templates_are_gone_from_the_file_and_its_log(
    home: Home, made_school: MadeSchool
) -> None:
    import_csv(home, made_school.export("consent_wide.csv"))
    lost = [make_template(home, number) for number in made_school.leavers]
    kept = make_template(home, made_school.withdrawn[0])
    assert all(sealed in database_bytes(home) for sealed in lost)

    done = import_csv(home, made_school.export(NEXT_TERM))

    assert sorted(done.templates_destroyed) == list(made_school.leavers)
    data = database_bytes(home)
    assert [sealed for sealed in lost if sealed in data] == []
    assert kept in data


@pytest.mark.dialect
def test_the_template_of_a_pupil_who_withdraws_matching_is_destroyed(home: Home) -> None:
    import_csv(home, consent_csv())
    sealed, portrait = make_template(home, "007001"), os.urandom(6000)
    Portrait.objects.create(template=Template.objects.get(), ciphertext=portrait)
    assert portrait[:500] in database_bytes(home)
    import_csv(home, consent_csv(_007001="T,T,T,,,"))
    assert not Template.objects.exists()
    assert sealed not in database_bytes(home)
    assert portrait[:500] not in database_bytes(home)
    assert audit("templates.destroyed") == 1


@pytest.mark.dialect
def test_a_childs_own_objection_destroys_the_template(home: Home) -> None:
    import_csv(home, consent_csv())
    make_template(home, "007001")
    import_csv(home, consent_csv(_007001="T,T,T,T,Y,"))
    assert not Template.objects.exists()


@pytest.mark.dialect
def test_the_same_file_again_changes_nothing(home: Home) -> None:
    import_csv(home, consent_csv())
    item = World(home).make_item(matches("007001"))
    before, entries = register_rows(home), AuditEntry.objects.count()
    done = import_csv(home, consent_csv())
    after = register_rows(home)
    assert done.recalled == 0
    assert len(done.run.summary["unchanged"]) == 40
    assert AuditEntry.objects.count() == entries + 1, "the import itself"
    for table in ("PupilEntry", "ConsentAnswer", "Template", "SuspendedPurpose", "PupilChange"):
        assert after[table] == before[table]
    assert item.state == Item.objects.get(pk=item.pk).state


@pytest.mark.dialect
def test_a_blocked_import_applies_what_holds_and_nothing_that_releases(home: Home) -> None:
    nobody = {f"_{7000 + at:06d}": ",T,T,T,," for at in range(20)}
    import_csv(home, consent_csv(**nobody))
    shifted = consent_csv(_007039="T,,T,T,,")
    done = import_csv(home, shifted)
    assert done.run.status == ImportRun.Status.BLOCKED
    assert [b.code for b in done.done.standing] == ["many-grants:website"]
    website = ConsentAnswer.objects.filter(purpose="website", answer="given").count()
    assert website == 20, "no grant was applied"
    assert (
        ConsentAnswer.objects.get(pupil__admission_number="007039", purpose="mag").answer
        == "not_stated"
    ), "the withdrawal was"

    import_csv(home, shifted, "many-grants:website")
    assert ConsentAnswer.objects.filter(purpose="website", answer="given").count() == 40


@pytest.mark.dialect
def test_a_blocked_import_does_not_make_the_register_fresh(home: Home, clock: Clock) -> None:
    import_csv(home, consent_csv(**{f"_{7000 + at:06d}": ",T,T,T,," for at in range(20)}))
    first = last_exported_on()
    clock.pass_days(100)
    import_csv(home, consent_csv())
    assert last_exported_on() == first


@pytest.mark.dialect
def test_an_older_export_is_stopped_even_after_a_blocked_one(home: Home) -> None:
    today = home.now().date()
    nobody = {f"_{7000 + at:06d}": ",T,T,T,," for at in range(20)}
    import_csv(home, consent_csv(**nobody), exported_on=today - timedelta(days=60))
    import_csv(home, consent_csv(_007039="T,,T,T,,"), exported_on=today)
    older = import_csv(home, consent_csv(**nobody), exported_on=today - timedelta(days=30))
    assert [b.code for b in older.done.standing] == ["export-older"]
    assert (
        ConsentAnswer.objects.get(pupil__admission_number="007039", purpose="mag").answer
        == "not_stated"
    ), "the older export did not bring it back"


@pytest.mark.dialect
def test_the_first_import_has_no_blocks_on_counts_and_withdraws_nothing(home: Home) -> None:
    marked = {f"_{7000 + at:06d}": "T,T,T,T,Y,T" for at in range(30)}
    done = import_csv(home, consent_csv(**marked))
    assert done.run.status == ImportRun.Status.APPLIED
    assert len(done.run.summary["added"]) == 40
    assert done.run.summary["withdrawn"] == []
    assert done.run.summary["changed"] == []


@pytest.fixture
def small_school(home: Home) -> World:
    """Forty pupils by import, all with templates where a test needs them."""
    import_csv(home, consent_csv())
    for number in ("007001", "007002"):
        make_template(home, number)
    return World(home)


@pytest.mark.dialect
def test_a_withdrawn_pupil_is_recalled_from_the_website_alone(small_school: World) -> None:
    home, item = small_school.home, small_school.make_item(matches("007001"))
    item.publications.update(state="live", released_at=home.now())
    done = import_csv(home, consent_csv(_007001=",T,T,T,,"))
    assert done.recalled == 1
    assert (verdict_of(item), verdict_of(item, "mag")) == ("withdrawn", "released")


@pytest.mark.dialect
def test_a_new_consent_puts_a_picture_back_into_the_queue_not_out(small_school: World) -> None:
    home = small_school.home
    import_csv(home, consent_csv(_007001=",T,T,T,,"))
    item = small_school.make_item(matches("007001"))
    assert verdict_of(item) == "held"
    import_csv(home, consent_csv(_007003=",T,T,T,,"))
    item.refresh_from_db()
    assert item.state == ItemState.RECEIVED, "examined again before anything goes out"
    assert not item.publications.filter(channel="website").exists()


@pytest.mark.dialect
def test_a_recalled_picture_stays_recalled_until_a_person_approves(small_school: World) -> None:
    home, item = small_school.home, small_school.make_item(matches("007001"))
    item.publications.update(state="live", released_at=home.now())
    import_csv(home, consent_csv(_007001=",T,T,T,,"))
    import_csv(home, consent_csv())
    item.refresh_from_db()
    assert (item.state, verdict_of(item)) == (ItemState.DECIDED, "withdrawn")
    assert not item.publications.filter(channel="website", state="live").exists()


@pytest.mark.dialect
def test_a_pupil_whose_sibling_is_no_longer_enrolled_is_not_cleared_by_the_machine(
    home: Home,
) -> None:
    family = consent_csv().replace(",F2,", ",F1,")
    import_csv(home, family)
    for number in ("007001", "007002"):
        make_template(home, number)
    item = World(home).make_item(matches("007001"))
    assert verdict_of(item) == "released", "on its way out"
    done = import_csv(home, family.replace("F1,T,T,T,T,,\n007003", "F1,T,T,T,,,\n007003"))
    assert done.templates_destroyed == ("007002",)
    assert item.decisions.get(channel="website").reasons == ["sibling_guard"]
    assert not item.publications.filter(state__in=OPEN).exists()


@pytest.mark.dialect
def test_a_number_given_to_another_child_never_speaks_for_the_first_one(home: Home) -> None:
    upn = "A823432117001"
    row = "007001,,Name1,Surname1,"
    assert row in consent_csv()
    first = consent_csv().replace(row, f"007001,{upn},Name1,Surname1,")
    import_csv(home, first)
    make_template(home, "007001")
    item = World(home).make_item(matches("007001"))
    import_csv(home, first.replace(f"007001,{upn}", f"009001,{upn}"))
    assert set(item.shown.values_list("admission_number", flat=True)) == {"009001"}
    item.refresh_from_db()
    assert "007001" not in json.dumps(item.evidence)


@pytest.mark.dialect
def test_the_schools_own_list_makes_siblings_where_sims_knows_of_none(home: Home) -> None:
    import_csv(home, consent_csv())
    make_template(home, "007001")
    item = World(home).make_item(matches("007001"))
    assert verdict_of(item) == "released", "on its way out"
    save_families(home, (("007001", "007002", "999999"),))
    import_csv(home, consent_csv())
    groups = PupilEntry.objects.exclude(family_group="")
    assert set(groups.values_list("admission_number", flat=True)) == {"007001", "007002"}
    assert item.decisions.get(channel="website").reasons == ["sibling_guard"]


def guarded(home: Home, number: str) -> bool:
    """Whether a match to the pupil is not trusted, for the sake of a brother or sister."""
    return load_register(home.now().date()).pupils[number].has_unenrolled_sibling


@pytest.mark.dialect
def test_the_schools_own_list_still_knows_a_pupil_with_a_new_number(home: Home) -> None:
    upn = "A823432117001"
    first = consent_csv().replace("007002,,Name2", f"007002,{upn},Name2")
    save_families(home, (("007001", "007002"),))
    import_csv(home, first)
    make_template(home, "007001")
    assert guarded(home, "007001")
    import_csv(home, first.replace(f"007002,{upn}", f"009002,{upn}"))
    assert guarded(home, "007001")


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


def test_the_command_prints_the_contract_and_never_waits(home: Home, tmp_path: Path) -> None:
    export = tmp_path / "consent.csv"
    export.write_text(consent_csv(**{f"_{7000 + at:06d}": ",T,T,T,," for at in range(20)}))
    before = register_rows(home)
    code, printed = run_command(home, "import-sims", str(export), "--dry-run", "--json")
    assert (code, printed["status"]) == (0, "dry_run")
    assert register_rows(home) == before
    jsonschema.validate(printed, CONTRACT)

    code, output = run_here(home, "import-sims", str(export), "--json")
    printed = json.loads(output)
    assert (code, printed["status"]) == (0, "applied")
    jsonschema.validate(printed, CONTRACT)

    export.write_text(consent_csv())
    code, output = run_here(home, "import-sims", str(export), "--json")
    printed = json.loads(output)
    assert (code, printed["status"]) == (1, "blocked")
    assert printed["added"] == printed["changed"] == []
    jsonschema.validate(printed, CONTRACT)
