"""A face that only the rendered picture shows holds the picture, and staff can answer for it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from django.db import transaction
from numpy.typing import NDArray

from consent_gate.db.evidence_json import from_json
from consent_gate.db.models import ChannelDecision, Item, ItemState, StaffApproval, StaffTag
from consent_gate.home.home import Home
from consent_gate.model import Box, Examined, FaceEvidence, TagKind
from consent_gate.register.gallery_version import gallery_version
from ingest.examinations import record_examination
from ingest.workers.examination import Examination
from publish.release import publish_pending
from tests.support.fake_renderer import (
    FakeRenderer,
    decide_item,
    make_photo,
    make_world_with_ann,
    published_counts,
)

HIDDEN = Box(110, 60, 20, 24)


def sees_somebody(_: NDArray[np.uint8]) -> Sequence[Box]:
    return [HIDDEN]


@pytest.fixture
def photo(home: Home) -> Item:
    """A photo of Ann that the gate releases, and in which the second search finds somebody."""
    make_world_with_ann(home)
    return make_photo(home, "000001")


def faces_of(item: Item) -> tuple[FaceEvidence, ...]:
    evidence = from_json(Item.objects.get(pk=item.pk).evidence)
    assert isinstance(evidence, Examined)
    return evidence.faces


def say(home: Home, item: Item, face: int, kind: TagKind) -> None:
    """What the pages do when a reviewer answers for one face and releases."""
    said = {"actor": "teacher", "created_at": home.now()}
    with transaction.atomic():
        StaffTag.objects.create(item=item, face=face, kind=kind.value, **said)
        for channel in home.settings.channels:
            StaffApproval.objects.create(item=item, channel=channel, basis="seen", **said)
        decide_item(home, Item.objects.get(pk=item.pk))
    StaffApproval.objects.update(created_at="2000-01-01T00:00Z")  # too late to undo


def test_it_is_held_in_every_channel_and_listed_with_the_faces(home: Home, photo: Item) -> None:
    publish_pending(home, FakeRenderer(sees_somebody))
    publish_pending(home, FakeRenderer(sees_somebody))
    assert not any(published_counts(home).values())
    assert [face.box for face in faces_of(photo)[1:]] == [HIDDEN]
    held = ChannelDecision.objects.get(item=photo, channel="website")
    assert (held.verdict, set(held.faces)) == ("held", {"1"})
    assert "possible_face" in held.reasons


def test_staff_who_say_that_it_is_no_face_release_it(home: Home, photo: Item) -> None:
    publish_pending(home, FakeRenderer(sees_somebody))
    say(home, photo, 1, TagKind.NOT_A_FACE)
    publish_pending(home, FakeRenderer(sees_somebody))
    assert published_counts(home)["website"] == 1


def test_an_approval_given_before_it_was_found_does_not_answer_for_it(
    home: Home, photo: Item
) -> None:
    said = {"actor": "teacher", "created_at": "2000-01-01T00:00Z"}
    StaffApproval.objects.create(item=photo, channel="website", basis="seen", **said)
    publish_pending(home, FakeRenderer(sees_somebody))
    publish_pending(home, FakeRenderer(sees_somebody))
    assert not any(published_counts(home).values())


def test_a_drawn_face_gets_the_next_number(home: Home, photo: Item) -> None:
    drawn = [30, 80, 20, 24]
    StaffTag.objects.create(
        item=photo,
        face=1,
        kind=TagKind.NOT_A_FACE.value,
        box=drawn,
        actor="teacher",
        created_at=home.now(),
    )
    revision = photo.revision
    publish_pending(home, FakeRenderer(sees_somebody))
    assert list(StaffTag.objects.values_list("face", "box")) == [(2, drawn)]
    assert Item.objects.get(pk=photo.pk).revision > revision, "an open page shows other numbers"


def test_another_examination_keeps_it_and_what_staff_said(home: Home, photo: Item) -> None:
    by_examination = from_json(photo.evidence)
    publish_pending(home, FakeRenderer(sees_somebody))
    say(home, photo, 1, TagKind.NOT_A_FACE)
    Item.objects.update(state=ItemState.RECEIVED)
    record_examination(home, photo.pk, Examination(by_examination, None), gallery_version(home))
    assert [face.box for face in faces_of(photo)[1:]] == [HIDDEN]
    assert StaffTag.objects.filter(item=photo, face=1).exists()
