"""Pictures that the gate covers by itself: whoever could still be seen, or return, holds them."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from django.db import transaction
from numpy.typing import NDArray
from PIL import Image

from consent_gate.db.evidence_json import from_json, to_json
from consent_gate.db.models import (
    AuditEntry,
    ChannelDecision,
    EventClasses,
    Item,
    Publication,
    PupilEntry,
)
from consent_gate.decisions.event_classes import name_classes
from consent_gate.decisions.redecide import redecide
from consent_gate.decisions.rules.rules_change import apply_rule_changes
from consent_gate.home.home import Home
from consent_gate.matching.gallery import gallery_of
from consent_gate.matching.shipped_thresholds import shipped_thresholds
from consent_gate.model import (
    COVER_GREY,
    Box,
    Colour,
    CoverStyle,
    Examined,
    FaceEvidence,
    FaceKind,
    Identity,
    Match,
    Quality,
    TagKind,
    Uncleared,
    Unknown,
)
from consent_gate.register.relevant import register_for_item
from consent_gate.subject_rights.erase import erase_pupil
from ingest.decoding.decode import DecodeLimits
from ingest.workers import rendition_tasks, worker
from ingest.workers.worker_config import WorkerConfig
from publish.release import publications_to_render, publish_pending, render_publications
from publish.rendering.heads import clip, head_of
from publish.rendering.redact import Redaction
from publish.rendering.render import RenditionSpec
from publish.renditions.rendition import (
    Rendition,
    RenditionRefused,
    RenditionRequest,
    make_rendition,
    uncleared_faces,
)
from tests.support.factories import World
from tests.support.fake_renderer import (
    FakeRenderer,
    decide_item,
    make_photo,
    published_files,
    read_manifest,
    withdraw_consent,
)
from tests.support.settings_override import with_channel, with_section

PHOTOS = Path(__file__).parents[2] / "consent_gate" / "operations" / "demo_photos"
ANN, BEN, CAT = "000001", "000002", "000003"
ANNS, BENS = Box(30, 20, 24, 30), Box(60, 20, 24, 30)
"""Where ``make_photo`` draws the first and the second face."""


def found_at(
    box: Box, identity: Identity | None = None, kind: FaceKind = FaceKind.FACE
) -> FaceEvidence:
    """A face that the examination of the covered picture found."""
    return FaceEvidence(box, 0.9, kind, identity or Unknown())


# --- what the examination of the covered picture may find ---

JUDGED = (Box(100, 100, 80, 100), Box(400, 100, 80, 100))
NAMED = (frozenset({ANN}), frozenset({CAT}))


@pytest.mark.parametrize(
    "found",
    [
        (found_at(Box(185, 100, 60, 80)),),  # a child who peeks out beside the cover
        (found_at(Box(250, 100, 80, 100)),),  # under a cover, or in a mirror or on a poster
        (found_at(Box(250, 100, 80, 100), kind=FaceKind.POSSIBLE),),
        (found_at(JUDGED[0]), found_at(Box(110, 110, 80, 100))),  # behind somebody cleared
        (found_at(Box(130, 130, 20, 25)),),  # a small face within a cleared one
        (found_at(JUDGED[0], Match(BEN, 0.3, 0.2)),),  # a twin, or whoever is not cleared there
        (found_at(JUDGED[0], Match(CAT, 0.3, 0.2)),),  # cleared, but elsewhere in the picture
    ],
)
def test_whoever_else_is_found_in_a_covered_picture_holds_it(
    found: tuple[FaceEvidence, ...],
) -> None:
    assert uncleared_faces(found, JUDGED, NAMED)


def test_the_cleared_faces_may_be_found_again() -> None:
    again = (found_at(Box(104, 97, 78, 101)), found_at(JUDGED[1], Match(CAT, 0.3, 0.2)))
    assert not uncleared_faces(again, JUDGED, NAMED)
    assert not uncleared_faces((), JUDGED, NAMED)


def test_a_covered_picture_is_examined_as_a_new_one_and_others_are_not() -> None:
    judged = np.full((200, 300, 3), 90, np.uint8)
    request = RenditionRequest(RenditionSpec(), "", ())
    peeking = [found_at(Box(10, 10, 40, 50), kind=FaceKind.POSSIBLE)]
    made = make_rendition(judged, request, lambda *_: [], lambda _: peeking)
    assert isinstance(made, Rendition)
    covered = replace(request, covered_by_gate=True)
    refused = make_rendition(judged, covered, lambda *_: [], lambda _: peeking)
    assert isinstance(refused, RenditionRefused)
    assert isinstance(make_rendition(judged, covered, lambda *_: []), RenditionRefused)


# --- the whole head ---


def measured(yaw: float) -> FaceEvidence:
    return replace(found_at(ANNS), quality=Quality(100, 50, yaw, 120, 40, 0.9))


@pytest.mark.parametrize("face", [None, measured(0.0), measured(0.5), measured(float("nan"))])
@pytest.mark.parametrize("box", [Box(0, 0, 4, 5), Box(-3, 290, 40, 50), Box(10, 10, 3000, 3900)])
def test_a_cover_reaches_over_hair_and_ears_whichever_way_the_head_lies(
    box: Box, face: FaceEvidence | None
) -> None:
    head = head_of(box, face)
    assert head.encloses(box)
    beside, above = box.x - head.x, box.y - head.y
    below = head.y + head.height - box.y - box.height
    assert beside >= max(3, 0.6 * box.width)
    assert above >= max(3, 0.75 * box.height)
    assert below >= max(3, 0.6 * box.height)
    assert head.x + head.width - box.x - box.width == beside
    if face is None or face != measured(0.0):
        assert beside >= 0.9 * box.width


def test_a_cover_at_the_edge_stays_in_the_picture() -> None:
    assert clip(head_of(Box(-3, 290, 40, 50)), 320, 300) == Box(0, 245, 73, 55)
    assert clip(Box(400, 10, 20, 20), 320, 300) is None


# --- from the decision to the folder ---


@pytest.fixture
def home(world: World) -> Home:
    """A school whose website covers, with Ann, Ben without consent, and Cat."""
    for number in (ANN, BEN, CAT):
        world.make_pupil(number)
    home = with_channel(world.home, "website", uncleared=Uncleared.COVER)
    withdraw_consent(home, BEN)
    return home


def shown(home: Home) -> list[NDArray[np.uint8]]:
    """The pictures in the website's folder."""
    files = published_files(home).values()
    return [np.asarray(Image.open(io.BytesIO(data)).convert("RGB"), np.uint8) for data in files]


