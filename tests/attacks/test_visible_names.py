"""A pupil's name stands in the picture: on a badge, a peg, a certificate."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from functools import cache
from itertools import chain

import numpy as np
import pytest
from PIL import Image

from consent_gate.db.evidence_json import from_json
from consent_gate.db.models import (
    AuditEntry,
    ChannelDecision,
    Item,
    Publication,
    PupilEntry,
    StaffApproval,
)
from consent_gate.decisions.rules.rules_change import apply_rule_changes
from consent_gate.home.home import Home
from consent_gate.home.ids import new_id
from consent_gate.model import (
    Box,
    Examined,
    FaceEvidence,
    FaceKind,
    Film,
    NamePart,
    NotExamined,
    Tag,
    TagKind,
    TextCheck,
    VisibleNames,
)
from consent_gate.names.text_lines import MAX_CHARACTERS, MAX_FILM_LINES, MAX_LINES, ReadLine
from consent_gate.publication import OPEN
from consent_gate.register.gallery_version import gallery_version
from consent_gate.review import service as review
from consent_gate.review.validation import CannotBeReleased, InvalidInput
from consent_gate.subject_rights.erase import erase_pupil
from ingest.examinations import record_examination
from ingest.lettering.finder import TextFinder
from ingest.lettering.lettering import Lettering
from ingest.lettering.reader import TextReader
from ingest.workers.examination import Examination
from publish.release import publish_pending, render_publications
from sims_import.applying.apply import ExportFile, apply_import
from tests.support.factories import (
    CHANNELS,
    STRANGER,
    World,
    encode_jpeg,
    matches,
    store_original,
)
from tests.support.fake_renderer import (
    FakeRenderer,
    make_photo,
    make_world_with_ann,
    read_manifest,
)
from tests.support.imports import HEADER
from tests.support.lettering import Card, make_picture_with
from tests.support.settings_override import with_channel, with_section

ANN, BEN = "000001", "000002"
BASIS = "asked the class teacher"
BADGE = Card(("Ben Whitcombe", "Class 3B"), 14)
NEW_NAME = (ReadLine("Star of the week: Cara Newcombe", Box(300, 300, 200, 30)),)
HARMLESS = (ReadLine("Sports day", Box(300, 300, 200, 30)),)


@cache
def lettering() -> Lettering:
    return Lettering(TextFinder(), TextReader(), 3000)


@cache
def lines_of(card: Card) -> tuple[ReadLine, ...]:
    return lettering().read(make_picture_with(card, seed=4))


def examination_of(
    lines: tuple[ReadLine, ...] | None, check: TextCheck = TextCheck.FAILED
) -> Examination:
    """What a worker answers of a picture of Ann, who may be shown everywhere."""
    pixels = hashlib.sha256(repr(lines).encode()).hexdigest()
    face = FaceEvidence(Box(100, 100, 80, 100), 0.95, FaceKind.FACE, matches(ANN))
    picture = Image.fromarray(np.zeros((60, 80, 3), np.uint8))
    evidence = Examined(1600, 1200, pixels, (face,), text_check=check, text_side=1600)
    return Examination(evidence, encode_jpeg(picture), lines=lines)


def take_in(world: World, examination: Examination) -> Item:
    item_id = new_id()
    item = Item.objects.create(
        **store_original(world.home, item_id, item_id.encode()),
        source=f"sports-day/{item_id[:5]}.jpg",
        event="sports-day",
        received_at=world.home.now(),
    )
    return examine(world, item, examination)


def examine(world: World, item: Item, examination: Examination) -> Item:
    Item.objects.filter(pk=item.pk).update(state="received")
    record_examination(world.home, item.pk, examination, gallery_version(world.home))
    item.refresh_from_db()
    return item


def reasons(item: Item) -> dict[str, list[str]]:
    return {d.channel: d.reasons for d in ChannelDecision.objects.filter(item=item)}


def everywhere(reason: str) -> dict[str, list[str]]:
    return {channel: [reason] for channel in CHANNELS}


def verdicts(item: Item) -> set[str]:
    return {d.verdict for d in ChannelDecision.objects.filter(item=item)}


def action(home: Home, item: Item) -> review.ReviewAction:
    return review.at_current_revision(home, "j.shaw", item.pk)


@pytest.fixture
def school(home: Home) -> World:
    world = World(home)
    world.make_import()
    world.make_pupil(ANN, "Ann", "Archer")
    world.make_pupil(BEN, "Ben", "Whitcombe")
    return world


def test_a_badge_with_a_pupils_full_name_is_held_everywhere(school: World) -> None:
    item = take_in(school, examination_of(lines_of(BADGE)))
    assert reasons(item) == everywhere("visible_name")


def test_a_badge_on_its_head_in_two_lines_is_held(school: World) -> None:
    card = Card(("Ben", "Whitcombe"), 16, turn=180)
    item = take_in(school, examination_of(lines_of(card)))
    assert reasons(item) == everywhere("visible_name")


def test_a_picture_with_harmless_text_is_released(school: World) -> None:
    card = Card(("Sports day", "Year 3"), 16)
    assert lines_of(card)
    assert verdicts(take_in(school, examination_of(lines_of(card)))) == {"released"}


def test_a_picture_whose_text_could_not_be_read_is_held(school: World) -> None:
    item = take_in(school, examination_of(None))
    assert reasons(item) == everywhere("not_examined")


def test_a_picture_that_an_older_worker_did_not_read_is_held(school: World) -> None:
    item = take_in(school, examination_of(None, TextCheck.OFF))
    assert reasons(item) == everywhere("text_not_read")


def test_a_worker_that_claims_to_have_compared_names_is_not_believed(school: World) -> None:
    item = take_in(school, examination_of(None, TextCheck.COMPARED))
    assert reasons(item) == everywhere("not_examined")


def test_a_published_picture_is_read_when_the_school_begins_to_look_for_names(
    school: World,
) -> None:
    now = school.home
    school.home = with_section(now, "analysis", visible_names=False)
    item = take_in(school, examination_of(None, TextCheck.OFF))
    Publication.objects.filter(item=item).update(state="live", released_at=now.now())
    school.home = now
    apply_rule_changes(now)
    item.refresh_from_db()
    assert verdicts(item) == {"released"}
    assert item.needs_reexamination
    examine(school, item, examination_of(lines_of(BADGE)))
    assert reasons(item) == everywhere("visible_name")
    assert not Publication.objects.filter(item=item, state__in=OPEN).exists()


def test_a_published_picture_without_its_original_is_not_examined_again(school: World) -> None:
    now = school.home
    school.home = with_section(now, "analysis", visible_names=False)
    item = take_in(school, examination_of(None, TextCheck.OFF))
    Publication.objects.filter(item=item).update(state="live", released_at=now.now())
    Item.objects.filter(pk=item.pk).update(wrapped_key=None)  # its period is over
    apply_rule_changes(now)
    item.refresh_from_db()
    assert verdicts(item) == {"released"}
    assert not item.needs_reexamination


def test_text_beside_a_face_that_cannot_be_read_is_held_and_can_be_covered(school: World) -> None:
    school.home = with_channel(school.home, "website", unread_text=True)
    item = take_in(school, examination_of((ReadLine("", Box(100, 260, 90, 20)),)))
    assert reasons(item)["website"] == ["unread_text"]
    assert reasons(item)["mag"] == []
    review.cover_name(action(school.home, item), 0)
    review.release(action(school.home, item), ["website"], BASIS)
    assert reasons(item)["website"] == []


def test_an_answer_with_more_lines_than_a_worker_reads_is_held(school: World) -> None:
    line = ReadLine("nothing", Box(0, 0, 9, 9))
    item = take_in(school, examination_of((line,) * (MAX_LINES + 1)))
    assert reasons(item) == everywhere("not_examined")


def test_a_line_longer_than_the_gate_compares_is_held(school: World) -> None:
    line = ReadLine("x" * (MAX_CHARACTERS + 1 - 13) + "Ben Whitcombe", Box(0, 0, 90, 9))
    assert reasons(take_in(school, examination_of((line,)))) == everywhere("not_examined")


def test_the_text_itself_is_stored_nowhere(school: World) -> None:
    lines = (ReadLine("Ben Whitcombe loves secretword", Box(9, 9, 200, 30)),)
    item = take_in(school, examination_of(lines))
    stored = json.dumps([item.evidence, *AuditEntry.objects.values_list("detail", flat=True)])
    assert "secretword" not in stored
    assert "Whitcombe" not in stored
    evidence = from_json(item.evidence)
    assert not isinstance(evidence, NotExamined)
    assert [(n.pupil, n.part, n.box) for n in evidence.names] == [
        (BEN, NamePart.FULL, Box(9, 9, 200, 30))
    ]


def test_staff_release_a_name_by_their_word(school: World) -> None:
    item = take_in(school, examination_of(lines_of(BADGE)))
    review.release(action(school.home, item), CHANNELS, BASIS)
    assert verdicts(item) == {"released"}


def test_the_name_of_a_pupil_never_to_publish_must_be_covered(school: World) -> None:
    item = take_in(school, examination_of(lines_of(BADGE)))
    PupilEntry.objects.filter(admission_number=BEN).update(never_publish=True)
    with pytest.raises(CannotBeReleased):
        review.release(action(school.home, item), CHANNELS, BASIS)
    review.cover_name(action(school.home, item), 0)
    review.release(action(school.home, item), CHANNELS, BASIS)
    assert verdicts(item) == {"released"}


def test_an_approval_does_not_cover_a_name_that_is_found_later(school: World) -> None:
    stranger = examination_of((), TextCheck.OFF)
    item = take_in(school, stranger)
    StaffApproval.objects.create(
        item=item,
        channel="website",
        actor="j.shaw",
        basis=BASIS,
        refused=False,
        created_at=school.home.now(),
    )
    examine(school, item, examination_of(lines_of(BADGE)))
    assert reasons(item) == everywhere("visible_name")


def test_an_approval_stays_when_the_same_name_is_found_again(school: World) -> None:
    item = take_in(school, examination_of(lines_of(BADGE)))
    review.release(action(school.home, item), CHANNELS, BASIS)
    examine(school, item, examination_of(lines_of(BADGE)))
    assert verdicts(item) == {"released"}


def test_the_picture_of_another_child_outlives_the_erasure_of_the_one_who_is_named(
    school: World,
) -> None:
    item = take_in(school, examination_of(lines_of(BADGE)))
    erase_pupil(school.home, BEN, "office")
    item.refresh_from_db()
    assert BEN not in json.dumps(item.evidence)
    assert reasons(item) == everywhere("visible_name")


def test_a_surname_near_a_face_is_held_where_the_school_wants_it(school: World) -> None:
    lines = (ReadLine("Whitcombe", Box(100, 260, 90, 20)),)
    assert verdicts(take_in(school, examination_of(lines))) == {"released"}
    school.home = with_channel(school.home, "website", visible_names=VisibleNames.SURNAME)
    item = take_in(school, examination_of((*lines, ReadLine("", Box(0, 0, 1, 1)))))
    assert reasons(item)["website"] == ["visible_name"]
    assert reasons(item)["mag"] == []


# --- pupils who join or are renamed after the examination ---------------------------------------


def import_pupils(home: Home, *rows: str) -> None:
    """Import a consent list with these pupils: admission number, forename and surname."""
    text = "\n".join([HEADER, *(consent_row(row) for row in rows)])
    export = ExportFile("consent.csv", text.encode())
    applied = apply_import(home, export, (), "office")
    assert not applied.done.standing


def consent_row(row: str) -> str:
    number, forename, surname = row.split()
    return f"{number},,{forename},{surname},5B,F{number},T,T,T,T,,"


def go_live(world: World, item: Item) -> None:
    Publication.objects.filter(item=item).update(state="live", released_at=world.home.now())


def is_out(item: Item) -> bool:
    return Publication.objects.filter(item=item, state__in=OPEN).exists()


ANN_AND_BEN = ("000001 Ann Archer", "000002 Ben Whitcombe")


def test_a_published_picture_that_names_a_pupil_who_joins_later_is_recalled(school: World) -> None:
    item = take_in(school, examination_of(NEW_NAME))
    go_live(school, item)
    import_pupils(school.home, *ANN_AND_BEN, "000003 Cara Newcombe")
    item.refresh_from_db()
    assert is_out(item), "most pictures with text name nobody"
    assert item.needs_reexamination
    examine(school, item, examination_of(NEW_NAME))
    assert reasons(item) == everywhere("visible_name")
    assert not is_out(item)


def test_a_published_picture_that_names_a_pupil_who_is_renamed_is_recalled(school: World) -> None:
    lines = (ReadLine("Ben Newcombe", Box(300, 300, 200, 30)),)
    item = take_in(school, examination_of(lines))
    go_live(school, item)
    import_pupils(school.home, "000001 Ann Archer", "000002 Ben Newcombe")
    item.refresh_from_db()
    assert item.needs_reexamination
    examine(school, item, examination_of(lines))
    assert not is_out(item)


def test_an_approval_after_a_pupil_joined_publishes_nothing_before_another_examination(
    school: World,
) -> None:
    item = take_in(school, with_stranger(NEW_NAME))
    assert reasons(item) == everywhere("unknown_face")
    import_pupils(school.home, *ANN_AND_BEN, "000003 Cara Newcombe")
    review.tag_face(action(school.home, item), 0, Tag(TagKind.PUPIL, ANN))
    review.release(action(school.home, item), CHANNELS, BASIS)
    item.refresh_from_db()
    assert not is_out(item)
    assert item.state == "received"
    examine(school, item, with_stranger(NEW_NAME))
    assert all("visible_name" in found for found in reasons(item).values())
    assert not is_out(item)


def test_an_approval_publishes_when_the_text_names_no_pupil_who_joined(school: World) -> None:
    item = take_in(school, with_stranger(HARMLESS))
    import_pupils(school.home, *ANN_AND_BEN, "000003 Cara Newcombe")
    review.tag_face(action(school.home, item), 0, Tag(TagKind.PUPIL, ANN))
    review.release(action(school.home, item), CHANNELS, BASIS)
    examine(school, item, with_stranger(HARMLESS))
    assert is_out(item)
    item.refresh_from_db()
    assert not item.names_outdated


def test_a_picture_without_text_or_an_import_without_new_names_costs_no_examination(
    school: World,
) -> None:
    no_text, text = (take_in(school, examination_of(lines)) for lines in ((), HARMLESS))
    import_pupils(school.home, *ANN_AND_BEN)
    assert not Item.objects.filter(names_outdated=True).exists()
    import_pupils(school.home, *ANN_AND_BEN, "000003 Cara Newcombe")
    assert list(Item.objects.filter(names_outdated=True)) == [text]
    assert no_text.pk != text.pk


def test_a_published_picture_without_its_original_stays_when_a_pupil_joins(school: World) -> None:
    item = take_in(school, examination_of(HARMLESS))
    go_live(school, item)
    Item.objects.filter(pk=item.pk).update(wrapped_key=None)
    import_pupils(school.home, *ANN_AND_BEN, "000003 Cara Newcombe")
    item.refresh_from_db()
    assert (item.needs_reexamination, item.names_outdated) == (False, False)


@pytest.mark.parametrize("deleted", ["before", "after"])
def test_a_written_picture_without_its_original_is_not_placed_when_a_pupil_joins(
    home: Home, deleted: str
) -> None:
    make_world_with_ann(home)
    item = make_photo(home, ANN)
    Item.objects.filter(pk=item.pk).update(shows_text=True)
    render_publications(home, FakeRenderer(), list(Publication.objects.filter(item=item)))
    if deleted == "before":
        Item.objects.filter(pk=item.pk).update(wrapped_key=None)
    ann = PupilEntry.objects.get()
    import_pupils(home, f"{ANN} {ann.forename} {ann.surname}", "000003 Cara Newcombe")
    Item.objects.filter(pk=item.pk).update(wrapped_key=None)
    publish_pending(home, FakeRenderer())
    assert not any(read_manifest(home, channel)["items"] for channel in CHANNELS)
    assert set(chain(*reasons(item).values())) == {"text_not_read"}


@pytest.mark.parametrize("state", ["intended", "written"])
def test_a_picture_on_its_way_out_is_examined_again_when_a_pupil_joins(
    home: Home, state: str
) -> None:
    make_world_with_ann(home)
    item = make_photo(home, ANN)
    Item.objects.filter(pk=item.pk).update(shows_text=True)
    if state == "written":
        render_publications(home, FakeRenderer(), list(Publication.objects.filter(item=item)))
    assert set(Publication.objects.values_list("state", flat=True)) == {state}
    ann = PupilEntry.objects.get()
    import_pupils(home, f"{ANN} {ann.forename} {ann.surname}", "000003 Cara Newcombe")
    publish_pending(home, FakeRenderer())
    publish_pending(home, FakeRenderer())
    item.refresh_from_db()
    assert not any(read_manifest(home, channel)["items"] for channel in CHANNELS)
    assert item.state == "received"
    examination = Examination(from_json(item.evidence), None, lines=HARMLESS)
    record_examination(home, item.pk, examination, gallery_version(home))
    publish_pending(home, FakeRenderer())
    assert len(read_manifest(home)["items"]) == 1


def test_a_surname_beside_a_face_that_staff_drew_is_held(school: World) -> None:
    school.home = with_channel(school.home, "website", visible_names=VisibleNames.SURNAME)
    lines = (ReadLine("Whitcombe", Box(1000, 860, 90, 20)),)
    item = take_in(school, examination_of(lines))
    assert reasons(item)["website"] == []
    face = review.add_face(action(school.home, item), Box(1000, 700, 80, 100))
    review.tag_face(action(school.home, item), face, Tag(TagKind.PUPIL, BEN))
    review.release(action(school.home, item), ["website"], BASIS)
    assert not is_out_in(item, "website")
    examine(school, item, examination_of(lines))
    assert "visible_name" in reasons(item)["website"]
    assert not is_out_in(item, "website")


def is_out_in(item: Item, channel: str) -> bool:
    return Publication.objects.filter(item=item, channel=channel, state__in=OPEN).exists()


def with_stranger(lines: tuple[ReadLine, ...]) -> Examination:
    """The same picture, in which nobody recognises the face."""
    examination = examination_of(lines)
    assert isinstance(examination.evidence, Examined)
    face = replace(examination.evidence.faces[0], identity=STRANGER)
    return replace(examination, evidence=replace(examination.evidence, faces=(face,)))


# --- films ----------------------------------------------------------------------------------------


def film_of(lines: tuple[ReadLine, ...] | None) -> Examination:
    examination = examination_of(lines)
    assert isinstance(examination.evidence, Examined)
    film = Film(seconds=10, frames=100, frames_skipped=0, ensemble_frames=10, scenes=1, streams=())
    return replace(examination, evidence=replace(examination.evidence, film=film))


def test_a_film_that_shows_a_pupils_name_is_held(school: World) -> None:
    card = [ReadLine("Ben Whitcombe", Box(9 * at, 9, 90, 20), frame=at) for at in (30, 60)]
    item = take_in(school, film_of(tuple(card)))
    assert all("visible_name" in found for found in reasons(item).values())
    evidence = from_json(item.evidence)
    assert isinstance(evidence, Examined)
    assert [name.box.x for name in evidence.names] == [270], "once, where it was seen first"


def test_a_surname_in_a_film_is_held_wherever_the_face_was_when_it_was_read(school: World) -> None:
    school.home = with_channel(school.home, "website", visible_names=VisibleNames.SURNAME)
    film = film_of((ReadLine("Whitcombe", Box(1500, 1150, 90, 20)),))
    assert isinstance(film.evidence, Examined)
    assert film.evidence.faces[0].box.x < 1000
    assert "visible_name" in reasons(take_in(school, film))["website"]


def test_a_film_with_more_text_than_was_read_is_held(school: World) -> None:
    assert all(
        "not_examined" in found for found in reasons(take_in(school, film_of(None))).values()
    )
    line = ReadLine("nothing", Box(0, 0, 9, 9))
    item = take_in(school, film_of((line,) * (MAX_FILM_LINES + 1)))
    assert all("not_examined" in found for found in reasons(item).values())


def test_a_film_with_harmless_text_is_not_held_for_it(school: World) -> None:
    (line,) = HARMLESS
    lines = tuple(replace(line, frame=number) for number in range(MAX_LINES + 1))
    found = reasons(take_in(school, film_of(lines)))
    assert not {"visible_name", "not_examined", "text_not_read"} & set(chain(*found.values()))


def test_a_name_in_a_film_cannot_be_covered(school: World) -> None:
    item = take_in(school, film_of((ReadLine("Ben Whitcombe", Box(9, 9, 90, 20)),)))
    with pytest.raises(InvalidInput):
        review.cover_name(action(school.home, item), 0)
