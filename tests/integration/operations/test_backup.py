"""A home is lost and put back: nothing is missing, and nothing that was closed opens again."""

from __future__ import annotations

import hashlib
import os
import shutil
import sqlite3
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.db import connection, transaction
from django.test import Client
from typer.testing import CliRunner

from consent_gate.bootstrap import create_home, open_home
from consent_gate.db import audit_log, revocations
from consent_gate.db.models import (
    ChannelDecision,
    EnrolmentPhoto,
    FeedToken,
    ImportRun,
    Item,
    ItemState,
    Publication,
    PupilEntry,
    PupilInItem,
    Restore,
    Role,
    SentReminder,
    StaffApproval,
    Template,
    User,
)
from consent_gate.decisions import cameras
from consent_gate.decisions.apply import apply_decision
from consent_gate.decisions.event_classes import classes_at, name_classes
from consent_gate.decisions.ledger import DecisionContext, recall_publication
from consent_gate.decisions.rules import registered_cameras
from consent_gate.errors import (
    AwaitingExport,
    DecryptionError,
    HomeNotFound,
    StorageFull,
    UpgradeNeeded,
)
from consent_gate.home.home import Home
from consent_gate.operations import backup, backup_copy, backup_format, key_backup, restore
from consent_gate.register.repository import last_exported_on, load_gallery, load_register
from consent_gate.register.sibling_lists import save_families
from consent_gate.register.templates import destroy_lost_templates
from consent_gate.register.thresholds import accept, propose, thresholds_in_force
from consent_gate.review import service
from consent_gate.subject_rights.erase import erase_pupil
from consent_gate.vault.originals import read_part
from publish.feed import tokens
from publish.recall.by_hand import RecallSelection, recall_selection
from publish.retention import retention_round
from sims_import.applying import store
from tests.conftest import Clock
from tests.support import postgresql
from tests.support.factories import PASSWORD, STRANGER, World, matches

pytestmark = pytest.mark.dialect

LogIn = Callable[[User], Client]


def no_bar(_done: int, _total: int) -> None:
    """Nobody watches."""


class Office:
    """A school with a backup disk and a safe for the keys."""

    def __init__(self, world: World, tmp_path: Path, clock: Clock) -> None:
        self.world, self.home, self.clock = world, world.home, clock
        self.disk, self.safe = tmp_path / "disk", tmp_path / "safe"
        self.new_root = tmp_path / "new" / "home"

    def back_up(self, **how: int) -> Path:
        done = backup.make_backup(self.home, self.disk, "office", no_bar, **how)
        key_backup.copy_keys(self.home, self.safe)
        self.clock.pass_days(1)
        return done

    def lose_the_home(self) -> None:
        connection.close()
        postgresql.put_rows_aside(self.home.settings.database)
        shutil.rmtree(self.home.root)

    def put_back(self, folder: Path, lists: list[Path] | None = None) -> Home:
        connection.close()
        postgresql.put_rows_aside(self.home.settings.database)
        restore.restore(
            folder, self.new_root, self.safe, "office", no_bar, lists=lists or [], clock=self.clock
        )
        home = open_home(self.new_root)
        return Home(home.root, home.settings, home.keys, self.clock)

    def import_of_today(self) -> None:
        now = self.home.now()
        ImportRun.objects.create(
            file_name="today.csv",
            file_sha256="1" * 64,
            exported_on=now.date(),
            status=ImportRun.Status.APPLIED,
            actor="office",
            created_at=now,
        )


@pytest.fixture
def office(world: World, tmp_path: Path, clock: Clock) -> Office:
    world.a_pupil("000001", "Ann", "Archer")
    world.a_pupil("000002", "Ben", "Baker")
    world.a_picture(matches("000001"))
    world.a_picture(matches("000001"), matches("000002"))
    world.a_picture(STRANGER)
    return Office(world, tmp_path, clock)


def bring_out(home: Home) -> None:
    """Everything released is out, as after a round of publishing."""
    Publication.objects.update(state="live", released_at=home.now())


def lose_consent(home: Home, number: str) -> None:
    """The parents withdraw consent for face matching."""
    from consent_gate.db.models import ConsentAnswer

    ConsentAnswer.objects.filter(pupil__admission_number=number, purpose="biometric").update(
        answer="refused"
    )
    with transaction.atomic():
        assert destroy_lost_templates(home, "office") == [number]
    audit_log.save_anchor(home)


