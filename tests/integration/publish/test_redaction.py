"""When staff cover a face, the published picture is replaced."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from functools import partial

import numpy as np
import pytest
from django.db import transaction
from PIL import Image

from consent_gate.db.evidence_json import from_json
from consent_gate.db.models import Item, Publication, StaffApproval, StaffTag
from consent_gate.decisions.apply import apply_decision
from consent_gate.decisions.ledger import DecisionContext
from consent_gate.home.home import Home
from consent_gate.model import COVER_GREY, Examined
from consent_gate.operations import demo
from consent_gate.register.repository import load_register
from consent_gate.vault.interface import PartReader
from ingest.decoding.decode import DecodeLimits, decode
from publish.release import publish_pending
from publish.renditions.rendition import (
    FilmRequest,
    Rendition,
    RenditionRefused,
    RenditionRequest,
    make_rendition,
)
from publish.renditions.requests import WaitForRenditions
from sims_import.applying.apply import ExportFile
from sims_import.applying.run import run_import

WINNER = "01 winner"


class HereRenderer:
    """The real decoding, rendering and proof, without another process and a second look."""

    def start_renditions(
        self, data: bytes, orders: Sequence[RenditionRequest]
    ) -> WaitForRenditions:
        return partial(self.make_renditions, data, orders)

    def make_renditions(
        self, data: bytes, orders: Sequence[RenditionRequest]
    ) -> list[Rendition | RenditionRefused]:
        picture = decode(data, DecodeLimits())
        return [make_rendition(picture.rgb, order, lambda *_: []) for order in orders]

    def make_films(
        self, original: PartReader, orders: Sequence[FilmRequest]
    ) -> list[Rendition | RenditionRefused]:
        raise NotImplementedError  # there are no films here


def cover_the_face(home: Home, item: Item) -> None:
    """What the pages do when a reviewer covers face 1 and releases."""
    with transaction.atomic():
        said = {
            "actor": "teacher",
            "created_at": home.now() - timedelta(minutes=2),
        }  # too late to undo
        StaffTag.objects.create(item=item, face=0, kind="blurred", **said)
        for channel in home.settings.channels:
            StaffApproval.objects.create(item=item, channel=channel, basis="covered", **said)
        register = load_register(home.now().date())
        apply_decision(DecisionContext(home, register, home.now(), "teacher", may_open=True), item)


def shown_where_the_face_was(home: Home, item: Item) -> set[tuple[int, ...]]:
    """Colours at the middle of face 1 in what is live on the website."""
    live = Publication.objects.filter(item=item, channel="website", state="live")
    evidence = from_json(item.evidence)
    assert isinstance(evidence, Examined)
    box = evidence.faces[0].box
    colours = set()
    for row in live:
        image = np.array(Image.open(home.approved("website") / row.file))
        scale = image.shape[1] / evidence.width
        x, y = (box.x + box.width // 2) * scale, (box.y + box.height // 2) * scale
        colours.add(tuple(int(v) for v in image[round(y), round(x)]))
    return colours


def is_covered(colours: set[tuple[int, ...]]) -> bool:
    return bool(colours) and all(
        max(abs(a - b) for a, b in zip(c, COVER_GREY, strict=True)) < 8 for c in colours
    )


@pytest.fixture
def winner(demo_school: Home) -> Item:
    return Item.objects.get(source__contains=WINNER)


def test_covering_a_face_replaces_the_picture_that_is_out(demo_school: Home, winner: Item) -> None:
    assert not is_covered(shown_where_the_face_was(demo_school, winner))
    cover_the_face(demo_school, winner)
    publish_pending(demo_school, HereRenderer())
    assert is_covered(shown_where_the_face_was(demo_school, winner))
    assert winner.publications.filter(channel="website", state="removed").count() == 1


def test_an_uncovered_picture_never_outlives_the_consent_it_rested_on(
    demo_school: Home, winner: Item
) -> None:
    cover_the_face(demo_school, winner)
    next_term = demo.EXPORT.replace("3,T,T,T,T,", "3,F,F,F,T,")
    run_import(demo_school, ExportFile("next.csv", next_term.encode()), (), "office")
    publish_pending(demo_school, HereRenderer())
    colours = shown_where_the_face_was(demo_school, winner)
    assert not colours or is_covered(colours)


def test_a_cover_added_while_the_picture_is_being_made_is_in_what_goes_out(
    demo_school: Home, winner: Item, monkeypatch: pytest.MonkeyPatch
) -> None:
    with transaction.atomic():
        for publication in winner.publications.all():
            publication.delete()
        register = load_register(demo_school.now().date())
        apply_decision(
            DecisionContext(demo_school, register, demo_school.now(), may_open=True), winner
        )
    from publish import release

    visible = release.place_publication

    def covers_first(home: Home, publication: Publication) -> None:
        if not StaffTag.objects.filter(item=winner).exists():
            cover_the_face(home, Item.objects.get(pk=winner.pk))
        visible(home, publication)

    monkeypatch.setattr(release, "place_publication", covers_first)
    publish_pending(demo_school, HereRenderer())
    publish_pending(demo_school, HereRenderer())
    assert is_covered(shown_where_the_face_was(demo_school, winner))
