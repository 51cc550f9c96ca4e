"""Publishing without the models: real renditions of small drawn pictures."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
from django.db import transaction
from numpy.typing import NDArray
from PIL import Image

from consent_gate.db.evidence_json import to_json
from consent_gate.db.models import ConsentAnswer, Item, ItemState, Publication
from consent_gate.decisions.apply import apply_decision, redecide_pupils
from consent_gate.decisions.ledger import DecisionContext
from consent_gate.home.home import Home
from consent_gate.home.ids import new_id
from consent_gate.model import (
    Answer,
    Box,
    Examined,
    FaceEvidence,
    FaceKind,
    Film,
    Match,
    Reason,
    Shown,
    Unknown,
)
from consent_gate.register.repository import load_register
from consent_gate.vault.interface import PartReader
from publish.channel.files import file_names_of
from publish.recall.withdraw import PARTIAL
from publish.release import publish_pending
from publish.renditions.rendition import (
    FilmFile,
    FilmRequest,
    Rendition,
    RenditionRefused,
    RenditionRequest,
    make_rendition,
)
from publish.renditions.requests import WaitForRenditions
from tests.support.factories import World, store_original, with_text_read

_MADE: dict[object, Rendition | RenditionRefused] = {}

FACE = Box(30, 20, 24, 30)


def no_faces(_: NDArray[np.uint8]) -> list[Box]:
    """A second look that finds no face."""
    return []


@dataclass
class FakeRenderer:
    """A renderer in this process. ``sees`` stands for the second look's detector."""

    sees: Callable[[NDArray[np.uint8]], Sequence[Box]] = no_faces
    opened: list[int] = field(default_factory=list)
    """How many orders each opening of an original served."""

    def start_renditions(
        self, data: bytes, orders: Sequence[RenditionRequest]
    ) -> WaitForRenditions:
        return partial(self.make_renditions, data, orders)

    def make_renditions(
        self, data: bytes, orders: Sequence[RenditionRequest]
    ) -> list[Rendition | RenditionRefused]:
        self.opened.append(len(orders))
        rgb = np.asarray(Image.open(io.BytesIO(data)).convert("RGB"), dtype=np.uint8)
        if any(pixels_sha256(rgb) != order.pixels_sha256 for order in orders):
            return [RenditionRefused(Reason.NOT_EXAMINED, "other pixels")] * len(orders)
        return [self._made(rgb, order) for order in orders]

    def make_films(
        self, original: PartReader, orders: Sequence[FilmRequest]
    ) -> list[Rendition | RenditionRefused]:
        """A poster and bytes that stand for the film."""
        poster = Image.fromarray(np.full((36, 64, 3), 90, np.uint8))
        out = io.BytesIO()
        poster.save(out, "JPEG")
        film = FilmFile(original.read_at(0, original.size), 2.0)
        return [Rendition(out.getvalue(), 64, 36, film=film) for _ in orders]

    def _made(
        self, rgb: NDArray[np.uint8], order: RenditionRequest
    ) -> Rendition | RenditionRefused:
        """Made once for all the rounds of a test that repeats the same release."""
        key = (order, self.sees)
        if key not in _MADE:
            _MADE[key] = make_rendition(
                rgb, order, lambda shown, *_: self.sees(shown), self._examined
            )
        return _MADE[key]

    def _examined(self, shown: NDArray[np.uint8]) -> list[FaceEvidence]:
        """What ``sees`` finds, as faces of strangers."""
        return [FaceEvidence(box, 0.9, FaceKind.FACE, Unknown()) for box in self.sees(shown)]


def pixels_sha256(rgb: NDArray[np.uint8]) -> str:
    return hashlib.sha256(rgb.tobytes()).hexdigest()


def make_photo(home: Home, *pupils: str, event: str = "sports-day", title: str = "") -> Item:
    """A picture that shows these pupils, examined and decided now."""
    item_id = new_id()
    rgb = _drawn(item_id)
    out = io.BytesIO()
    Image.fromarray(rgb).save(out, "PNG")
    faces = tuple(
        FaceEvidence(
            Box(FACE.x + 30 * i, FACE.y, FACE.width, FACE.height),
            0.95,
            FaceKind.FACE,
            Match(number, distance=0.31, margin=0.22),
        )
        for i, number in enumerate(pupils)
    )
    with transaction.atomic():
        item = Item.objects.create(
            **store_original(home, item_id, out.getvalue()),
            source=f"{event}/Robin Ashdown {item_id[:4]}.jpg",
            event=event,
            state=ItemState.RECEIVED,
            received_at=home.now(),
            evidence=to_json(
                with_text_read(Examined(rgb.shape[1], rgb.shape[0], pixels_sha256(rgb), faces))
            ),
            title=title,
        )
        decide_item(home, item)
    return item


