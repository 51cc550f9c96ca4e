"""Pictures are recalled by pupil, picture, event, channel or all, and stay recalled."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from django.db import connection, transaction
from typer.testing import CliRunner

from benchmarks.recall import fill
from consent_gate.cli.app import app
from consent_gate.db import audit_log
from consent_gate.db.models import (
    ChannelDecision,
    ImportRun,
    Item,
    Publication,
    PupilChange,
    PupilEntry,
    PupilInItem,
    StaffApproval,
)
from consent_gate.decisions.apply import apply_decisions
from consent_gate.decisions.ledger import DecisionContext
from consent_gate.errors import ItemNotFound
from consent_gate.home.home import Home
from consent_gate.model import Box
from consent_gate.register.repository import load_register
from publish.recall.by_hand import RecallSelection, recall_selection, select_publications
from publish.recall.tickets import PublicationNotRecalled, confirm, open_tickets
from publish.release import publish_pending
from tests.conftest import Clock, HomeAfter
from tests.support.factories import World
from tests.support.fake_renderer import (
    FakeRenderer,
    assert_folders_hold_just_the_manifest,
    decide_item,
    make_photo,
    make_two_photos,
    make_world_with_ann,
    published_counts,
    read_manifest,
    withdraw_consent,
)


def make_three_out(home: Home) -> None:
    make_two_photos(home)
    make_photo(home, "000002", event="fair")
    publish_pending(home, FakeRenderer())


@pytest.fixture
def out(home_after: HomeAfter) -> Home:
    """Three pictures are out everywhere: Ann at sports day, both there, Ben at the fair."""
    return home_after(make_three_out)


def first_item(_: Home) -> RecallSelection:
    return RecallSelection(items=[Item.objects.filter(event="fair").get().pk])


@pytest.mark.parametrize(
    ("select", "left"),
    [
        (lambda _: RecallSelection(pupils=["000001"]), {"website": 1, "mag": 1, "displays": 1}),
        (first_item, {"website": 2, "mag": 2, "displays": 2}),
        (lambda _: RecallSelection(events=["sports-day"]), {"website": 1, "mag": 1, "displays": 1}),
        (lambda _: RecallSelection(channels=["website"]), {"website": 0, "mag": 3, "displays": 3}),
        (
            lambda _: RecallSelection(pupils=["000002"], channels=["mag"]),
            {"website": 3, "mag": 1, "displays": 3},
        ),
        (lambda _: RecallSelection(), {"website": 0, "mag": 0, "displays": 0}),
    ],
)
def test_only_the_selected_pictures_are_recalled(
    out: Home, select: Callable[[Home], RecallSelection], left: dict[str, int]
) -> None:
    taken = recall_selection(out, select(out), "j.shaw")
    assert published_counts(out) == left
    assert len(taken.publications) == 9 - sum(left.values())
    assert_folders_hold_just_the_manifest(out)
    for channel, count in left.items():
        assert len(read_manifest(out, channel)["withdrawn"]) == 3 - count
    assert audit_log.verify(out) == []


def test_a_recalled_picture_stays_recalled_until_a_person_approves_it_anew(
    out: Home, clock: Clock
) -> None:
    recall_selection(out, RecallSelection(channels=["website"]), "j.shaw")
    item = Item.objects.filter(event="fair").get()
    with transaction.atomic():
        decide_item(out, item)
    publish_pending(out, FakeRenderer())
    assert published_counts(out)["website"] == 0
    assert ChannelDecision.objects.get(item=item, channel="website").verdict == "withdrawn"
    approve(out, item)
    clock.pass_minutes(2)
    publish_pending(out, FakeRenderer())
    assert published_counts(out)["website"] == 1


def approve(home: Home, item: Item, channel: str = "website") -> None:
    with transaction.atomic():
        StaffApproval.objects.update_or_create(
            item=item,
            channel=channel,
            defaults={"actor": "j.shaw", "basis": "asked the parents", "created_at": home.now()},
        )
        decide_item(home, item)


def test_an_approval_from_before_the_recall_opens_nothing_when_the_clock_goes_back(
    out: Home, clock: Clock
) -> None:
    """The computer's clock was a month ahead when staff approved; then it was set right."""
    item = Item.objects.filter(event="fair").get()
    clock.pass_days(30)
    approve(out, item)
    clock.pass_days(-30)
    recall_selection(out, RecallSelection(items=[item.pk]), "j.shaw")
    with transaction.atomic():
        decide_item(out, item)
    publish_pending(out, FakeRenderer())
    assert published_counts(out)["website"] == 2


