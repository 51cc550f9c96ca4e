"""What the gate keeps of a closed picture to recognise its copies, and how it is encrypted."""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image, UnidentifiedImageError

from consent_gate.db.evidence_json import from_json
from consent_gate.db.models import ClosedPicture, Item
from consent_gate.errors import DecryptionError, StorageFull
from consent_gate.home.home import Home
from consent_gate.home.keys import decrypt, encrypt
from consent_gate.matching.copies.closed_description import DESCRIBED_SIDE, Description, describe
from consent_gate.matching.copies.picture_hash import HASHED_SIDE, STORED_BYTES, picture_hashes
from consent_gate.model import Box, Evidence, Examined
from consent_gate.vault.originals import read_part

Luma = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class CopyTraits:
    """How copies of a picture are recognised. Both are empty where there is no preview."""

    hashes: bytes
    """``picture_hash.picture_hashes``, upright only."""
    description: bytes
    """``closed_description.Description.to_bytes``, not encrypted."""


def stored_traits(home: Home, item: Item) -> CopyTraits:
    """The traits of an item with a stored preview. Call before it is sealed."""
    preview = stored_preview(home, item)
    return traits_of(from_json(item.evidence), preview, hashes_of(preview))


def traits_of(evidence: Evidence, preview: bytes | None, hashes: bytes) -> CopyTraits:
    """The traits of an examined picture.

    Args:
        evidence: What was found in it.
        preview: Its preview, JPEG; None if it has none.
        hashes: ``picture_hashes`` of it.
    """
    luma = brightness(preview, DESCRIBED_SIDE)
    if luma is None:
        return CopyTraits(hashes[:STORED_BYTES], b"")
    faces = []
    if isinstance(evidence, Examined) and evidence.film is None:
        # The preview of a film shows one moment, and its faces are of others.
        faces = faces_in(evidence, luma)
    return CopyTraits(hashes[:STORED_BYTES], describe(luma, faces).to_bytes())


def encrypt_description(home: Home, row: ClosedPicture, description: bytes) -> None:
    """Put a description, encrypted, into ``row``, which is not saved."""
    row.description = (
        encrypt(home.keys.vault, description, description_place(row.item_id))
        if description
        else b""
    )


def decrypt_description(home: Home, row: ClosedPicture) -> Description | None:
    """The description of a closed picture; None if it has none or it cannot be decrypted."""
    if not row.description:
        return None
    place = description_place(row.item_id)
    try:
        return Description.from_bytes(decrypt(home.keys.vault, bytes(row.description), place))
    except DecryptionError:
        return None  # the hashes and the digest of the pixels are still compared


def description_place(item_id: str) -> str:
    """The associated data of a description, which ties it to its picture."""
    return f"closed:{item_id}"


def hashes_of(preview: bytes | None) -> bytes:
    """``picture_hashes`` of a preview; empty if it is missing or cannot be read."""
    luma = brightness(preview, HASHED_SIDE)
    return b"" if luma is None else picture_hashes(luma)


def faces_in(evidence: Examined, preview: Luma) -> list[Box]:
    """The face boxes in pixels of the preview."""
    scale = preview.shape[1] / evidence.width
    return [
        Box(*(round(side * scale) for side in (box.x, box.y, box.width, box.height)))
        for box in (face.box for face in evidence.faces)
    ]


def stored_preview(home: Home, item: Item) -> bytes | None:
    """The stored preview; None if it is missing or cannot be opened."""
    try:
        return read_part(home, item, "preview")
    except (OSError, StorageFull, DecryptionError):
        return None


def brightness(preview: bytes | None, side: int) -> Luma | None:
    """Brightness of a preview, ``(height, width)``, at most ``side`` pixels a side; or None."""
    if preview is None:
        return None
    try:
        with Image.open(io.BytesIO(preview), formats=["JPEG"]) as picture:
            picture.draft("L", (side, side))
            small = picture.convert("L")
            small.thumbnail((side, side), Image.Resampling.BOX)
            return np.asarray(small, dtype=np.uint8)
    except (OSError, UnidentifiedImageError, ValueError):
        return None
