"""Calibrate the school's own face model on the school's own portraits."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

from consent_gate.errors import GateError
from consent_gate.home.home import Home
from consent_gate.matching.calibration import Calibration, Volume, calibrate
from consent_gate.matching.school_model import thresholds_before_calibration, with_rule_4
from consent_gate.matching.shipped_thresholds import shipped_thresholds
from consent_gate.matching.thresholds import Thresholds
from consent_gate.register.repository import compared_photos, load_gallery
from ingest.enrolment.school_vectors import measure_stored_portraits
from ingest.workers.analysis_pool import AnalysisPool, OpenTaskRunner


class PortraitsNotMeasured(GateError):
    """The school's own face model cannot measure the stored portraits of some pupils."""

    exit_code = 49
    next_step = (
        "Import a new portrait of each of them, or remove the photo on the page Portraits. Then run"
        " 'consent-gate calibrate' again. Until then the model decides nothing."
    )


@dataclass(frozen=True, eq=False)
class SchoolModelCalibration:
    """A calibration of the school's own face model."""

    result: Calibration
    thresholds: Thresholds
    """Those proposed, or those that no face reaches."""
    photos: tuple[int, ...]
    """Keys of the enrolment photos that were measured."""


def calibrate_school_model(  # noqa: PLR0913, PLR0917  what is measured, and how
    home: Home,
    volume: Volume,
    siblings: Collection[tuple[str, str]],
    actor: str,
    progress: Callable[[int, int], None],
    open_pool: OpenTaskRunner = AnalysisPool,
) -> SchoolModelCalibration:
    """Measure stored portraits that the model has not seen yet, and fit thresholds.

    Args:
        home: The school's home, with a model in its settings.
        volume: How many faces the gate examines.
        siblings: Pairs of admission numbers, which are left out.
        actor: Who asks for it, for the audit.
        progress: Called with the number of portraits measured and the total.
        open_pool: Starts the workers.

    Raises:
        PortraitsNotMeasured: The model cannot measure all portraits.
        SchoolModelUnavailable: The file is missing or is another one.
        ValueError: No model is set.
        WorkerPoolUnavailable: No worker can be started, for example because of the model's answers.
    """
    model = home.settings.recognition.model
    if model is None:
        raise ValueError("no model is set")
    missing = measure_stored_portraits(home, actor, progress, open_pool)
    if missing:
        raise PortraitsNotMeasured(
            "The school's own face model cannot measure the portraits of these pupils:"
            f" {', '.join(missing)}."
        )
    photos = tuple(photo.pk for photo in compared_photos(home))
    before = thresholds_before_calibration(model.version, shipped_thresholds())
    result = with_rule_4(calibrate(load_gallery(home), before, volume, siblings))
    return SchoolModelCalibration(result, result.proposed or before, photos)


def school_model_text(home: Home) -> str:
    """Which model a report is about, for staff; empty for the models of the package."""
    model = home.settings.recognition.model
    if model is None:
        return ""
    return (
        f"The school's own face model was measured: {model.file.name}, SHA-256 {model.sha256[:12]},"
        f" licence: {model.licence}. It decides nothing until somebody accepts a proposal."
    )


def school_model_dict(home: Home) -> dict[str, str] | None:
    """The model for ``calibrate --json``; None for the models of the package."""
    model = home.settings.recognition.model
    if model is None:
        return None
    return {
        "file": str(model.file),
        "sha256": model.sha256,
        "licence": model.licence,
        "version": model.version,
        "run": model.run,
    }