def make_film_item(home: Home, pupil: str, data: bytes = b"the bytes of a film") -> Item:
    """A film of two seconds that shows this pupil, examined and decided now."""
    item_id = new_id()
    shown = Shown(0.0, 2.0, 1.0, ((0.0, 10, 10, 20, 20), (2.0, 12, 10, 20, 20)))
    identity = Match(pupil, distance=0.31, margin=0.22)
    face = FaceEvidence(Box(10, 10, 20, 20), 0.95, FaceKind.FACE, identity, shown=shown)
    film = Film(2.0, 50, 0, 2, 1, ("video h264",))
    evidence = with_text_read(Examined(64, 36, "ab" * 32, (face,), film=film))
    with transaction.atomic():
        item = Item.objects.create(
            **store_original(home, item_id, data),
            source=f"play/{item_id}.mp4",
            event="play",
            state=ItemState.RECEIVED,
            received_at=home.now(),
            evidence=to_json(evidence),
        )
        decide_item(home, item)
    return item


def make_world_with_ann(home: Home) -> World:
    """An import, and Ann on the register."""
    world = World(home)
    world.make_import()
    world.make_pupil("000001")
    return world


def make_two_photos(home: Home) -> None:
    """A picture of Ann, and one of Ann with Ben, decided and not out yet."""
    make_world_with_ann(home).make_pupil("000002", forename="Ben")
    make_photo(home, "000001")
    make_photo(home, "000001", "000002")


def make_two_out(home: Home) -> None:
    """The same two pictures, and both are out everywhere."""
    make_two_photos(home)
    publish_pending(home, FakeRenderer())


def decide_item(home: Home, item: Item) -> None:
    apply_decision(
        DecisionContext(home, load_register(home.now().date()), home.now(), may_open=True), item
    )


def withdraw_consent(home: Home, pupil: str, purpose: str = "website") -> int:
    """A parent takes a consent back, as an import enters it. Returns how many came back."""
    with transaction.atomic():
        refuse_in_register(pupil, purpose)
        this = DecisionContext(home, load_register(home.now().date()), home.now())
        return redecide_pupils(this, [pupil])


def refuse_in_register(pupil: str, purpose: str = "website") -> None:
    """Only the consent: nothing is decided again."""
    answers = ConsentAnswer.objects.filter(pupil__admission_number=pupil, purpose=purpose)
    assert answers.update(answer=Answer.REFUSED.value) == 1


def published_files(home: Home, channel: str = "website") -> dict[str, bytes]:
    """Everything in the channel's folder but the manifest, by its path there."""
    folder = home.approved(channel)
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name != "manifest.json"
    }


def read_manifest(home: Home, channel: str = "website") -> dict[str, Any]:
    path = home.approved(channel) / "manifest.json"
    return json.loads(path.read_text()) if path.exists() else {"items": [], "withdrawn": []}


def assert_readers_see_only_whole_pictures(home: Home) -> None:
    """At any moment: every entry has its file with the right bytes."""
    for channel in home.settings.channels:
        for entry in read_manifest(home, channel)["items"]:
            for part in (entry, *entry.get("siblings", ())):
                data = (home.approved(channel) / part["file"]).read_bytes()
                assert hashlib.sha256(data).hexdigest() == part["sha256"]


def assert_folders_hold_just_the_manifest(home: Home, waiting: Iterable[Publication] = ()) -> None:
    """After work: the listed files, whole, and nothing else but files of pictures that wait."""
    assert_readers_see_only_whole_pictures(home)
    rows = list(waiting)
    for channel in home.settings.channels:
        entries = read_manifest(home, channel)["items"]
        listed = [part["file"] for entry in entries for part in (entry, *entry.get("siblings", ()))]
        here = [row for row in rows if row.channel == channel]
        # A stop between the renaming and the commit leaves the final name.
        final = {name for row in here for name in file_names_of(row)}
        staged = tuple(f"{PARTIAL}{row.pk}-" for row in here)
        found = published_files(home, channel).keys() - final
        assert sorted(f for f in found if not f.startswith(staged)) == sorted(listed), channel


def published_counts(home: Home) -> dict[str, int]:
    """How many files each channel's folder holds beside its manifest."""
    return {channel: len(published_files(home, channel)) for channel in home.settings.channels}


def _drawn(seed: str) -> NDArray[np.uint8]:
    """A small picture with shapes, another for every seed."""
    rng = np.random.default_rng(int(hashlib.sha256(seed.encode()).hexdigest()[:8], 16))
    coarse = rng.integers(60, 200, (5, 7, 3), dtype=np.uint8)
    smooth = Image.fromarray(coarse).resize((168, 120), Image.Resampling.BICUBIC)
    return np.asarray(smooth, dtype=np.uint8)
