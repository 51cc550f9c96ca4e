"""After a restore, everything that was closed after the backup is closed again."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.db import transaction
from django.test import Client

from consent_gate.db import audit_log, revocations
from consent_gate.db.models import (
    ChannelDecision,
    EnrolmentPhoto,
    EventClasses,
    FeedToken,
    Item,
    ItemState,
    Publication,
    PupilEntry,
    PupilInItem,
    Role,
    StaffApproval,
    User,
)
from consent_gate.decisions import cameras
from consent_gate.decisions.apply import apply_decision
from consent_gate.decisions.event_classes import name_classes
from consent_gate.decisions.ledger import DecisionContext
from consent_gate.decisions.publications import recall_or_cancel_rows
from consent_gate.decisions.rules.rules_in_force import registered_cameras
from consent_gate.decisions.staff_input import load_staff_input
from consent_gate.errors import (
    DecryptionError,
)
from consent_gate.operations.backup import key_backup
from consent_gate.publication import OPEN
from consent_gate.register.repository import load_register
from consent_gate.register.sibling_lists import save_families
from consent_gate.register.thresholds import accept, propose, thresholds_in_force
from consent_gate.review import service
from consent_gate.review.covering import undo_answers
from consent_gate.subject_rights.erase import erase_pupil
from consent_gate.vault.originals import read_part
from publish.feed import tokens
from publish.recall.by_hand import RecallSelection, recall_selection
from publish.retention import retention_round
from sims_import.applying import store
from tests.support.backups import (
    BackedUpSchool,
    lose_and_restore,
    mark_all_live,
    office,
    withdraw_matching_consent,
)
from tests.support.factories import PASSWORD, matches

__all__ = ["office"]


LogIn = Callable[[User], Client]


@pytest.mark.dialect
def test_templates_destroyed_after_the_backup_are_destroyed_again_by_the_restore(
    office: BackedUpSchool,
) -> None:
    done = office.back_up()
    withdraw_matching_consent(office.home, "000001")
    list_of_the_lost_home = office.safe / "closings-of-the-lost-home.jsonl"
    shutil.copy(revocations.revocations_file(office.home), list_of_the_lost_home)
    office.lose_the_home()
    home = office.put_back(done, [list_of_the_lost_home])
    left = set(EnrolmentPhoto.objects.values_list("pupil__admission_number", flat=True))
    assert left == {"000002"}
    assert audit_log.verify(home) == []
    subject = audit_log.pupil_subject(home, "000001")
    assert subject in {e.subject for e in audit_log.entries() if e.action == "templates.destroyed"}


def test_a_restore_of_an_older_backup_reads_the_revocations_of_newer_ones(
    office: BackedUpSchool,
) -> None:
    older = office.back_up()
    withdraw_matching_consent(office.home, "000001")
    newer = office.back_up()
    shutil.rmtree(newer)
    office.lose_the_home()
    office.put_back(older)
    assert not EnrolmentPhoto.objects.filter(pupil__admission_number="000001").exists()


@pytest.mark.dialect
def test_revocations_are_replayed_once(
    office: BackedUpSchool,
) -> None:
    """Ann's parents consent anew after the restore: a later restore leaves her template alone."""
    older = office.back_up()
    withdraw_matching_consent(office.home, "000001")
    key_backup.copy_keys(office.home, office.safe)
    office.lose_the_home()
    office.home = office.put_back(older)
    pupil = EnrolmentPhoto.objects.get().pupil
    pupil.pk, pupil.admission_number = None, "000003"
    photo = EnrolmentPhoto.objects.create(
        pupil_id=1, sha256="9" * 64, first_imported_on=office.home.now().date()
    )
    later = office.back_up()
    office.lose_the_home()
    office.new_root = office.new_root.with_name("second")
    office.put_back(later)
    assert EnrolmentPhoto.objects.filter(sha256=photo.sha256).exists()


def test_a_picture_recalled_after_the_backup_stays_back(office: BackedUpSchool) -> None:
    mark_all_live(office.home)
    done = office.back_up()
    publication = Publication.objects.filter(channel="website").first()
    assert publication is not None
    with transaction.atomic():
        recall_or_cancel_rows(office.home, [publication], "by_hand", office.home.now())
    audit_log.save_anchor(office.home)
    key_backup.copy_keys(office.home, office.safe)
    office.lose_the_home()
    home = office.put_back(done)
    again = Publication.objects.get(pk=publication.pk)
    assert again.state == "withdrawing"
    decision = ChannelDecision.objects.get(item=publication.item_id, channel="website")
    assert decision.verdict == "withdrawn"
    others = Publication.objects.exclude(pk=publication.pk)
    assert {other.state for other in others} == {"live"}
    assert audit_log.verify(home) == []


def test_brothers_and_sisters_of_the_schools_own_list_are_known_after_a_restore(
    office: BackedUpSchool,
) -> None:
    """Or the next import would take the guard off a pupil whose brother has no enrolment photo."""
    save_families(office.home, (("000001", "000002"),))
    folder = office.back_up()
    office.lose_the_home()
    home = office.put_back(folder)
    with transaction.atomic():
        store.link_siblings(home)
    assert set(PupilEntry.objects.values_list("family_group", flat=True)) == {"000001"}