def test_a_lost_home_is_put_back_with_every_picture_and_a_whole_audit_trail(
    office: Office,
) -> None:
    before = {item.pk: read_part(office.home, item) for item in Item.objects.all()}
    entries = list(audit_log.entries())
    done = office.back_up()
    office.lose_the_home()
    home = office.put_back(done)
    assert {item.pk: read_part(home, item) for item in Item.objects.all()} == before
    assert all(read_part(home, item, "preview") for item in Item.objects.all())
    assert audit_log.verify(home) == []
    assert list(audit_log.entries())[: len(entries)] == entries
    assert Template.objects.count() == 2
    assert (home.root / "consent-gate.toml").read_text() == (done / "consent-gate.toml").read_text()


def test_a_backup_holds_no_key(office: Office) -> None:
    done = office.back_up()
    keys = [getattr(office.home.keys, name) for name in ("vault", "templates", "audit", "web")]
    for path in done.rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            assert not any(key in data or key.hex().encode() in data for key in keys), path.name


def test_after_a_restore_nothing_goes_out_before_a_fresh_export(office: Office) -> None:
    """Whoever withdrew consent since the backup is not known to it."""
    done = office.back_up()
    office.lose_the_home()
    home = office.put_back(done)
    assert load_register(home.now().date()).exported_on is None
    with pytest.raises(AwaitingExport):
        load_gallery(home)
    old_export = ImportRun.objects.get()
    old_export.pk, old_export.exported_on = None, home.now().date().replace(year=2020)
    old_export.save()
    assert last_exported_on() is None, "last year's export says nothing of this year"
    office.import_of_today()
    assert last_exported_on() == home.now().date()


def test_templates_destroyed_after_the_backup_are_destroyed_again(office: Office) -> None:
    done = office.back_up()
    lose_consent(office.home, "000001")
    list_of_the_lost_home = office.safe / "closings-of-the-lost-home.jsonl"
    shutil.copy(revocations.revocations_file(office.home), list_of_the_lost_home)
    office.lose_the_home()
    home = office.put_back(done, [list_of_the_lost_home])
    left = set(EnrolmentPhoto.objects.values_list("pupil__admission_number", flat=True))
    assert left == {"000002"}
    assert audit_log.verify(home) == []
    subject = audit_log.pupil_subject(home, "000001")
    assert subject in {e.subject for e in audit_log.entries() if e.action == "templates.destroyed"}


def test_an_older_backup_knows_what_a_newer_one_beside_it_closed(office: Office) -> None:
    older = office.back_up()
    lose_consent(office.home, "000001")
    newer = office.back_up()
    shutil.rmtree(newer)
    office.lose_the_home()
    office.put_back(older)
    assert not EnrolmentPhoto.objects.filter(pupil__admission_number="000001").exists()


def test_what_was_carried_out_again_is_not_carried_out_a_second_time(office: Office) -> None:
    """Ann's parents consent anew after the restore: a later restore leaves her template alone."""
    older = office.back_up()
    lose_consent(office.home, "000001")
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


def test_a_picture_recalled_after_the_backup_stays_back(office: Office) -> None:
    bring_out(office.home)
    done = office.back_up()
    publication = Publication.objects.filter(channel="website").first()
    assert publication is not None
    with transaction.atomic():
        now = office.home.now()
        recall_publication(
            DecisionContext(office.home, load_register(now.date()), now), publication, "by_hand"
        )
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
    office: Office,
) -> None:
    """Or the next import would take the guard off a pupil whose brother has no enrolment photo."""
    save_families(office.home, (("000001", "000002"),))
    folder = office.back_up()
    office.lose_the_home()
    home = office.put_back(folder)
    with transaction.atomic():
        store.link_siblings(home)
    assert set(PupilEntry.objects.values_list("family_group", flat=True)) == {"000001"}


def test_a_picture_sealed_or_refused_after_the_backup_is_so_again(office: Office) -> None:
    bring_out(office.home)
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


