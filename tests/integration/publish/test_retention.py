"""Pictures are deleted when their retention period ends, and cannot be read again."""

from __future__ import annotations

import pytest
from django.db import connection, transaction

from consent_gate.db import audit_log
from consent_gate.db.models import (
    AuditEntry,
    ChannelDecision,
    InboxSighting,
    Item,
    ItemState,
    Publication,
    StaffApproval,
)
from consent_gate.errors import DecryptionError
from consent_gate.home.home import Home
from consent_gate.vault.originals import read_part, save_preview, vault_of
from publish.integrity.check import find_discrepancies
from publish.recall.by_hand import RecallSelection, recall_selection
from publish.recall.tickets import STAFF, confirm
from publish.release import publish_pending
from publish.retention import RetentionResult, retention_round
from tests.conftest import Clock, HomeAfter
from tests.support.factories import folder_vault
from tests.support.fake_renderer import (
    FakeRenderer,
    decide_item,
    make_photo,
    make_world_with_ann,
    published_files,
    read_manifest,
)
from tests.support.settings_override import with_section


def make_one_out(home: Home) -> None:
    make_world_with_ann(home)
    item = make_photo(home, "000001")
    save_preview(home, item, b"what staff see")
    publish_pending(home, FakeRenderer())


@pytest.fixture
def one_out(home_after: HomeAfter) -> Home:
    """Ann is in a picture that is out."""
    return home_after(make_one_out)


def keeping(home: Home, **days: int) -> Home:
    return with_section(home, "retention", **days)


def refuse_everywhere(home: Home) -> Item:
    with transaction.atomic():
        item = Item.objects.get()
        for channel in home.settings.channels:
            StaffApproval.objects.create(
                item=item, channel=channel, refused=True, actor="j.shaw", created_at=home.now()
            )
        decide_item(home, item)
    publish_pending(home, FakeRenderer())
    return item


def test_no_file_is_deleted_before_its_period_ends(one_out: Home, clock: Clock) -> None:
    refuse_everywhere(one_out)
    clock.pass_days(89)
    assert retention_round(one_out) == RetentionResult()
    assert read_part(one_out, Item.objects.get())


@pytest.mark.dialect
def test_a_picture_refused_everywhere_is_erased_after_its_period(
    one_out: Home, clock: Clock
) -> None:
    item = refuse_everywhere(one_out)
    key = bytes(Item.objects.get().wrapped_key or b"")
    on_sqlite = connection.vendor == "sqlite"  # what PostgreSQL's files keep: docs/postgresql.md
    assert not on_sqlite or key in one_out.database.read_bytes()
    clock.pass_days(91)
    assert retention_round(one_out).refused == 1
    item.refresh_from_db()
    assert (item.state, item.wrapped_key, item.evidence) == (ItemState.ERASED, None, None)
    assert (item.source, item.event, item.title) == ("", "", "")
    assert list(vault_of(one_out).item_ids()) == []
    assert list(vault_of(one_out).item_ids("preview")) == []
    connection.close()  # SQLite writes its log into the file
    for file in one_out.root.glob(f"{one_out.database.name}*") if on_sqlite else ():
        assert key not in file.read_bytes()
    with pytest.raises((OSError, DecryptionError)):
        read_part(one_out, item)
    assert AuditEntry.objects.filter(action="item.erased", subject=f"item:{item.pk}").exists()
    assert audit_log.verify(one_out) == []


def test_a_copy_of_the_vault_cannot_be_read_after_erasure(one_out: Home, clock: Clock) -> None:
    item = refuse_everywhere(one_out)
    path = folder_vault(one_out).path(item.pk)
    copy = path.read_bytes()
    clock.pass_days(91)
    retention_round(one_out)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(copy)
    with pytest.raises(DecryptionError):
        read_part(one_out, Item.objects.get())
    retention_round(one_out)
    assert not path.exists(), "what was put back without a key goes again"


def test_an_original_past_its_period_goes_and_the_picture_stays_recallable(
    one_out: Home, clock: Clock
) -> None:
    home = keeping(one_out, originals_days=30)
    clock.pass_days(31)
    assert retention_round(home).originals == 1
    assert Item.objects.get().wrapped_key is None
    assert len(published_files(home)) == 1
    taken = recall_selection(home, RecallSelection(pupils=["000001"]), "j.shaw")
    assert len(taken.publications) == 3
    assert published_files(home) == {}
    assert retention_round(home).originals == 0


def test_a_preview_is_deleted_when_nobody_needs_it(one_out: Home, clock: Clock) -> None:
    clock.pass_days(366)
    assert retention_round(one_out).previews == 1
    assert retention_round(one_out).previews == 0
    assert read_part(one_out, Item.objects.get()), "the original stays"


def test_a_preview_of_a_held_picture_stays_for_the_queue(one_out: Home, clock: Clock) -> None:
    ChannelDecision.objects.filter(channel="mag").update(verdict="held")
    clock.pass_days(366)
    assert retention_round(one_out).previews == 0


def test_a_sealed_picture_is_never_deleted_by_age(one_out: Home, clock: Clock) -> None:
    refuse_everywhere(one_out)
    Item.objects.update(state=ItemState.SEALED)
    clock.pass_days(4000)
    assert retention_round(keeping(one_out, originals_days=1)) == RetentionResult()


def test_the_name_of_an_erased_file_is_forgotten_when_it_has_left_the_inbox(
    one_out: Home, clock: Clock
) -> None:
    item = refuse_everywhere(one_out)
    path = one_out.inbox / "Robin Ashdown.jpg"
    path.write_bytes(b"picture")
    InboxSighting.objects.create(
        item=item, source=path.name, size=7, modified_ns=1, seen_at=one_out.now()
    )
    clock.pass_days(91)
    retention_round(one_out)
    assert InboxSighting.objects.count() == 1, "still needed, or the file would be taken in again"
    path.unlink()
    retention_round(one_out)
    assert InboxSighting.objects.count() == 0


@pytest.mark.dialect
def test_the_list_names_a_withdrawn_picture_for_a_year_after_its_recall_closed(
    one_out: Home, clock: Clock
) -> None:
    recall_selection(one_out, RecallSelection(channels=["website"]), "j.shaw")
    confirm(one_out, list(Publication.objects.filter(channel="website")), STAFF, "j.shaw")
    clock.pass_days(364)
    assert retention_round(one_out).withdrawn == 0
    clock.pass_days(2)
    before = read_manifest(one_out)
    assert retention_round(one_out).withdrawn == 1
    publish_pending(one_out, FakeRenderer())
    after = read_manifest(one_out)
    assert (len(before["withdrawn"]), after["withdrawn"]) == (1, [])
    assert after["sequence"] > before["sequence"]
    assert retention_round(one_out).withdrawn == 0
    assert find_discrepancies(one_out) == []
    assert audit_log.verify(one_out) == []


def test_the_list_names_a_withdrawn_picture_until_every_copy_is_confirmed_gone(
    one_out: Home, clock: Clock
) -> None:
    recall_selection(one_out, RecallSelection(channels=["website"]), "j.shaw")
    clock.pass_days(2000)
    retention_round(one_out)
    publish_pending(one_out, FakeRenderer())
    assert len(read_manifest(one_out)["withdrawn"]) == 1
