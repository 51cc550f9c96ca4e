"""What decides whether two faces count as one person, and where the figures came from.

The promise is a *false accept rate per unknown face*: the chance that somebody who isn't
enrolled is taken for anybody who is. With a gallery of n pupils an unknown face has n chances
to be taken for somebody, so each single comparison may err at most ``rate / n`` of the time
(Boole's inequality; it holds however the comparisons depend on each other). Rates that small lie
beyond the pairs one can count, so the top of the impostor scores is described by a generalised
Pareto tail (Pickands 1975; peaks over threshold) and read off there.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Tail:
    """The upper end of the scores of different people."""

    start: float
    """Score above which the tail is described."""
    share: float
    """Share of impostor comparisons over ``start``."""
    scale: float
    """Scale of the generalised Pareto distribution, in score; positive."""
    shape: float
    """Shape: negative ends somewhere, 0 exponential, positive heavy."""

    def score_at(self, rate: float) -> float:
        """The score that a comparison of two people exceeds with probability ``rate``.

        Never below ``start``: less than that is not known here.
        """
        if rate >= self.share:
            return self.start
        if abs(self.shape) < 1e-9:
            return self.start + self.scale * math.log(self.share / rate)
        return self.start + self.scale / self.shape * (math.pow(self.share / rate, self.shape) - 1)

    def rate_at(self, score: float) -> float:
        """How often a comparison of two people exceeds ``score``; at least right above ``start``.

        Below ``start`` it is ``share``, too small: nothing asks there.
        """
        excess = max(score - self.start, 0.0) / self.scale
        if abs(self.shape) < 1e-9:
            return self.share * math.exp(-excess)
        return self.share * float(max(1 + self.shape * excess, 0.0) ** (-1 / self.shape))


@dataclass(frozen=True)
class QualityThresholds:
    """Below any of these a face is too poor to judge; units as in ``model.Quality``."""

    height_px: int
    sharpness: float
    yaw: float
    """The one ceiling: a face turned farther is too poor."""
    brightness: float
    contrast: float
    mirror_agreement: float


@dataclass(frozen=True)
class Thresholds:
    """Everything that matching depends on. Accepted by a person, stored, and versioned."""

    versions: Mapping[str, str]
    """Model name to weight version; other templates are never compared with these figures."""
    sface_centre: tuple[float, ...]
    """Mean SFace vector of many faces: taken off before comparing, as all faces share it."""
    dlib_offset: float
    """Mean dlib cosine of two different people: its zero, far from 0 as all faces share much."""
    dlib_weight: float
    """Share of the second opinion in the fused score, 0-1."""
    fused_tail: Tail
    """Of the fused score of SFace and dlib."""
    sface_tail: Tail
    """Of SFace alone, for faces on which it needs no second opinion."""
    margin: float
    """How much closer the best pupil must be than the next, in score."""
    false_accept_rate: float
    """Promised share of unknown faces taken for somebody enrolled, whatever the gallery."""
    floors: QualityThresholds
    fitted_on: str
    """What the figures were measured on, in words."""

    def accept_fused(self, pupils: int) -> float:
        """Fused score from which a face counts as the pupil, among that many pupils."""
        return self.fused_tail.score_at((1 - SOLO_SHARE) * self._rate(pupils))

    def accept_sface(self, pupils: int) -> float:
        """SFace score from which it needs no second opinion, among that many pupils."""
        return self.sface_tail.score_at(SOLO_SHARE * self._rate(pupils))

    def hopeless_sface(self, pupils: int) -> float:
        """SFace score below which no second opinion lifts a face over the line."""
        return self.least_sface(self.accept_fused(pupils))

    def least_sface(self, fused: float) -> float:
        """SFace score that a fused score needs even where the second opinion is 1, its best."""
        return (fused - self.dlib_weight) / (1 - self.dlib_weight)

    def _rate(self, pupils: int) -> float:
        return self.false_accept_rate / max(pupils, 1)

    def to_json(self) -> str:
        """Text that ``from_json`` reads back to an equal value."""
        return json.dumps(asdict(self), indent=1, sort_keys=True)

    @staticmethod
    def from_json(text: str) -> Thresholds:
        """Read ``to_json``'s text. Raises ValueError on anything else, or a figure that isn't."""
        try:
            raw = json.loads(text, parse_constant=_no_such_figure)
            raw["sface_centre"] = tuple(float(value) for value in raw["sface_centre"])
            raw["fused_tail"] = Tail(**raw["fused_tail"])
            raw["sface_tail"] = Tail(**raw["sface_tail"])
            raw["floors"] = QualityThresholds(**raw["floors"])
            return Thresholds(**raw)
        except (KeyError, TypeError) as error:
            raise ValueError("These are not thresholds.") from error


SOLO_SHARE = 0.1
"""Part of the promised rate spent on faces that SFace accepts alone: a second opinion costs
140 ms a face, and asking it for every face clears more pupils than it costs only near the line."""


def _no_such_figure(name: str) -> float:
    raise ValueError(f"{name} is not a figure.")
