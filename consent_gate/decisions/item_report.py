"""Items as dictionaries, for ``items --json``, ``check --json`` and the web pages."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

from consent_gate.db.evidence_json import from_json
from consent_gate.db.models import ChannelStatus, Item, Publication
from consent_gate.model import Evidence, Examined, FaceEvidence, Hold, Match, Verdict
from consent_gate.publication import IN_MANIFEST


def item_as_dict(item: Item) -> dict[str, Any]:
    """A stored item. Prefetch ``decisions`` and ``publications`` when printing many."""
    decisions = {d.channel: d for d in item.decisions.all()}
    held: dict[int, list[str]] = {}
    for decision in decisions.values():
        for index, reasons in decision.faces.items():
            held.setdefault(int(index), []).extend(reasons)
    evidence = from_json(item.evidence)
    return {
        "id": item.pk,
        "source": item.source,
        "sha256": item.sha256,
        "state": item.state,
        **_kind(evidence),
        "faces": faces_as_list(evidence, held),
        "channels": {
            name: {
                "verdict": decision.verdict,
                "reasons": decision.reasons,
                "file": _live_file(item, name),
            }
            for name, decision in sorted(decisions.items())
        },
    }


def checked_as_dict(
    source: str, sha256: str, evidence: Evidence, verdicts: Mapping[str, Verdict]
) -> dict[str, Any]:
    """A picture that ``check`` examined without storing it."""
    held: dict[int, list[str]] = {}
    for verdict in verdicts.values():
        for index, reasons in verdict.faces.items() if isinstance(verdict, Hold) else ():
            held.setdefault(index, []).extend(reasons)
    return {
        "id": None,
        "source": source,
        "sha256": sha256,
        "state": "checked",
        **_kind(evidence),
        "faces": faces_as_list(evidence, held),
        "channels": {name: _verdict_as_dict(verdict) for name, verdict in verdicts.items()},
    }


def faces_as_list(evidence: Evidence, held: Mapping[int, list[str]]) -> list[dict[str, Any]]:
    """The faces of a picture, each with the reasons that hold it in any channel.

    ``held`` maps the index of a face to its reasons.
    """
    faces = evidence.faces if isinstance(evidence, Examined) else ()
    return [_face(face, held.get(index, [])) for index, face in enumerate(faces)]


def _kind(evidence: Evidence) -> dict[str, Any]:
    """What a film has in addition to a picture."""
    film = evidence.film if isinstance(evidence, Examined) else None
    return {} if film is None else {"kind": "film", "duration": round(film.seconds, 3)}


def _span(face: FaceEvidence) -> dict[str, Any]:
    """When a film shows a face, in seconds since its first frame."""
    return {} if face.shown is None else {"from": face.shown.from_s, "to": face.shown.to_s}


def _face(face: FaceEvidence, reasons: list[str]) -> dict[str, Any]:
    match = None
    if isinstance(face.identity, Match):
        match = {
            "pupil": face.identity.pupil,
            "distance": round(face.identity.distance, 4),
            "margin": round(face.identity.margin, 4),
        }
    return {
        "box": face.box.as_list(),
        "score": round(face.score, 4),
        "kind": face.kind.value,
        **_span(face),
        "match": match,
        "reasons": [str(reason) for reason in dict.fromkeys(reasons)],
    }


def _verdict_as_dict(verdict: Verdict) -> dict[str, Any]:
    if isinstance(verdict, Hold):
        reasons = [reason.value for reason in verdict.reasons]
        return {"verdict": ChannelStatus.HELD.value, "reasons": reasons, "file": None}
    return {"verdict": ChannelStatus.RELEASED.value, "reasons": [], "file": None}


def _public_file(publication: Publication) -> str:
    """The film of a publication, or else its picture."""
    is_film = any(file["kind"] == "mp4" for file in publication.siblings)
    file = PurePosixPath(publication.file)
    return str(file.with_suffix(".mp4") if is_film else file)


def _live_file(item: Item, channel: str) -> str | None:
    """Path of the picture below the channel's folder; None while it is not there."""
    rows: list[Publication] = list(item.publications.all())
    live = [_public_file(p) for p in rows if p.channel == channel and p.state in IN_MANIFEST]
    return live[0] if live else None
