"""Match the report half of the test photos against an enrolled school.

Members are the people of the made-up school. Strangers are the report half of faces/strangers, and
each member as if he or she were not enrolled.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.faces.embeddings import AS_PORTRAIT, Measured, Sample, measured
from benchmarks.faces.fit_shipped_thresholds import VERSIONS, as_templates
from consent_gate.matching.gallery import (
    DLIB,
    SFACE,
    Gallery,
    Probes,
    fused_by_pupil,
    gallery_of,
)
from consent_gate.matching.identify import match, match_by_sface
from consent_gate.matching.shipped_thresholds import shipped_thresholds
from consent_gate.model import Ambiguous, Identity, Match, NearMatch, NotMatched, Reason, Unknown
from ingest.faces.quality import quality_failure

THRESHOLDS = shipped_thresholds()

RIGHT, WRONG = "cleared", "WRONG pupil"
UNKNOWN, AMBIGUOUS, POOR = "unknown", "ambiguous", "too poor"
NO_FACE, POSSIBLE = "no face found", "possible face"

MET_AGAIN_PER_MEMBER = 2
"""Number of test pictures of each member; all of them would take half an hour longer."""

Scores = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class School:
    """Members enrolled with one or two pictures, and the pictures to match."""

    enrolled: list[Sample]
    gallery: Gallery
    met_again: list[Sample]
    """Members' other pictures."""
    strangers: list[Sample]


def schools(half: Sequence[Sample]) -> dict[int, School]:
    """Schools by enrolment pictures a member: the first pictures that the product accepts."""
    by_person: dict[str, list[Sample]] = defaultdict(list)
    for sample in half:
        if sample.member:
            by_person[sample.person].append(sample)
    portraits = _enrollable([s for pictures in by_person.values() for s in pictures[:2]])
    short = [person for person in by_person if len(portraits[person]) < 2]
    more = _enrollable([s for person in short for s in by_person[person][2:]])
    for person in short:
        portraits[person] += more[person]
    members = {person: looks for person, looks in portraits.items() if len(looks) >= 2}
    return {templates: _school(half, members, templates) for templates in (1, 2)}


def _enrollable(chosen: Sequence[Sample]) -> dict[str, list[Measured]]:
    looks: dict[str, list[Measured]] = defaultdict(list)
    for look in measured(chosen, AS_PORTRAIT):
        if look.vectors is not None:
            looks[look.sample.person].append(look)
    return looks


def _school(half: Sequence[Sample], members: dict[str, list[Measured]], templates: int) -> School:
    """Build a school; with one and with two templates a member the test pictures are the same."""
    chosen = [look for looks in members.values() for look in looks[:templates]]
    others: dict[str, list[Sample]] = defaultdict(list)
    for sample in half:
        if sample.person in members:
            others[sample.person].append(sample)
    for person, looks in members.items():
        enrolled = {look.sample for look in looks[:2]}
        others[person] = [s for s in others[person] if s not in enrolled][:MET_AGAIN_PER_MEMBER]
    return School(
        enrolled=[look.sample for look in chosen],
        gallery=gallery_of(as_templates(chosen)),
        met_again=[sample for pictures in others.values() for sample in pictures],
        strangers=[s for s in half if not s.member],
    )


def judge(faces: Sequence[Measured], gallery: Gallery) -> tuple[list[str], int]:
    """The outcome of each face by the product's cascade, and how often dlib was needed."""
    answers, asked = [], 0
    for face in faces:
        identity, second = _identity(face, gallery)
        asked += second
        answers.append(_outcome(identity, face.sample.person))
    return answers, asked


def judge_as_strangers(faces: Sequence[Measured], gallery: Gallery) -> list[str]:
    """The outcome of each member if only all others are enrolled."""
    return [judge([face], _without(gallery, face.sample.person))[0][0] for face in faces]


def scores_with(faces: Sequence[Measured], gallery: Gallery) -> tuple[Scores, Scores]:
    """Fused score of each found face with its own person (-1: not enrolled), and with the nearest
    other; shape (faces,) each."""
    probes = {
        model: np.stack([face.vectors[model] for face in faces if face.vectors])
        for model in (SFACE, DLIB)
    }
    scores = fused_by_pupil(probes, gallery, THRESHOLDS).astype(np.float64)
    names = np.array(gallery.pupils)
    same = np.array([face.sample.person for face in faces])[:, None] == names[None, :]
    return np.where(same, scores, -1).max(axis=1), np.where(same, -1, scores).max(axis=1)


def _identity(face: Measured, gallery: Gallery) -> tuple[Identity | None, bool]:
    """The identity, None if no face was found; and whether dlib was needed."""
    if face.possible:
        return NotMatched(Reason.POSSIBLE_FACE), False
    if face.vectors is None or face.quality is None:
        return None, False
    if poor := quality_failure(face.quality, THRESHOLDS.floors):
        return NotMatched(Reason.LOW_QUALITY_FACE, poor), False
    probes = Probes({model: face.vectors[model][None] for model in (SFACE, DLIB)}, VERSIONS)
    first = match_by_sface(gallery, probes, THRESHOLDS)[0]
    if first is not None:
        return first, False
    return match(gallery, probes, THRESHOLDS)[0], True


def _outcome(identity: Identity | None, person: str) -> str:
    match identity:
        case None:
            return NO_FACE
        case Match(pupil=pupil):
            return RIGHT if pupil == person else WRONG
        case Ambiguous():
            return AMBIGUOUS
        case Unknown() | NearMatch():
            return UNKNOWN
        case NotMatched(reason=Reason.POSSIBLE_FACE):
            return POSSIBLE
        case NotMatched():
            return POOR


def _without(gallery: Gallery, person: str) -> Gallery:
    """The gallery without this person."""
    keep = np.array([gallery.pupils[owner] != person for owner in gallery.owners])
    pupils = tuple(pupil for pupil in gallery.pupils if pupil != person)
    index = {pupil: position for position, pupil in enumerate(pupils)}
    owners = np.array([index[gallery.pupils[owner]] for owner in gallery.owners[keep]], np.intp)
    vectors = {model: rows[keep] for model, rows in gallery.vectors.items()}
    return Gallery(pupils, owners, vectors, gallery.versions)
