"""``Thresholds``: the scores from which two faces count as one person, and how they were fitted.

The promise is a *false accept rate per unknown face*: the probability that a person who is not
enrolled is matched to any pupil. In a gallery of n pupils an unknown face is compared n times, so
each comparison may fail with a probability of at most ``rate / n`` (Boole's inequality, which holds
for dependent comparisons too). Such small rates cannot be counted in the pairs available.
Therefore a generalised Pareto tail (Pickands 1975; peaks over threshold) is fitted to the highest
impostor scores, and the threshold is computed from the tail.

Each template of a pupil counts as a comparison. A stranger who resembles one of several pictures
has more chances, although the pupil is compared as one average. So in a gallery of n pupils the
comparison with a pupil who has k templates may fail with a probability of at most ``rate / (n k)``.
On the fit half, nine in ten resamplings of the people keep the promise by this rule with two to
five templates a pupil (docs/adr/0004).
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Tail:
    """The distribution of the highest scores of different people (impostor scores)."""

    start: float
    """Score at which the tail begins."""
    share: float
    """Share of impostor comparisons over ``start``."""
    scale: float
    """Scale of the generalised Pareto distribution, in units of the score; positive."""
    shape: float
    """Shape: negative has an upper end, 0 is exponential, positive is a heavy tail."""

    def score_at(self, rate: float) -> float:
        """Return the score that a comparison of two people exceeds with probability ``rate``.

        Never below ``start``, because the tail does not describe lower scores.
        """
        if rate >= self.share:
            return self.start
        if abs(self.shape) < 1e-9:
            return self.start + self.scale * math.log(self.share / rate)
        return self.start + self.scale / self.shape * (math.pow(self.share / rate, self.shape) - 1)

    def rate_at(self, score: float) -> float:
        """Return the probability that a comparison of two people exceeds ``score``.

        Valid from ``start`` on. Below ``start`` it returns ``share``, which is too small; no caller
        asks for such a score.
        """
        excess = max(score - self.start, 0.0) / self.scale
        if abs(self.shape) < 1e-9:
            return self.share * math.exp(-excess)
        return self.share * float(max(1 + self.shape * excess, 0.0) ** (-1 / self.shape))


@dataclass(frozen=True)
class QualityThresholds:
    """Limits of the quality of a face; units as in ``model.Quality``.

    A face below one of them, or above ``yaw``, is too unclear to compare.
    """

    height_px: int
    sharpness: float
    yaw: float
    """An upper limit: a face that is turned farther is too unclear."""
    brightness: float
    contrast: float
    mirror_agreement: float


@dataclass(frozen=True)
class Thresholds:
    """All figures that matching depends on. A person accepts them before they are used."""

    versions: Mapping[str, str]
    """Version of the weights, by model name; the figures are valid for these versions only."""
    sface_centre: tuple[float, ...]
    """Mean SFace vector of many faces, which is subtracted before vectors are compared; empty for
    the school's own model, for which no mean face is known."""
    dlib_offset: float
    """Mean dlib cosine of two different people; the dlib score is scaled so that this is 0."""
    dlib_weight: float
    """Weight of dlib in the fused score, 0-1."""
    fused_tail: Tail
    """Tail of the fused score of SFace and dlib."""
    sface_tail: Tail
    """Tail of the SFace score, for faces that SFace matches without dlib."""
    margin: float
    """How much higher the score of the best pupil must be than that of the next."""
    false_accept_rate: float
    """Promised share of unknown faces that are matched to a pupil, for any size of gallery."""
    floors: QualityThresholds
    fitted_on: str
    """Description of the data that the figures were measured on."""

    def accept_fused(self, pupils: int, templates: int = 1) -> float:
        """Return the fused score from which a face matches a pupil.

        It is never lower for more pupils or for more templates.

        Args:
            pupils: Number of pupils in the gallery, or on the roll of an event.
            templates: Number of templates of the pupil whom the face is compared with.
        """
        return self.fused_tail.score_at((1 - SOLO_SHARE) * self._rate(pupils, templates))

    def accept_sface(self, pupils: int, templates: int = 1) -> float:
        """Return the SFace score from which a face matches a pupil without dlib.

        The arguments are those of ``accept_fused``.
        """
        return self.sface_tail.score_at(SOLO_SHARE * self._rate(pupils, templates))

    def min_sface_to_match(self, pupils: int) -> float:
        """Return the SFace score below which a face cannot match, whatever its dlib score."""
        return self.min_sface(self.accept_fused(pupils))

    def min_sface(self, fused: float) -> float:
        """Return the smallest SFace score that can give this fused score: dlib's score is 1."""
        return (fused - self.dlib_weight) / (1 - self.dlib_weight)

    def _rate(self, pupils: int, templates: int) -> float:
        """The probability with which the comparison with one pupil may fail."""
        return self.false_accept_rate / (max(pupils, 1) * max(templates, 1))

    def to_json(self) -> str:
        """Return JSON that ``from_json`` reads back to an equal value."""
        return json.dumps(asdict(self), indent=1, sort_keys=True)

    @staticmethod
    def from_json(text: str) -> Thresholds:
        """Read the text of ``to_json``.

        Raises:
            ValueError: The text has another form, or a figure is not finite.
        """
        try:
            raw = json.loads(text, parse_constant=_refuse_constant)
            raw["sface_centre"] = tuple(float(value) for value in raw["sface_centre"])
            raw["fused_tail"] = Tail(**raw["fused_tail"])
            raw["sface_tail"] = Tail(**raw["sface_tail"])
            raw["floors"] = QualityThresholds(**raw["floors"])
            return Thresholds(**raw)
        except (KeyError, TypeError) as error:
            raise ValueError("These are not thresholds.") from error


SOLO_SHARE = 0.1
"""Part of the promised rate that is reserved for faces matched by SFace alone. dlib takes 140 ms a
face, and its score matters only for faces near the threshold."""


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is not a figure.")
