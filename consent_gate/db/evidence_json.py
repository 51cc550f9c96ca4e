"""Convert evidence to JSON for the database, and back."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from consent_gate.model import (
    Ambiguous,
    Box,
    Evidence,
    Examined,
    FaceEvidence,
    FaceKind,
    Film,
    FilmSpan,
    Identity,
    Match,
    NamePart,
    NearMatch,
    NotExamined,
    NotMatched,
    Quality,
    Reason,
    Shown,
    Sound,
    TextCheck,
    Unknown,
    VisibleName,
)

NO_TEXT: dict[str, Any] = {"check": "off", "names": [], "looked_for": [], "side": 0}
"""Of a picture that was examined before text was read."""


def to_json(evidence: Evidence) -> dict[str, Any]:
    """Return the evidence as a dictionary that ``json`` can serialise."""
    if isinstance(evidence, NotExamined):
        return {"not_examined": {"reason": evidence.reason.value, "detail": evidence.detail}}
    return {
        "examined": {
            "width": evidence.width,
            "height": evidence.height,
            "pixels_sha256": evidence.pixels_sha256,
            "device": evidence.device,
            "templates_from": evidence.templates_from,
            "faces": [_face_to_json(face) for face in evidence.faces],
            **({"film": asdict(evidence.film)} if evidence.film else {}),
            "text": {
                "check": evidence.text_check.value,
                "names": [_name_to_json(name) for name in evidence.names],
                "looked_for": [part.value for part in evidence.looked_for],
                "side": evidence.text_side,
            },
        }
    }


def from_json(stored: Any) -> Evidence:
    """Return the evidence. Damaged JSON gives ``NotExamined``, which can only hold the picture."""
    try:
        if "not_examined" in stored:
            body = stored["not_examined"]
            return NotExamined(Reason(body["reason"]), body["detail"])
        body = stored["examined"]
        return Examined(
            width=body["width"],
            height=body["height"],
            pixels_sha256=body["pixels_sha256"],
            device=body["device"],
            templates_from=body["templates_from"],
            faces=tuple(_face_from_json(face) for face in body["faces"]),
            film=_film_from_json(body["film"]) if "film" in body else None,
            **_text_from_json(body.get("text", NO_TEXT)),
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        return NotExamined(Reason.NOT_EXAMINED, "The stored evidence cannot be read.")


def _face_to_json(face: FaceEvidence) -> dict[str, Any]:
    return {
        "box": face.box.as_list(),
        "score": face.score,
        "kind": face.kind.value,
        "identity": _identity_to_json(face.identity),
        "quality": asdict(face.quality) if face.quality else None,
        **({"shown": asdict(face.shown)} if face.shown else {}),
        **({"in_rendition": True} if face.in_rendition else {}),
    }


def _name_to_json(name: VisibleName) -> dict[str, Any]:
    return {"box": name.box.as_list(), "pupil": name.pupil, "part": name.part.value}


def _text_from_json(stored: dict[str, Any]) -> dict[str, Any]:
    names = (VisibleName(Box(*n["box"]), n["pupil"], NamePart(n["part"])) for n in stored["names"])
    looked_for = tuple(NamePart(part) for part in stored["looked_for"])
    return {
        "text_check": TextCheck(stored["check"]),
        "names": tuple(names),
        "looked_for": looked_for,
        "text_side": int(stored["side"]),
    }


def _film_from_json(stored: dict[str, Any]) -> Film:
    starts, sound = tuple(stored.get("scene_starts", ())), stored.get("sound")
    return Film(
        **{
            **stored,
            "streams": tuple(stored["streams"]),
            "scene_starts": starts,
            "sound": None if sound is None else _sound_from_json(sound),
        }
    )


def _sound_from_json(stored: dict[str, Any]) -> Sound:
    speech = stored["speech"]
    if speech is None:
        return Sound(stored["sha256"], None)
    return Sound(stored["sha256"], tuple(FilmSpan(s["from_ms"], s["to_ms"]) for s in speech))


def _shown_from_json(stored: dict[str, Any]) -> Shown:
    path = tuple((time, x, y, width, height) for time, x, y, width, height in stored["path"])
    maybe = stored.get("maybe_s")
    span = None if maybe is None else (float(maybe[0]), float(maybe[1]))
    return Shown(**{**stored, "path": path, "maybe_s": span})


def _face_from_json(stored: dict[str, Any]) -> FaceEvidence:
    quality = stored["quality"]
    return FaceEvidence(
        box=Box(*stored["box"]),
        score=stored["score"],
        kind=FaceKind(stored["kind"]),
        identity=_identity_from_json(stored["identity"]),
        quality=Quality(**quality) if quality else None,
        shown=_shown_from_json(stored["shown"]) if "shown" in stored else None,
        in_rendition=bool(stored.get("in_rendition", False)),
    )


def _identity_to_json(identity: Identity) -> dict[str, Any]:
    match identity:
        case Match():
            return {"is": "match", **asdict(identity)}
        case NearMatch():
            return {"is": "near_match", **asdict(identity)}
        case Ambiguous():
            return {"is": "ambiguous", "pupils": list(identity.pupils)}
        case NotMatched():
            return {"is": "not_judged", "reason": identity.reason.value, "detail": identity.detail}
        case Unknown():
            return {"is": "unknown"}


def _identity_from_json(stored: dict[str, Any]) -> Identity:
    match stored["is"]:
        case "match":
            return Match(stored["pupil"], stored["distance"], stored["margin"])
        case "near_match":
            return NearMatch(
                stored["pupil"], stored["distance"], stored["margin"], stored["roll_size"]
            )
        case "ambiguous":
            return Ambiguous(tuple(stored["pupils"]))
        case "not_judged":
            return NotMatched(Reason(stored["reason"]), stored["detail"])
        case "unknown":
            return Unknown()
    raise ValueError(stored["is"])