@pytest.mark.dialect
def test_a_picture_sealed_or_refused_after_the_backup_is_so_again(office: BackedUpSchool) -> None:
    mark_all_live(office.home)
    done = office.back_up()
    sealed, refused = Item.objects.order_by("pk")[:2]
    service.seal(service.ReviewAction(office.home, "j.shaw", sealed.pk, sealed.revision))
    said = service.ReviewAction(office.home, "j.shaw", refused.pk, refused.revision)
    service.refuse(said, ["website"], "not this one")
    audit_log.save_anchor(office.home)
    key_backup.copy_keys(office.home, office.safe)
    office.lose_the_home()
    home = office.put_back(done)
    sealed, refused = Item.objects.get(pk=sealed.pk), Item.objects.get(pk=refused.pk)
    assert sealed.state == ItemState.SEALED
    with pytest.raises(DecryptionError):
        read_part(home, sealed)
    assert StaffApproval.objects.get(item=refused, refused=True).channel == "website"
    assert not Publication.objects.filter(item=sealed, state="live").exists()


def test_a_recall_after_the_backup_outlasts_a_refusal_that_was_undone(
    office: BackedUpSchool,
) -> None:
    """It went out and came back after the backup: the restored ledger never had it out."""
    item = office.world.make_item(matches("000002"))
    Publication.objects.all().delete()
    ChannelDecision.objects.filter(item=item).update(verdict="held")
    done = office.back_up()
    with transaction.atomic():
        now = office.home.now()
        this = DecisionContext(office.home, load_register(now.date()), now, may_open=True)
        apply_decision(this, Item.objects.get(pk=item.pk))
    mark_all_live(office.home)
    recall_selection(office.home, RecallSelection(items=[item.pk], channels=["website"]), "j.shaw")
    home = lose_and_restore(office, done)
    office.import_of_today()
    service.refuse(service.at_current_revision(home, "j.shaw", item.pk), ["website"], "no")
    undo_answers(service.at_current_revision(home, "j.shaw", item.pk), ["website"])
    with transaction.atomic():
        this = DecisionContext(home, load_register(home.now().date()), home.now(), may_open=True)
        apply_decision(this, Item.objects.get(pk=item.pk))
    assert ChannelDecision.objects.get(item=item, channel="website").verdict == "withdrawn"
    assert ChannelDecision.objects.get(item=item, channel="mag").verdict == "released"


@pytest.mark.parametrize("state", ["intended", "written"])
def test_a_recall_of_what_was_on_its_way_at_the_backup_outlasts_a_refusal(
    office: BackedUpSchool, state: str
) -> None:
    """It went out and came back after the backup: the restored row was never out."""
    item = office.world.make_item(matches("000002"))
    on_its_way = Publication.objects.filter(item=item, channel="website")
    assert on_its_way.update(state=state) == 1
    done = office.back_up()
    mark_all_live(office.home)
    recall_selection(office.home, RecallSelection(items=[item.pk], channels=["website"]), "j.shaw")
    home = lose_and_restore(office, done)
    office.import_of_today()
    assert on_its_way.get().state == "cancelled"
    service.refuse(service.at_current_revision(home, "j.shaw", item.pk), ["website"], "no")
    undo_answers(service.at_current_revision(home, "j.shaw", item.pk), ["website"])
    with transaction.atomic():
        this = DecisionContext(home, load_register(home.now().date()), home.now(), may_open=True)
        apply_decision(this, Item.objects.get(pk=item.pk))
    assert ChannelDecision.objects.get(item=item, channel="website").verdict == "withdrawn"
    assert not on_its_way.filter(state__in=OPEN).exists()


def test_an_item_erased_after_the_backup_is_erased_again(office: BackedUpSchool) -> None:
    done = office.back_up()
    item = Item.objects.order_by("pk").first()
    assert item is not None
    with transaction.atomic():
        audit_log.record(office.home, "item.erased", f"item:{item.pk}")
    audit_log.save_anchor(office.home)
    key_backup.copy_keys(office.home, office.safe)
    office.lose_the_home()
    home = office.put_back(done)
    gone = Item.objects.get(pk=item.pk)
    assert (gone.state, gone.wrapped_key, gone.evidence) == (ItemState.ERASED, None, None)
    retention_round(home)
    assert not list(home.vault.rglob(item.pk))
    assert audit_log.verify(home) == []


@pytest.mark.dialect
def test_a_pupil_erased_after_the_backup_is_erased_again(office: BackedUpSchool) -> None:
    done = office.back_up()
    erase_pupil(office.home, "000002", "dpo")
    key_backup.copy_keys(office.home, office.safe)
    office.lose_the_home()
    home = office.put_back(done)
    assert list(PupilEntry.objects.values_list("admission_number", flat=True)) == ["000001"]
    assert not PupilInItem.objects.filter(admission_number="000002").exists()
    assert list((home.root / "certificates").iterdir())
    assert audit_log.verify(home) == []