def test_a_new_approval_counts_although_the_clock_was_set_back(out: Home, clock: Clock) -> None:
    item = Item.objects.filter(event="fair").get()
    clock.pass_days(5)
    recall_selection(out, RecallSelection(items=[item.pk]), "j.shaw")
    clock.pass_days(-2)
    approve(out, item)
    clock.pass_minutes(2)
    publish_pending(out, FakeRenderer())
    assert published_counts(out) == {"website": 3, "mag": 2, "displays": 2}


def test_a_clock_that_goes_back_neither_loses_nor_repeats_anything(out: Home, clock: Clock) -> None:
    clock.pass_days(20)
    make_photo(out, "000001")
    publish_pending(out, FakeRenderer())
    before = json.loads((out.approved("website") / "manifest.json").read_text())["sequence"]
    clock.pass_days(-10)
    make_photo(out, "000001")
    publish_pending(out, FakeRenderer())
    withdraw_consent(out, "000002")
    publish_pending(out, FakeRenderer())
    assert published_counts(out) == {"website": 3, "mag": 5, "displays": 5}
    assert_folders_hold_just_the_manifest(out)
    after = json.loads((out.approved("website") / "manifest.json").read_text())["sequence"]
    assert after > before, "readers tell new from old by the sequence, not by the time"


def test_a_recall_cancels_a_publication_in_progress(out: Home) -> None:
    make_photo(out, "000001")
    recall_selection(out, RecallSelection(pupils=["000001"]), "j.shaw")
    publish_pending(out, FakeRenderer())
    assert published_counts(out) == {"website": 1, "mag": 1, "displays": 1}
    assert not select_publications(RecallSelection(pupils=["000001"])).exists()


def test_printed_copies_stay_open_until_staff_confirm(out: Home) -> None:
    recall_selection(out, RecallSelection(channels=["mag"]), "j.shaw")
    tickets = open_tickets(out)
    assert [ticket.waits_for for ticket in tickets] == [("staff",)] * 3
    confirm(out, [ticket.publication for ticket in tickets[:2]], "staff", "j.shaw")
    assert open_tickets(out) == [tickets[2]]


def test_a_picture_that_is_still_out_cannot_be_confirmed(out: Home) -> None:
    with pytest.raises(PublicationNotRecalled):
        confirm(out, list(Publication.objects.all()), "staff", "j.shaw")


@pytest.mark.dialect
def test_several_hundred_pictures_are_recalled_in_seconds(out: Home) -> None:
    """Scaled down from benchmarks/recall.py: 300 pictures here, 10 000 there."""
    fill(out, 100)
    started = published_counts(out)
    assert started == dict.fromkeys(started, 103)
    with Timer() as timer:
        recall_selection(out, RecallSelection(), "j.shaw")
    assert published_counts(out) == dict.fromkeys(started, 0)
    assert timer.seconds < 60 * 309 / 10_000 + 3


class Timer:
    """Processor seconds of a block: other programs on the machine do not count."""

    def __enter__(self) -> Timer:
        self.began = time.process_time()
        return self

    def __exit__(self, *_: object) -> None:
        self.seconds = time.process_time() - self.began


def run(home: Home, *arguments: str) -> tuple[int, str]:
    connection.close()
    result = CliRunner().invoke(app, ["--home", str(home.root), *arguments])
    return result.exit_code, result.output


def test_the_command_previews_and_recalls_when_confirmed(out: Home) -> None:
    code, text = run(out, "recall", "--pupil", "000001")
    assert (code, published_counts(out)["website"]) == (0, 3)
    assert "6 pictures would be withdrawn" in text
    code, text = run(out, "recall", "--pupil", "000001", "--confirm", "--json", "--by", "j.shaw")
    assert code == 0
    assert len(json.loads(text)["recalled"]) == 6
    assert published_counts(out)["website"] == 1


def test_pictures_of_the_pupils_of_one_import_are_recalled(out: Home) -> None:
    run_of_today = World(out).make_import(days_ago=0)
    changes = [{"kind": "granted", "subject": "website", "before": None, "after": "given"}]
    ann = PupilEntry.objects.get(admission_number="000001")
    PupilChange.objects.create(run=run_of_today, pupil=ann, changes=changes)
    code, _ = run(out, "recall", "--import", str(run_of_today.pk), "--confirm")
    assert code == 0
    assert published_counts(out) == {"website": 1, "mag": 1, "displays": 1}
    assert {
        shown.admission_number
        for shown in PupilInItem.objects.filter(item__publications__state="live")
    } == {"000002"}


def test_an_import_that_changed_nobody_recalls_no_picture(out: Home) -> None:
    quiet = ImportRun.objects.get()
    code, text = run(out, "recall", "--import", str(quiet.pk), "--confirm")
    assert (code, published_counts(out)["website"]) == (0, 3)
    assert "0 pictures were withdrawn" in text