def test_a_recall_after_the_backup_outlasts_a_refusal_that_was_undone(office: Office) -> None:
    """It went out and came back after the backup: the restored ledger never had it out."""
    item = office.world.a_picture(matches("000002"))
    Publication.objects.all().delete()
    ChannelDecision.objects.filter(item=item).update(verdict="held")
    done = office.back_up()
    with transaction.atomic():
        now = office.home.now()
        this = DecisionContext(office.home, load_register(now.date()), now, may_open=True)
        apply_decision(this, Item.objects.get(pk=item.pk))
    bring_out(office.home)
    recall_selection(office.home, RecallSelection(items=[item.pk], channels=["website"]), "j.shaw")
    home = lose_and_restore(office, done)
    office.import_of_today()
    service.refuse(service.at_current_revision(home, "j.shaw", item.pk), ["website"], "no")
    service.reopen(service.at_current_revision(home, "j.shaw", item.pk), ["website"])
    with transaction.atomic():
        this = DecisionContext(home, load_register(home.now().date()), home.now(), may_open=True)
        apply_decision(this, Item.objects.get(pk=item.pk))
    assert ChannelDecision.objects.get(item=item, channel="website").verdict == "withdrawn"
    assert ChannelDecision.objects.get(item=item, channel="mag").verdict == "released"


def test_an_item_erased_after_the_backup_is_erased_again(office: Office) -> None:
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


def test_a_pupil_erased_after_the_backup_is_erased_again(office: Office) -> None:
    done = office.back_up()
    erase_pupil(office.home, "000002", "dpo")
    key_backup.copy_keys(office.home, office.safe)
    office.lose_the_home()
    home = office.put_back(done)
    assert list(PupilEntry.objects.values_list("admission_number", flat=True)) == ["000001"]
    assert not PupilInItem.objects.filter(admission_number="000002").exists()
    assert list((home.root / "certificates").iterdir())
    assert audit_log.verify(home) == []


def test_who_was_shut_out_after_the_backup_stays_out(office: Office, logged_in: LogIn) -> None:
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


def lose_and_restore(office: Office, done: Path) -> Home:
    """With the list of closings as it was when the home was lost."""
    audit_log.save_anchor(office.home)
    key_backup.copy_keys(office.home, office.safe)
    office.lose_the_home()
    return office.put_back(done)


