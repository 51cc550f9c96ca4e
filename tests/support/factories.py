"""Factories of rows in a home: pupils, consents and pictures, without models or files.

The pictures are drawn, the previews are real JPEGs encrypted in the real vault, and every picture
goes through the real ``apply_decision``.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from PIL import Image, ImageDraw

from consent_gate.db.evidence_json import to_json
from consent_gate.db.models import (
    ConsentAnswer,
    EnrolmentPhoto,
    ImportRun,
    Item,
    ItemState,
    PupilEntry,
    Role,
    Template,
    User,
)
from consent_gate.decisions.apply import apply_decision
from consent_gate.decisions.ledger import DecisionContext
from consent_gate.home.home import Home
from consent_gate.home.ids import new_id
from consent_gate.matching.bursts import burst_key
from consent_gate.model import (
    BIOMETRIC,
    Answer,
    Box,
    Evidence,
    Examined,
    FaceEvidence,
    FaceKind,
    Identity,
    Match,
    NamePart,
    TextCheck,
    Unknown,
)
from consent_gate.register.repository import load_register
from consent_gate.vault.folder import FolderVault
from consent_gate.vault.interface import as_stream
from consent_gate.vault.originals import save_preview, vault_of

PASSWORD = "three-green-bicycles"
CHANNELS = ("website", "mag", "displays")
WIDTH, HEIGHT = 1200, 800


@dataclass
class World:
    """A home and short ways to put people and pictures in it."""

    home: Home

    def make_user(self, name: str = "j.shaw", role: Role = Role.REVIEWER) -> User:
        """A member of staff who can log in with ``PASSWORD``."""
        user = User(username=name, role=role, first_name="Jo", last_name="Shaw", knows_review=True)
        user.set_password(PASSWORD)
        user.save()
        return user

    def make_import(self, days_ago: int = 7) -> ImportRun:
        """The export that the register came from."""
        now = self.home.now()
        return ImportRun.objects.create(
            file_name="export.csv",
            file_sha256="0" * 64,
            exported_on=now.date() - timedelta(days=days_ago),
            status=ImportRun.Status.APPLIED,
            actor="office",
            created_at=now,
        )

    def make_pupil(
        self,
        number: str,
        forename: str = "Ann",
        surname: str = "Archer",
        *,
        said_no_to: Iterable[str] = (),
        enrolled: bool = True,
        **fields: object,
    ) -> PupilEntry:
        """A pupil with every consent but those refused."""
        pupil = PupilEntry.objects.create(
            admission_number=number,
            forename=forename,
            surname=surname,
            **{"reg_group": "5B", "year_group": "Year 5", **fields},
        )
        refused = set(said_no_to)
        for purpose in (BIOMETRIC, *CHANNELS):
            answer = Answer.REFUSED if purpose in refused else Answer.GIVEN
            ConsentAnswer.objects.create(pupil=pupil, purpose=purpose, answer=answer.value)
        if enrolled:
            photo = EnrolmentPhoto.objects.create(
                pupil=pupil,
                sha256=f"{number:0>64}",
                first_imported_on=self.home.now().date(),
                confirmed_by="j.shaw",
                confirmed_at=self.home.now(),
            )
            Template.objects.create(
                photo=photo, model="sface", model_version="test", ciphertext=b"not a real vector"
            )
        return pupil

    def make_item(
        self,
        *identities: Identity,
        event: str = "sports-day",
        name: str = "",
        evidence: Evidence | None = None,
        received_at: datetime | None = None,
        photo: Image.Image | None = None,
        boxes: list[Box] | None = None,
    ) -> Item:
        """A picture with these faces in a row, decided."""
        seen = evidence or make_evidence(*identities, boxes=boxes)
        item_id = new_id()
        drawing = encode_jpeg(photo or draw_picture(seen, item_id))
        with transaction.atomic():
            item = Item.objects.create(
                **store_original(self.home, item_id, drawing + item_id.encode()),
                source=f"{event}/{name or f'IMG_{item_id[:4]}.jpg'}",
                event=event,
                state=ItemState.RECEIVED,
                received_at=received_at or self.home.now(),
                evidence=to_json(seen),
                burst_key=burst_key(seen),
            )
            if isinstance(seen, Examined):
                save_preview(self.home, item, drawing)
            now = self.home.now()
            apply_decision(
                DecisionContext(self.home, load_register(now.date()), now, may_open=True), item
            )
        return item


def store_original(home: Home, item_id: str, data: bytes) -> dict[str, Any]:
    """Put an original into the vault. Returns what its row says of it."""
    vault = vault_of(home)
    key, wrapped = vault.new_key(item_id)
    stored = vault.write(item_id, key, as_stream(data))
    return {
        "id": item_id,
        "sha256": stored.sha256,
        "size": stored.size,
        "wrapped_key": wrapped,
    }


def folder_vault(home: Home) -> FolderVault:
    """The vault of a home that keeps its originals in a folder, whose files tests look into."""
    vault = vault_of(home)
    assert isinstance(vault, FolderVault)
    return vault


def face_boxes(count: int) -> list[Box]:
    """Boxes in rows of six, from the left."""
    return [Box(60 + 180 * (i % 6), 120 + 220 * (i // 6), 120, 150) for i in range(count)]


def make_evidence(*identities: Identity, boxes: list[Box] | None = None) -> Examined:
    """A picture of these faces."""
    places = boxes or face_boxes(len(identities))
    faces = tuple(
        FaceEvidence(box, 0.95, FaceKind.FACE, identity)
        for box, identity in zip(places, identities, strict=True)
    )
    digest = hashlib.sha256(repr(faces).encode()).hexdigest()
    return with_text_read(Examined(WIDTH, HEIGHT, digest, faces))


def with_text_read(evidence: Examined) -> Examined:
    """The evidence of a picture or film in which no text was found, though all was looked for."""
    return replace(
        evidence, text_check=TextCheck.COMPARED, text_side=10_000, looked_for=tuple(NamePart)
    )


def draw_picture(evidence: Evidence, seed: str) -> Image.Image:
    """A picture with a simple head wherever a face is."""
    shade = int(hashlib.sha256(seed.encode()).hexdigest()[:2], 16)
    picture = Image.new("RGB", (WIDTH, HEIGHT), (120 + shade // 4, 165, 190))
    draw = ImageDraw.Draw(picture)
    draw.rectangle((0, HEIGHT * 0.7, WIDTH, HEIGHT), fill=(96, 140, 90))
    for face in evidence.faces if isinstance(evidence, Examined) else ():
        b = face.box
        draw.rectangle(
            (b.x - 30, b.y + b.height, b.x + b.width + 30, b.y + 330), fill=(40, 60, 110)
        )
        draw.ellipse((b.x, b.y, b.x + b.width, b.y + b.height), fill=(226, 186, 160))
    return picture


def encode_jpeg(picture: Image.Image) -> bytes:
    """The picture as the preview an analysis worker would make."""
    out = io.BytesIO()
    picture.convert("RGB").save(out, "JPEG", quality=85)
    return out.getvalue()


def matches(number: str) -> Match:
    """A face that is clearly this pupil's."""
    return Match(number, distance=0.31, margin=0.22)


STRANGER = Unknown()
