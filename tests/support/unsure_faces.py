"""Faces of which the machine is not sure, in pictures that were examined before."""

from __future__ import annotations

from consent_gate.db.evidence_json import from_json, to_json
from consent_gate.db.models import Item
from consent_gate.model import Examined, NearMatch, Quality, Unknown


def make_unsure(item: Item, face: int, nearest: str | None, mirror_agreement: float = 0.98) -> None:
    """The machine is not sure of the face; ``nearest`` is the pupil whom it would name."""
    evidence = from_json(item.evidence)
    assert isinstance(evidence, Examined)
    faces = list(evidence.faces)
    identity = NearMatch(nearest, 0.58, 0.2, 30) if nearest else Unknown()
    quality = Quality(200, 50.0, 0.1, 120.0, 40.0, mirror_agreement)
    faces[face] = type(faces[face])(
        faces[face].box, faces[face].score, faces[face].kind, identity, quality
    )
    item.evidence = to_json(type(evidence)(**{**evidence.__dict__, "faces": tuple(faces)}))
    item.save(update_fields=["evidence"])