def is_covered(rgb: NDArray[np.uint8], box: Box) -> bool:
    part = rgb[box.y : box.y + box.height, box.x : box.x + box.width].astype(int)
    return bool(np.abs(part - COVER_GREY).max() < 16)


def with_stranger(home: Home, item: Item) -> None:
    """Make the second face that of somebody unknown, and decide again."""
    evidence = from_json(item.evidence)
    assert isinstance(evidence, Examined)
    faces = (evidence.faces[0], replace(evidence.faces[1], identity=Unknown()))
    item.evidence = to_json(replace(evidence, faces=faces))
    item.save()
    with transaction.atomic():
        decide_item(home, item)


class AnotherFaceIfExamined(FakeRenderer):
    """A renderer whose examination of a picture that the gate covered finds somebody."""

    def _examined(self, shown: NDArray[np.uint8]) -> list[FaceEvidence]:
        return [found_at(Box(100, 60, 20, 24))]

    def _made(
        self, rgb: NDArray[np.uint8], order: RenditionRequest
    ) -> Rendition | RenditionRefused:
        return make_rendition(rgb, order, lambda *_: [], self._examined)


def sees_a_face(_: NDArray[np.uint8]) -> Sequence[Box]:
    return [Box(100, 60, 20, 24)]


def test_who_has_no_consent_is_covered_and_the_trail_says_how_many_and_not_who(home: Home) -> None:
    item = make_photo(home, ANN, BEN)
    publish_pending(home, FakeRenderer())
    (picture,) = shown(home)
    assert is_covered(picture, BENS)
    assert not is_covered(picture, ANNS)
    assert read_manifest(home)["items"][0]["covered"] == 1
    entries = AuditEntry.objects.filter(
        action__startswith="publication.", detail__channel="website"
    )
    assert [entry.detail.get("covered_by_gate") for entry in entries] == [1, 1]
    assert not any(
        BEN in str(entry.detail) for entry in AuditEntry.objects.filter(subject=f"item:{item.pk}")
    )


class ColourOfCovers(FakeRenderer):
    """A renderer that notes the colour of each cover."""

    def __init__(self) -> None:
        super().__init__()
        self.colours = set[Colour | None]()

    def _made(
        self, rgb: NDArray[np.uint8], order: RenditionRequest
    ) -> Rendition | RenditionRefused:
        self.colours |= {redaction.colour for redaction in order.spec.redactions}
        return super()._made(rgb, order)