def test_an_import_that_never_was_is_an_error(out: Home) -> None:
    arguments = ["--home", str(out.root), "recall", "--import", "99", "--confirm"]
    assert isinstance(CliRunner().invoke(app, arguments).exception, ItemNotFound)
    assert published_counts(out)["website"] == 3


@pytest.mark.parametrize(
    "arguments", [[], ["--all", "--pupil", "000001"], ["--all", "--import", "1"]]
)
def test_the_command_never_guesses_what_to_recall(out: Home, arguments: list[str]) -> None:
    assert run(out, "recall", "--confirm", *arguments)[0] == 2
    assert published_counts(out)["website"] == 3


@pytest.mark.dialect
def test_the_command_reports_a_folder_that_is_away(out: Home, tmp_path: Path) -> None:
    out.approved("website").rename(tmp_path / "away")
    assert run(out, "recall", "--all", "--confirm")[0] == 1
    assert published_counts(out) == {"website": 0, "mag": 0, "displays": 0}
    tickets = json.loads(run(out, "tickets", "list", "--json")[1])["open"]
    assert {t["removed"] for t in tickets if t["channel"] == "website"} == {False}


@pytest.mark.dialect
def test_staff_close_tickets_on_the_command_line(out: Home) -> None:
    run(out, "recall", "--channel", "mag", "--confirm")
    assert run(out, "tickets", "list")[0] == 1
    assert run(out, "tickets", "confirm", "--channel", "mag")[0] == 0
    assert run(out, "tickets", "list")[0] == 0


@pytest.mark.dialect
def test_an_import_recalls_every_picture_of_a_leaver_at_once(out: Home) -> None:
    with transaction.atomic():
        PupilEntry.objects.filter(admission_number="000002").update(on_roll=False)
        this = DecisionContext(out, load_register(out.now().date()), out.now())
        recalled = apply_decisions(this, Item.objects.filter(shown__admission_number="000002"))
    assert recalled == 6
    publish_pending(out, FakeRenderer())
    assert published_counts(out) == {"website": 1, "mag": 1, "displays": 1}
    withdrawn = Publication.objects.exclude(withdrawn_at=None)
    assert len(set(withdrawn.values_list("withdrawn_at", flat=True))) == 1


@pytest.mark.dialect
def test_a_face_that_shows_only_at_published_size_holds_the_picture(home: Home) -> None:
    make_world_with_ann(home)
    make_photo(home, "000001")
    publish_pending(home, FakeRenderer(sees=somebody_in_the_corner))
    assert published_counts(home) == {"website": 0, "mag": 0, "displays": 0}
    decision = ChannelDecision.objects.get(channel="website")
    assert (decision.verdict, decision.reasons) == ("held", ["possible_face", "unknown_face"])
    assert_folders_hold_just_the_manifest(home)


def test_a_face_that_was_judged_is_expected_at_published_size(home: Home) -> None:
    make_world_with_ann(home)
    make_photo(home, "000001")
    publish_pending(home, FakeRenderer(sees=the_judged_face))
    assert published_counts(home) == {"website": 1, "mag": 1, "displays": 1}


def somebody_in_the_corner(_: object) -> list[Box]:
    return [Box(140, 90, 12, 14)]


def the_judged_face(_: object) -> list[Box]:
    return [Box(32, 23, 20, 24)]


def test_the_original_is_opened_once_for_all_channels(home: Home) -> None:
    make_world_with_ann(home)
    make_photo(home, "000001")
    press = FakeRenderer()
    publish_pending(home, press)
    assert press.opened == [3]


def test_a_title_with_a_pupils_full_name_holds_the_picture_at_the_last_step(home: Home) -> None:
    """The pupil joined the register after the title was written."""
    world = make_world_with_ann(home)
    make_photo(home, "000001", title="Well done, Zoë Quick!")
    world.make_pupil("000009", forename="Zoe", surname="Quick")
    publish_pending(home, FakeRenderer())
    assert published_counts(home) == {"website": 0, "mag": 0, "displays": 0}
    assert ChannelDecision.objects.get(channel="mag").reasons == ["visible_name"]


def test_a_file_that_is_in_the_way_is_not_written_over(home: Home) -> None:
    make_world_with_ann(home)
    make_photo(home, "000001")
    row = Publication.objects.get(channel="website")
    path = home.approved("website") / row.file
    path.parent.mkdir()
    path.write_bytes(b"somebody else's")
    for _ in range(2):
        publish_pending(home, FakeRenderer())
    assert path.read_bytes() == b"somebody else's"
    assert len(read_manifest(home)["items"]) == 1
    assert read_manifest(home)["items"][0]["file"] != row.file
