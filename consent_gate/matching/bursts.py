"""Finds the same faces in two pictures that were taken one right after the other.

Two pictures are of one burst if they have the same size, the same number of faces, and each face of
the one lies where exactly one face of the other lies. Faces that the machine gave to different
pupils are not the same. These functions look at the evidence only.
"""

from __future__ import annotations

from consent_gate.model import Evidence, Examined, FaceEvidence, Match

SAME_PLACE = 0.5
"""Smallest intersection over union of two faces that lie in the same place."""


def burst_key(picture: Evidence) -> str:
    """Return the size and the number of faces as a text; empty where there can be no burst.

    Only pictures with the same text can be of one burst, so that they are found in a large event
    without reading the evidence of all its pictures.
    """
    if not isinstance(picture, Examined) or not picture.faces or picture.film is not None:
        return ""
    return f"{picture.width}x{picture.height}:{len(picture.faces)}"


def same_faces(first: Examined, second: Examined) -> dict[int, int]:
    """Return the index in ``second`` of each face of ``first``; empty for other pictures."""
    if not burst_key(first) or burst_key(first) != burst_key(second):
        return {}
    pairs: dict[int, int] = {}
    for index, face in enumerate(first.faces):
        others = enumerate(second.faces)
        found = [i for i, other in others if face.box.overlap(other.box) >= SAME_PLACE]
        if len(found) != 1 or found[0] in pairs.values():
            return {}
        if _are_different(face, second.faces[found[0]]):
            return {}
        pairs[index] = found[0]
    return pairs


def _are_different(first: FaceEvidence, second: FaceEvidence) -> bool:
    a, b = first.identity, second.identity
    return isinstance(a, Match) and isinstance(b, Match) and a.pupil != b.pupil
