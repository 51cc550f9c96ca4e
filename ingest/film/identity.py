"""Find the pupil whose face a track shows.

At least one frame of each part of a track is embedded, where one is good enough. All embedded
frames must show the same face, by their vectors. Then the average of the vectors is compared with
the gallery once. Where they do not agree, the track is split, and both halves are ambiguous.
Vectors never leave the worker.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from consent_gate.matching.gallery import Gallery
from consent_gate.model import Ambiguous, Identity, Match, NotMatched, Quality, Reason
from ingest.faces.analyser import FaceAnalyser
from ingest.faces.protocols import RGB, FoundFace

MIN_AGREEMENT = 0.35
"""SFace score, with the average of the track's other frames, from which a frame shows the same
face. Two strangers reach it less than once in a thousand."""

MIN_ALIKE = 0.2
"""The same score of two single frames. Two strangers reach it once in a hundred pairs; one person
does not in three of a thousand pairs of photos of different days."""

MIN_ALIKE_SOON = 0.35
"""The same of two frames within ``SOON_SECONDS``, between which one face changes less. Somebody who
is blended over the face of a pupil is more like the pupil than a stranger is."""

SOON_SECONDS = 2.0
"""Every frame of a track that is embedded has another one within this time, or nearly so."""

BLOCK = 3
"""Neighbouring vectors of which the averages are compared, or half of them if there are fewer."""

MAX_SECONDS_UNSEEN = 3.0
"""The longest time of a track without an embedded frame. A face that stays too poor for longer
could be another person's."""

SAMPLES = 3
"""Number of frames of a track that dlib compares if SFace is not certain."""

UNSEEN = NotMatched(Reason.LOW_QUALITY_FACE, "the face cannot be recognised for several seconds")


@dataclass(eq=False)
class Measurement:
    """One embedded frame of a track, or the reason why it was too poor."""

    time: float
    rank: float
    """How good the frame is; larger is better."""
    refusal: NotMatched | None
    quality: Quality | None
    vector: NDArray[np.float32]
    """Empty where refused."""
    sample: tuple[RGB, FoundFace] | None
    """The pixels around the face. None once better ones are known."""


@dataclass(frozen=True, eq=False)
class Named:
    """A track, or a half of it, with its identity."""

    from_s: float
    to_s: float
    identity: Identity
    quality: Quality | None


@dataclass(eq=False)
class Measurements:
    """All measurements of one track."""

    all: list[Measurement] = field(default_factory=list)

    def add(self, measurement: Measurement) -> None:
        """Keep a measurement, and the pixels of the best few only."""
        self.all.append(measurement)
        judged = [one for one in self.all if one.refusal is None and one.sample is not None]
        for worse in sorted(judged, key=lambda one: -one.rank)[SAMPLES:]:
            worse.sample = None
        if measurement.refusal is not None:
            measurement.sample = None

    @property
    def embedded(self) -> list[Measurement]:
        """The measurements that gave a vector, in the order of time."""
        return sorted((one for one in self.all if one.refusal is None), key=lambda one: one.time)


def name_track(
    measurements: Measurements,
    span: tuple[float, float],
    unseen: tuple[float, float],
    analyser: FaceAnalyser,
    gallery: Gallery,
) -> list[Named]:
    """Return the identity of a track; two entries if it is split.

    Args:
        measurements: The examined frames of the track.
        span: Times of its first and last frame, in seconds.
        unseen: The span, longer where the track was cut: between these times the face may not be
            unrecognisable for more than ``MAX_SECONDS_UNSEEN``.
        analyser: Compares the vectors.
        gallery: The templates of enrolled pupils.
    """
    embedded = measurements.embedded
    if not embedded:
        return [Named(*span, _refusal(measurements), _best_quality(measurements.all))]
    times = np.array([one.time for one in embedded])
    split = first_stranger(np.stack([one.vector for one in embedded]), times, analyser)
    if split is not None:
        return _split(embedded, split, span, analyser, gallery)
    quality = _best_quality(embedded)
    if longest_gap([one.time for one in embedded], unseen) > MAX_SECONDS_UNSEEN:
        return [Named(*span, UNSEEN, quality)]
    return [Named(*span, _compare(embedded, analyser, gallery), quality)]


