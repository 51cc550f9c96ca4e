"""The published crop is the one that staff made and that was judged."""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from consent_gate.db import audit_log
from consent_gate.db.evidence_json import from_json
from consent_gate.db.models import AuditEntry, Item, ItemState, Publication
from consent_gate.home.home import Home
from consent_gate.model import Box, Examined
from consent_gate.register.gallery_version import gallery_version
from consent_gate.review import service as review
from consent_gate.review.validation import CannotBeReleased, EditConflict, InvalidInput
from consent_gate.vault.originals import read_part
from ingest.examinations import record_examination
from ingest.workers.examination import Examination
from publish.release import publish_pending
from tests.conftest import Clock
from tests.support.factories import World
from tests.support.fake_renderer import (
    FakeRenderer,
    assert_folders_hold_just_the_manifest,
    make_photo,
    published_files,
)

ANN, NOBODY = "000001", "009999"
LEFT_PART = Box(0, 0, 55, 120)
"""Ann, and nothing of the head beside her, which begins at 55."""


@pytest.fixture
def both(world: World) -> Item:
    """Ann and somebody who is not on the register, in a picture of 168 x 120."""
    world.make_pupil(ANN)
    return make_photo(world.home, ANN, NOBODY)


def crop(home: Home, item: Item, kept: Box | None, by: str = "j.shaw") -> None:
    review.crop(review.at_current_revision(home, by, item.pk), kept)


def release(home: Home, item: Item) -> None:
    review.release(review.at_current_revision(home, "j.shaw", item.pk), ["website"], "I know her")


def published(home: Home) -> list[np.ndarray]:
    pictures = published_files(home).values()
    return [np.asarray(Image.open(io.BytesIO(data)).convert("RGB")) for data in pictures]


def test_a_stranger_is_cut_away_and_the_rest_goes_out(home: Home, clock: Clock, both: Item) -> None:
    with pytest.raises(CannotBeReleased):
        release(home, both)
    crop(home, both, LEFT_PART)
    assert both.decisions.get(channel="website").verdict == "held"
    release(home, both)
    clock.pass_minutes(2)
    publish_pending(home, FakeRenderer())
    original = Image.open(io.BytesIO(read_part(home, both))).convert("RGB")
    (out,) = published(home)
    kept = np.asarray(original.crop((0, 0, 55, 120)))
    assert out.shape == kept.shape
    assert np.abs(out.astype(int) - kept).mean() < 3
    assert audit_log.verify(home) == []


def test_a_crop_through_a_head_opens_nothing(home: Home, both: Item) -> None:
    crop(home, both, Box(0, 0, 56, 120))
    with pytest.raises(CannotBeReleased):
        release(home, both)


def test_a_wider_crop_withdraws_the_signature_and_the_picture(
    home: Home, clock: Clock, both: Item
) -> None:
    crop(home, both, LEFT_PART)
    release(home, both)
    clock.pass_minutes(2)
    publish_pending(home, FakeRenderer())
    crop(home, both, None, by="m.reid")
    publish_pending(home, FakeRenderer())
    assert published(home) == []
    assert both.approvals.count() == 0
    assert_folders_hold_just_the_manifest(home)


def test_another_crop_of_a_picture_that_is_out_replaces_it(world: World) -> None:
    world.make_pupil(ANN)
    item = make_photo(world.home, ANN)
    publish_pending(world.home, FakeRenderer())
    assert [p.shape for p in published(world.home)] == [(120, 168, 3)]
    crop(world.home, item, LEFT_PART)
    publish_pending(world.home, FakeRenderer())
    assert [p.shape for p in published(world.home)] == [(120, 55, 3)]
    assert Publication.objects.get(channel="website", state="removed").cause == "look_changed"


def test_a_face_the_second_look_sees_in_the_crop_stops_it(
    home: Home, clock: Clock, both: Item
) -> None:
    """The pixels that go out are looked at once more, as cropped: here, somebody behind Ann."""
    crop(home, both, LEFT_PART)
    release(home, both)
    clock.pass_minutes(2)
    publish_pending(home, FakeRenderer(sees=_somebody_at_the_bottom))
    assert published(home) == []
    reasons = both.decisions.get(channel="website").reasons
    assert reasons == ["possible_face", "unknown_face"]


def _somebody_at_the_bottom(published: np.ndarray) -> list[Box]:
    return [Box(20, 90, 20, 20)]


def test_a_crop_added_while_the_picture_is_being_made_is_in_what_goes_out(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    from publish import release as at_work

    world.make_pupil(ANN)
    item = make_photo(world.home, ANN)
    visible = at_work.place_publication

    def crop_first(home: Home, publication: Publication) -> None:
        if Item.objects.get(pk=item.pk).crop is None:
            crop(home, item, LEFT_PART)
        visible(home, publication)

    monkeypatch.setattr(at_work, "place_publication", crop_first)
    publish_pending(world.home, FakeRenderer())
    publish_pending(world.home, FakeRenderer())
    assert [p.shape for p in published(world.home)] == [(120, 55, 3)]


def test_a_crop_outside_the_picture_is_not_saved(home: Home, both: Item) -> None:
    for beside in (Box(0, 0, 169, 120), Box(0, 0, 0, 0), Box(-1, 0, 20, 20)):
        with pytest.raises(InvalidInput):
            crop(home, both, beside)
    assert Item.objects.get().crop is None


def test_the_second_of_two_people_who_crop_is_told(home: Home, both: Item) -> None:
    old_page = review.at_current_revision(home, "second", both.pk)
    crop(home, both, LEFT_PART, by="first")
    with pytest.raises(EditConflict):
        review.crop(old_page, Box(0, 0, 100, 100))
    assert Item.objects.get().crop == LEFT_PART.as_list()
    assert AuditEntry.objects.get(action="picture.cropped").actor == "first"


def examine_again(home: Home, item: Item) -> None:
    """A newer detector draws the box of the face one pixel further right."""
    item.refresh_from_db()
    evidence = from_json(item.evidence)
    assert isinstance(evidence, Examined)
    face = evidence.faces[0]
    moved = replace(face, box=replace(face.box, x=face.box.x + 1))
    Item.objects.filter(pk=item.pk).update(state=ItemState.RECEIVED)
    examination = Examination(replace(evidence, faces=(moved,)), None, lines=())
    record_examination(home, item.pk, examination, gallery_version(home))


@pytest.mark.parametrize("signed", [True, False])
def test_a_crop_that_an_examination_deletes_does_not_bring_out_the_whole_picture(
    world: World, clock: Clock, signed: bool
) -> None:
    world.make_pupil(ANN)
    item = make_photo(world.home, ANN)
    crop(world.home, item, LEFT_PART)
    if signed:
        release(world.home, item)
    clock.pass_minutes(2)
    publish_pending(world.home, FakeRenderer())
    assert [p.shape for p in published(world.home)] == [(120, 55, 3)]
    examine_again(world.home, item)
    publish_pending(world.home, FakeRenderer())
    assert published(world.home) == []
    release(world.home, item)
    clock.pass_minutes(2)
    publish_pending(world.home, FakeRenderer())
    assert [p.shape for p in published(world.home)] == [(120, 168, 3)]


def test_a_cropped_picture_on_its_way_waits_when_an_examination_deletes_the_crop(
    world: World, clock: Clock
) -> None:
    world.make_pupil(ANN)
    item = make_photo(world.home, ANN)
    crop(world.home, item, LEFT_PART)
    examine_again(world.home, item)
    examine_again(world.home, item)
    clock.pass_minutes(2)
    publish_pending(world.home, FakeRenderer())
    assert published(world.home) == []