@pytest.mark.parametrize(
    ("style", "fill"), [(CoverStyle.COLOUR, (47, 75, 124)), (CoverStyle.CELLS, None)]
)
def test_the_covers_of_the_gate_have_the_schools_style(
    home: Home, style: CoverStyle, fill: Colour | None
) -> None:
    home = with_section(home, "publishing", cover_style=style, cover_colour="#2F4B7C")
    make_photo(home, ANN, BEN)
    renderer = ColourOfCovers()
    publish_pending(home, renderer)
    (picture,) = shown(home)
    assert renderer.colours == {fill}
    assert not is_covered(picture, BENS)


def test_a_face_found_in_the_covered_picture_holds_it(home: Home) -> None:
    item = make_photo(home, ANN, BEN)
    publish_pending(home, FakeRenderer(sees=sees_a_face))
    assert shown(home) == []
    decision = ChannelDecision.objects.get(item=item, channel="website")
    assert decision.verdict == "held"
    assert "possible_face" in decision.reasons
    publish_pending(home, FakeRenderer())
    assert shown(home) == []  # what was found is not covered in its turn


def test_a_consent_withdrawn_between_covering_and_release_stops_the_picture(home: Home) -> None:
    make_photo(home, ANN, BEN, CAT)
    render_publications(home, FakeRenderer(), list(publications_to_render(home)))
    withdraw_consent(home, CAT)
    publish_pending(home, FakeRenderer())
    assert all(is_covered(picture, replace(BENS, x=90)) for picture in shown(home))
    assert Publication.objects.get(channel="website", gate_covers=1).state.startswith("cancelled")


def test_a_gate_killed_after_covering_goes_on_with_the_covered_file(home: Home) -> None:
    make_photo(home, ANN, BEN)
    render_publications(home, FakeRenderer(), list(publications_to_render(home)))
    publish_pending(home, None)
    (picture,) = shown(home)
    assert is_covered(picture, BENS)


def test_a_pupil_who_withdraws_is_recalled_and_does_not_return_covered(home: Home) -> None:
    item = make_photo(home, ANN, CAT)
    publish_pending(home, FakeRenderer())
    assert not is_covered(shown(home)[0], BENS)
    withdraw_consent(home, CAT)
    publish_pending(home, FakeRenderer())
    assert shown(home) == []
    assert Publication.objects.get(channel="website").cause == "consent_refused"
    with transaction.atomic():
        decide_item(home, Item.objects.get(pk=item.pk))
    publish_pending(home, FakeRenderer())
    assert shown(home) == []


def test_covered_pictures_come_back_when_the_channel_holds_again(home: Home) -> None:
    make_photo(home, ANN, BEN)
    publish_pending(home, FakeRenderer())
    holding = with_channel(home, "website", uncleared=Uncleared.HOLD)
    assert apply_rule_changes(holding) == 1
    publish_pending(holding, FakeRenderer())
    assert shown(holding) == []


def test_a_covered_stranger_who_may_be_a_pupil_never_to_publish_is_recalled(home: Home) -> None:
    with_stranger(home, make_photo(home, ANN, CAT))
    publish_pending(home, FakeRenderer())
    assert len(shown(home)) == 1
    PupilEntry.objects.filter(admission_number=BEN).update(never_publish=True)
    with transaction.atomic():
        assert redecide(home, {BEN}, "office") == 1
    publish_pending(home, FakeRenderer())
    assert shown(home) == []
    item = make_photo(home, ANN, CAT)
    with_stranger(home, item)
    publish_pending(home, FakeRenderer())
    assert shown(home) == []
    assert register_for_item(item, home.now().date()).never_published == {BEN}


def covered_by_staff(home: Home, *, is_live: bool = False) -> Item:
    """A picture whose second face staff covered, and who took that back."""
    holding = with_channel(home, "website", uncleared=Uncleared.HOLD)
    item = make_photo(holding, ANN, CAT)
    with_stranger(holding, item)
    item.tags.create(face=1, kind=TagKind.BLURRED, actor="j.shaw", created_at=home.now())
    signed = {"actor": "j.shaw", "basis": "covered", "created_at": home.now() - timedelta(hours=1)}
    item.approvals.create(channel="website", **signed)
    with transaction.atomic():
        decide_item(holding, Item.objects.get(pk=item.pk))
    assert Publication.objects.get(channel="website", state="intended").gate_covers == 0
    if is_live:
        publish_pending(holding, FakeRenderer())
    item.tags.all().delete()
    item.approvals.all().delete()
    return Item.objects.get(pk=item.pk)