def first_stranger(
    vectors: NDArray[np.float32], times: NDArray[np.float64], analyser: FaceAnalyser
) -> int | None:
    """The index of a vector at which another person's face may begin.

    Each vector must agree with the average of the others. If two people take turns for about as
    long, each of them agrees with an average of both. So the averages of any few neighbouring
    vectors must agree with those of any others too. In a dissolve the frames between show both, and
    agree with either: so no two single vectors may be of two people for certain.

    Args:
        vectors: One row for each embedded frame, in the order of time.
        times: Seconds of these frames.
        analyser: Compares the vectors.

    Returns:
        None where all agree.
    """
    count = len(vectors)
    if count < 2:
        return None
    singles = np.asarray(analyser.likeness(vectors, vectors))
    is_soon = np.abs(times[:, None] - times) <= SOON_SECONDS
    room = singles - np.where(is_soon, MIN_ALIKE_SOON, MIN_ALIKE)
    first, second = np.unravel_index(int(room.argmin()), room.shape)
    if not room[first, second] >= 0:
        return int(max(first, second))
    size = max(1, min(BLOCK, count // 2))
    blocks = np.stack([vectors[at : at + size].mean(axis=0) for at in range(count - size + 1)])
    agreement = np.asarray(analyser.likeness(blocks, blocks))
    first, second = np.unravel_index(int(agreement.argmin()), agreement.shape)
    if not agreement[first, second] >= MIN_AGREEMENT:
        return int(max(first, second))
    others = (vectors.sum(axis=0, keepdims=True) - vectors) / (count - 1)
    scores = [
        float(analyser.likeness(vectors[i : i + 1], others[i : i + 1])[0, 0]) for i in range(count)
    ]
    strangers = [index for index, score in enumerate(scores) if not score >= MIN_AGREEMENT]
    return strangers[0] if strangers else None


def longest_gap(times: Sequence[float], span: tuple[float, float]) -> float:
    """The longest time within a span that has none of the times."""
    marks = [span[0], *times, span[1]]
    return max(later - earlier for earlier, later in pairwise(marks))


def _split(
    embedded: Sequence[Measurement],
    at: int,
    span: tuple[float, float],
    analyser: FaceAnalyser,
    gallery: Gallery,
) -> list[Named]:
    """Return two halves. Both are ambiguous between all matched pupils, so that both hold."""
    at = at or 1
    matches = [_compare([one], analyser, gallery) for one in embedded]
    pupils = tuple(
        dict.fromkeys(
            number
            for found in matches
            for number in (
                (found.pupil,)
                if isinstance(found, Match)
                else found.pupils
                if isinstance(found, Ambiguous)
                else ()
            )
        )
    )
    halves = (embedded[:at], embedded[at:])
    spans = ((span[0], embedded[at - 1].time), (embedded[at].time, span[1]))
    return [
        Named(*part, Ambiguous(pupils), _best_quality(half))
        for half, part in zip(halves, spans, strict=True)
    ]


def _compare(embedded: Sequence[Measurement], analyser: FaceAnalyser, gallery: Gallery) -> Identity:
    samples = [one.sample for one in embedded if one.sample is not None]
    if not samples:
        return NotMatched(Reason.LOW_QUALITY_FACE, "the face is too unclear")
    return analyser.identify_track(np.stack([one.vector for one in embedded]), samples, gallery)


def _refusal(measurements: Measurements) -> NotMatched:
    """Why no frame was good enough, in the words of the best one."""
    best = max(measurements.all, key=lambda one: one.rank, default=None)
    if best is None or best.refusal is None:
        return NotMatched(Reason.LOW_QUALITY_FACE, "the face is too unclear")
    return best.refusal


def _best_quality(measurements: Sequence[Measurement]) -> Quality | None:
    best = max(measurements, key=lambda one: one.rank, default=None)
    return best.quality if best else None