def test_accounts_closed_after_the_backup_stay_closed(
    office: BackedUpSchool, logged_in: LogIn
) -> None:
    leaver = office.world.make_user("l.eaver")
    admin = office.world.make_user("a.dmin", Role.ADMINISTRATOR)
    hour = timedelta(hours=1)
    token = tokens.new_token(office.home, "website", "wordpress", hour, "a.dmin")
    done = office.back_up()
    logged_in(admin).post(f"/people/{leaver.pk}/", {"change": "close"})
    tokens.end_token(office.home, token.split(".")[0], "a.dmin")
    audit_log.save_anchor(office.home)
    key_backup.copy_keys(office.home, office.safe)
    office.lose_the_home()
    office.put_back(done)
    assert not User.objects.get(username="l.eaver").is_active
    assert User.objects.get(username="a.dmin").is_active
    assert FeedToken.objects.get().ends_at is not None


def test_a_role_or_password_changed_after_the_backup_does_not_come_back(
    office: BackedUpSchool, logged_in: LogIn
) -> None:
    lead = office.world.make_user("l.ead", Role.SAFEGUARDING_LEAD)
    careless = office.world.make_user("c.areless")
    admin = logged_in(office.world.make_user("a.dmin", Role.ADMINISTRATOR))
    done = office.back_up()
    admin.post(f"/people/{lead.pk}/", {"change": "role", "role": "reviewer"})
    new = "four-red-tricycles"
    logged_in(careless).post(
        "/account/password/", {"oldpassword": PASSWORD, "password1": new, "password2": new}
    )
    assert User.objects.get(username="c.areless").check_password(new)
    lose_and_restore(office, done)
    assert User.objects.get(username="l.ead").role == Role.REVIEWER
    assert not User.objects.get(username="c.areless").check_password(PASSWORD)
    assert User.objects.get(username="a.dmin").check_password(PASSWORD)
    assert not Session.objects.exists(), "everybody logs in again"


def test_the_register_of_cameras_is_the_one_that_was_lost(office: BackedUpSchool) -> None:
    cameras.add(office.home, "Canon|EOS 90D|1", "office")
    done = office.back_up()
    cameras.add(office.home, "Canon|EOS 90D|2", "office")
    cameras.remove(office.home, "Canon|EOS 90D|1", "office")
    home = lose_and_restore(office, done)
    assert registered_cameras(home) == {"Canon|EOS 90D|2"}


def test_classes_named_for_an_event_after_the_backup_still_count(office: BackedUpSchool) -> None:
    done = office.back_up()
    name_classes(office.home, "sports-day", ["5B"], "office")
    home = lose_and_restore(office, done)
    assert EventClasses.objects.get(event="sports-day").reg_groups == ["5B"]
    assert not load_staff_input(Item.objects.all()[0]).roll_threshold, "it only restricts"
    assert "sports-day" not in revocations.revocations_file(home).read_text()


def test_stricter_thresholds_accepted_after_the_backup_are_in_force(office: BackedUpSchool) -> None:
    shipped = thresholds_in_force()
    stricter = replace(shipped, fused_tail=replace(shipped.fused_tail, start=0.5))
    row = propose(office.home, stricter, "", "office")
    done = office.back_up()
    accept(office.home, row.pk, "dpo")
    lose_and_restore(office, done)
    assert thresholds_in_force() == stricter


def test_a_token_that_was_changed_for_another_opens_nothing_after_a_restore(
    office: BackedUpSchool,
) -> None:
    """It was changed because somebody else had read it."""
    leaked = tokens.new_token(office.home, "website", "wordpress", timedelta(), "a.dmin")
    done = office.back_up()
    tokens.new_token(office.home, "website", "wordpress", timedelta(), "a.dmin")
    audit_log.save_anchor(office.home)
    key_backup.copy_keys(office.home, office.safe)
    office.lose_the_home()
    home = office.put_back(done)
    assert tokens.valid_token(home, leaked, "website") is None


def test_an_altered_list_of_revocations_stops_the_restore(office: BackedUpSchool) -> None:
    withdraw_matching_consent(office.home, "000001")
    done = office.back_up()
    path = office.safe / revocations.FILE
    path.write_text(path.read_text().replace("templates.destroyed", "publication.recalled"))
    office.lose_the_home()
    with pytest.raises(revocations.RevocationListCorrupt):
        office.put_back(done)


def test_a_list_of_revocations_cut_short_by_a_power_failure_is_repaired(
    office: BackedUpSchool,
) -> None:
    withdraw_matching_consent(office.home, "000001")
    path = revocations.revocations_file(office.home)
    whole = path.read_bytes()
    path.write_bytes(whole[:-10])
    revocations.append_new(office.home)
    assert path.read_bytes() == whole
    assert oct(path.stat().st_mode & 0o777) == "0o600"