@pytest.mark.parametrize("is_written", [True, False])
def test_a_cover_that_staff_take_back_and_the_gate_keeps_is_examined_too(
    home: Home, is_written: bool
) -> None:
    item = covered_by_staff(home)
    if is_written:
        render_publications(home, FakeRenderer(), list(publications_to_render(home)))
    with transaction.atomic():
        decide_item(home, item)
    looks = AnotherFaceIfExamined()
    publish_pending(home, looks)
    publish_pending(home, looks)
    assert shown(home) == []


def test_a_picture_that_was_made_before_the_gate_took_over_its_covers_is_made_again(
    home: Home,
) -> None:
    covered_by_staff(home)
    early = list(publications_to_render(home))
    Publication.objects.update(gate_covers=1)
    render_publications(home, FakeRenderer(), early)
    assert [Publication.objects.get(pk=row.pk).state for row in early] == ["intended"]


def test_a_published_cover_that_staff_take_back_and_the_gate_keeps_is_examined_too(
    home: Home,
) -> None:
    item = covered_by_staff(home, is_live=True)
    assert len(shown(home)) == 1
    with transaction.atomic():
        decide_item(home, item)
    looks = AnotherFaceIfExamined()
    publish_pending(home, looks)
    publish_pending(home, looks)
    assert shown(home) == []


def test_a_cover_of_staff_that_the_gate_keeps_is_recalled_for_a_pupil_never_to_publish(
    home: Home,
) -> None:
    item = covered_by_staff(home, is_live=True)
    with transaction.atomic():
        decide_item(home, item)
    publish_pending(home, FakeRenderer())
    assert len(shown(home)) == 1
    PupilEntry.objects.filter(admission_number=BEN).update(never_publish=True)
    with transaction.atomic():
        assert redecide(home, {BEN}, "office") == 1


@pytest.mark.parametrize("comes", ["joins the class", "restore"])
def test_a_roll_from_which_a_pupil_never_to_publish_may_be_missing_covers_no_stranger(
    home: Home, comes: str
) -> None:
    PupilEntry.objects.filter(admission_number__in=(ANN, CAT)).update(reg_group="7B")
    PupilEntry.objects.filter(admission_number=BEN).update(never_publish=True, reg_group="9A")
    name_classes(home, "sports-day", ["7B"], "office")
    with_stranger(home, make_photo(home, ANN, CAT))
    publish_pending(home, FakeRenderer())
    assert len(shown(home)) == 1
    if comes == "restore":
        EventClasses.objects.update(restored=True)
    else:
        PupilEntry.objects.filter(admission_number=BEN).update(reg_group="7B")
    with transaction.atomic():
        redecide(home, {BEN}, "office")
    publish_pending(home, FakeRenderer())
    assert shown(home) == []


@pytest.mark.parametrize("roll", [(), ("7B",)])
def test_a_stranger_who_may_be_an_erased_pupil_never_to_publish_is_not_covered_later(
    home: Home, roll: tuple[str, ...]
) -> None:
    PupilEntry.objects.update(reg_group="7B")
    PupilEntry.objects.filter(admission_number=BEN).update(never_publish=True)
    if roll:
        name_classes(home, "sports-day", roll, "office")
    item = make_photo(home, ANN, CAT)
    with_stranger(home, item)
    publish_pending(home, FakeRenderer())
    assert shown(home) == []
    erase_pupil(home, BEN, "d.officer")
    with transaction.atomic():
        decide_item(home, Item.objects.get(pk=item.pk))
    publish_pending(home, FakeRenderer())
    assert shown(home) == []


# --- with the real models ---


@pytest.mark.costly
@pytest.mark.slow
def test_the_models_find_nobody_under_a_cover_and_see_a_turned_stranger_beside_it() -> None:
    worker.start(WorkerConfig(gallery_of(()), shipped_thresholds(), DecodeLimits()))
    analyser = worker.loaded_worker().analyser
    with Image.open(PHOTOS / "collins_nasa.jpg") as opened:
        person = np.asarray(opened.convert("RGB").resize((260, 325)), np.uint8)
    picture = np.full((325, 720, 3), 128, np.uint8)
    picture[:, :260] = person
    (face,) = analyser.analyse(picture, gallery_of(()))

    def asked(fill: Colour | None) -> RenditionRequest:
        spec = RenditionSpec(redactions=(Redaction(face.box, head_of(face.box, face), fill),))
        return RenditionRequest(spec, "", (), covered_by_gate=True)

    styles = [asked(fill) for fill in (COVER_GREY, None)]
    made = rendition_tasks._renditions(picture, styles)
    assert all(isinstance(made[order], Rendition) for order in styles)
    picture[:260, 380:705] = np.rot90(person)
    (refused,) = rendition_tasks._renditions(picture, styles[-1:]).values()
    assert isinstance(refused, RenditionRefused)