def test_a_role_or_password_changed_after_the_backup_does_not_come_back(
    office: Office, logged_in: LogIn
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


def test_the_register_of_cameras_is_the_one_that_was_lost(office: Office) -> None:
    cameras.add(office.home, "Canon|EOS 90D|1", "office")
    done = office.back_up()
    cameras.add(office.home, "Canon|EOS 90D|2", "office")
    cameras.remove(office.home, "Canon|EOS 90D|1", "office")
    home = lose_and_restore(office, done)
    assert registered_cameras(home) == {"Canon|EOS 90D|2"}


def test_classes_named_for_an_event_after_the_backup_still_count(office: Office) -> None:
    done = office.back_up()
    name_classes(office.home, "sports-day", ["6C"], "office")
    home = lose_and_restore(office, done)
    assert classes_at("sports-day") == ("6C",)
    assert "sports-day" not in revocations.revocations_file(home).read_text()


def test_stricter_thresholds_accepted_after_the_backup_are_in_force(office: Office) -> None:
    shipped = thresholds_in_force()
    stricter = replace(shipped, fused_tail=replace(shipped.fused_tail, start=0.5))
    row = propose(office.home, stricter, "", "office")
    done = office.back_up()
    accept(office.home, row.pk, "dpo")
    lose_and_restore(office, done)
    assert thresholds_in_force() == stricter


def test_a_token_that_was_changed_for_another_opens_nothing_after_a_restore(
    office: Office,
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


def test_a_backup_that_was_altered_is_refused(office: Office) -> None:
    done = office.back_up()
    original = next(p for p in (done / "vault" / "originals").rglob("*") if p.is_file())
    data = bytearray(original.read_bytes())
    data[-1] ^= 1
    original.write_bytes(data)
    with pytest.raises(backup_format.BackupDamaged):
        restore.check(done, office.safe)
    office.lose_the_home()
    with pytest.raises(backup_format.BackupDamaged):
        office.put_back(done)
    assert not (office.new_root / "consent-gate.toml").exists(), "half a home is none"


def test_a_list_of_files_that_was_altered_is_refused(office: Office) -> None:
    done = office.back_up()
    lines = (done / "files.jsonl").read_text().splitlines(keepends=True)
    (done / "files.jsonl").write_text("".join(lines[1:]))
    with pytest.raises(backup_format.BackupDamaged):
        restore.check(done, office.safe)


def test_a_list_of_closings_that_was_altered_stops_the_restore(office: Office) -> None:
    lose_consent(office.home, "000001")
    done = office.back_up()
    path = office.safe / revocations.FILE
    path.write_text(path.read_text().replace("templates.destroyed", "publication.recalled"))
    office.lose_the_home()
    with pytest.raises(revocations.RevocationLogCorrupt):
        office.put_back(done)


def test_a_restore_that_was_interrupted_is_taken_up_again(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = office.back_up()
    office.lose_the_home()

    def power_cut(_number: int, _total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        restore.restore(done, office.new_root, office.safe, "office", power_cut)
    with pytest.raises(HomeNotFound):
        open_home(office.new_root)
    assert audit_log.verify(office.put_back(done)) == []


def test_a_home_is_never_put_over_another(office: Office) -> None:
    done = office.back_up()
    with pytest.raises(restore.HomeNotEmpty):
        restore.restore(done, office.home.root, office.safe, "office", no_bar)


def test_an_interrupted_backup_is_no_backup_and_is_taken_up_again(office: Office) -> None:
    def power_cut(number: int, _total: int) -> None:
        if number == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        backup.make_backup(office.home, office.disk, "office", power_cut)
    assert backup_format.backups(office.disk) == []
    first = next(p for p in (office.disk / ".partial-backup" / "vault").rglob("*") if p.is_file())
    number = first.stat().st_ino
    done = office.back_up()
    assert (done / first.relative_to(office.disk / ".partial-backup")).stat().st_ino == number
    assert restore.check(done, office.safe).files > 5


def test_a_second_backup_copies_only_what_is_new(office: Office) -> None:
    first = office.back_up()
    office.world.a_picture(STRANGER)
    second = office.back_up()
    links = [p for p in (second / "vault").rglob("*") if p.is_file()]
    shared = [p for p in links if p.stat().st_nlink == 2]
    assert len(shared) == len([p for p in (first / "vault").rglob("*") if p.is_file()])
    assert len(links) == len(shared) + 2, "the new original and its preview"
    shutil.rmtree(first)
    assert restore.check(second, office.safe).missing == 0


def test_old_backups_go_so_that_what_was_erased_goes(office: Office) -> None:
    oldest = office.back_up()
    office.back_up(keep=2)
    newest = office.back_up(keep=2)
    kept = backup_format.backups(office.disk)
    assert (len(kept), oldest in kept, newest in kept) == (2, False, True)


def test_a_disk_that_gives_back_something_else_holds_no_backup(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backup_copy, "digest", lambda path: hashlib.sha256(b"rot").hexdigest())
    with pytest.raises(backup_format.BackupDamaged):
        office.back_up()
    assert backup_format.backups(office.disk) == []


def test_a_full_disk_is_told_and_leaves_no_half_backup(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StorageFull):
        office.back_up()
    assert backup_format.backups(office.disk) == []


@pytest.mark.parametrize("place", ["vault", "approved/website", "backups"])
def test_a_backup_never_goes_into_the_home_or_an_approved_folder(
    office: Office, place: str
) -> None:
    with pytest.raises(backup.BackupMisplaced):
        backup.make_backup(office.home, office.home.root / place, "office", no_bar)


def test_a_backup_made_while_the_gate_works_is_consistent(office: Office) -> None:
    """Another program writes audit entries and pictures all the time."""
    stop = threading.Event()
    written: list[int] = []

    def keep_writing() -> None:
        while not stop.is_set():
            SentReminder.objects.create(code=f"note-{len(written)}", sent_at=office.home.now())
            written.append(1)
        connection.close()

    writer = threading.Thread(target=keep_writing)
    writer.start()
    try:
        done = office.back_up()
    finally:
        stop.set()
        writer.join()
    assert written
    with sqlite3.connect(done / "gate.sqlite3") as copy:
        assert copy.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert restore.check(done, office.safe).audit_sequence > 0


def test_keys_under_a_passphrase_open_with_it_and_with_no_other(
    office: Office, tmp_path: Path
) -> None:
    sealed = key_backup.encrypt_keys(office.home, tmp_path, "four green bicycles")
    assert office.home.keys.vault.hex().encode() not in sealed.read_bytes()
    with pytest.raises(DecryptionError):
        key_backup.decrypt_keys(sealed, "four green bicycle", tmp_path / "wrong")
    key_backup.decrypt_keys(sealed, "four green bicycles", tmp_path / "right")
    for name in ("vault", "templates", "audit", "web"):
        ours = (office.home.secrets / f"{name}.key").read_text()
        assert (tmp_path / "right" / f"{name}.key").read_text() == ours
    with pytest.raises(key_backup.PassphraseTooShort):
        key_backup.encrypt_keys(office.home, tmp_path, "short")


def test_the_office_backs_up_and_restores_from_the_command_line(office: Office) -> None:
    from consent_gate.cli.registry import app

    run, root = CliRunner(), str(office.home.root)
    options = ["--with-keys-encrypted", "--keep", "3"]
    phrase = {"CONSENT_GATE_PASSPHRASE": "four green bicycles"}
    made = run.invoke(app, ["--home", root, "backup", str(office.disk), *options], env=phrase)
    assert made.exit_code == 0, made.output
    done = str(backup_format.newest(office.disk))
    keys = ["--keys-file", str(office.disk / "keys.sealed")]
    checked = run.invoke(app, ["restore", done, *keys, "--dry-run"], env=phrase)
    assert "none changed" in checked.output
    office.lose_the_home()
    new = str(office.new_root)
    back = run.invoke(app, ["--home", new, "restore", done, *keys], env=phrase)
    assert back.exit_code == 0, back.output
    assert "import-sims" in back.output
    assert run.invoke(app, ["--home", new, "audit", "verify"]).exit_code == 0
    assert Restore.objects.count() == 1


def test_keys_and_backups_are_not_put_into_one_folder(office: Office) -> None:
    from consent_gate.cli.registry import app

    disk = str(office.disk)
    command = ["--home", str(office.home.root), "backup", disk, "--keys-to", f"{disk}/keys"]
    answer = CliRunner().invoke(app, command)
    assert isinstance(answer.exception, backup.BackupMisplaced)


def an_older_version() -> None:
    """The database as a version without a second step of signing in would have left it."""
    call_command("migrate", "mfa", "zero", verbosity=0)


def tables_in(copy: Path) -> set[str]:
    if copy.suffix == ".dump":
        return postgresql.tables_in_dump(copy)
    with sqlite3.connect(copy) as old:
        return {row[0] for row in old.execute("SELECT name FROM sqlite_master")}


def test_a_database_of_an_older_version_is_copied_and_brought_up_to_date(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", f"{postgresql.programs()}:{os.environ['PATH']}")
    an_older_version()
    for way_in in (open_home, create_home):
        with pytest.raises(UpgradeNeeded, match="consent-gate migrate"):
            way_in(office.home.root)
    home = open_home(office.home.root, migrated=False)
    copy = backup.upgrade(home)
    assert copy is not None
    assert "mfa_authenticator" in connection.introspection.table_names()
    tables = tables_in(copy)
    assert "gate_item" in tables
    assert "mfa_authenticator" not in tables
    assert open_home(office.home.root).root == home.root
    assert audit_log.verify(office.home) == []
    assert backup.upgrade(home) is None
    office.back_up()
    assert not copy.exists(), "it would keep what is erased from now on"


def test_the_migrations_make_the_tables_that_the_models_describe(office: Office) -> None:
    call_command("makemigrations", check_changes=True, dry_run=True, verbosity=0)


def test_a_database_of_a_newer_version_is_left_alone(office: Office) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO django_migrations (app, name, applied)"
            " VALUES ('gate', '9999_future', '2030-01-01')"
        )
    with pytest.raises(UpgradeNeeded, match="newer version"):
        open_home(office.home.root)


def test_a_list_of_closings_cut_short_by_a_power_failure_is_mended(office: Office) -> None:
    lose_consent(office.home, "000001")
    path = revocations.revocations_file(office.home)
    whole = path.read_bytes()
    path.write_bytes(whole[:-10])
    revocations.append_new(office.home)
    assert path.read_bytes() == whole
    assert oct(path.stat().st_mode & 0o777) == "0o600"
