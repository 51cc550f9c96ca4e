"""Decide with a face model that the school has the right to use, in place of SFace and dlib.

The rules, on top of those of ``identify``:

1. A model without accepted thresholds decides nothing: every face is ``NotMatched``.
2. The vectors of the model are compared by the thresholds that were accepted for it alone.
3. Beside SFace, a face is matched, or nearly, only if SFace finds it as like the pupil as one pair
   of strangers in five hundred. So a model that goes wrong clears nobody whom SFace finds unlike.
4. A model is not proposed for acceptance where it does not tell the school's pupils apart, or does
   not recognise most second pictures.

Source: docs/adr/0025. The functions use no files and no clock.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from consent_gate.matching.calibration import Calibration
from consent_gate.matching.gallery import (
    ROUNDING,
    SCHOOL,
    SFACE,
    Gallery,
    Probes,
    sface_by_pupil,
)
from consent_gate.matching.identify import match, version_refusal
from consent_gate.matching.thresholds import Tail, Thresholds
from consent_gate.model import Identity, Match, NearMatch, NotMatched, Reason, Unknown

EXPONENTIAL = 0.0
"""Shape of the tail of another model's scores. A few hundred pupils are too few to fit a shape. An
exponential tail is heavier than every tail measured for SFace and dlib (-0.13 to -0.01), so the
line is rather too strict."""

MINIMUM_GENUINE = 20
"""Pairs of pictures of one pupil from which the share that is not recognised is judged."""


@dataclass(frozen=True)
class SchoolModelUse:
    """How the school's own model decides."""

    thresholds: Thresholds | None
    """The accepted thresholds; None while the model may decide nothing."""
    refusal: str = ""
    """Message for staff where ``thresholds`` is None."""
    beside: bool = True
    """Whether SFace must agree (rule 3)."""


def match_by_school_model(
    gallery: Gallery, probes: Probes, sface: Thresholds, use: SchoolModelUse
) -> list[Identity]:
    """Identify each face by the school's own model. Returns one identity per row.

    Args:
        gallery: The templates of enrolled pupils, with vectors of SFace and of the model.
        probes: The faces, with vectors of SFace and of the model.
        sface: The thresholds of SFace in force.
        use: The thresholds of the model, and whether SFace must agree.
    """
    count = len(probes.vectors[SCHOOL])
    if use.thresholds is None:
        return [NotMatched(Reason.NOT_EXAMINED, use.refusal)] * count
    found = match(gallery, probes, use.thresholds)
    if not use.beside or not gallery.pupils:
        return found
    refusal = version_refusal(gallery, probes, sface, (SFACE,))
    if refusal:
        return [refusal] * count
    scores = sface_by_pupil(probes.vectors[SFACE], gallery, sface)
    place = {pupil: column for column, pupil in enumerate(gallery.pupils)}
    agreed: list[Identity] = []
    for row, identity in zip(scores, found, strict=True):
        if isinstance(identity, Match | NearMatch):
            alike = bool(row[place[identity.pupil]] >= sface.sface_tail.start)
            agreed.append(identity if alike else Unknown())
        else:
            agreed.append(identity)
    return agreed


def thresholds_before_calibration(version: str, shipped: Thresholds) -> Thresholds:
    """Thresholds of a model that was never calibrated: no face reaches them.

    ``calibration.refit`` replaces their tails. The margin, the promised rate and the quality floors
    are those of the package; the floors are measured with SFace for every model.

    Args:
        version: The version of the model, with its input form.
        shipped: The thresholds of the package.
    """
    nobody = Tail(start=2.0, share=1.0, scale=1e-9, shape=EXPONENTIAL)
    return replace(
        shipped,
        versions={SCHOOL: version},
        sface_centre=(),
        dlib_offset=0.0,
        dlib_weight=0.0,
        fused_tail=nobody,
        sface_tail=nobody,
        fitted_on="nothing",
    )


def with_rule_4(result: Calibration) -> Calibration:
    """A calibration of the school's own model, without its proposal where the model is no use."""
    fault = _fault(result)
    if not fault:
        return result
    return replace(result, proposed=None, explanation=f"{fault} It cannot be accepted.")


def _fault(result: Calibration) -> str:
    """Why the model of a calibration is no use, for staff; empty where it is."""
    if result.proposed is None:
        return ""
    if not np.isfinite(result.accept) or result.accept >= 1 - 100 * ROUNDING:
        return "The model does not tell the pupils of this school apart."
    if (
        result.missed is not None
        and len(result.genuine) >= MINIMUM_GENUINE
        and result.missed.value > 0.5
    ):
        return "The model does not recognise most second pictures of a pupil."
    return ""
