"""Detections of the same face are merged; detections of two faces are not."""

from __future__ import annotations

from ingest.faces.clustering import merge_detections
from ingest.faces.protocols import Detection


def seen(
    detector: str, score: float, at: tuple[float, float, float, float] = (50, 50, 40, 50)
) -> Detection:
    return Detection(*at, score=score, landmarks=None, detector=detector)


def test_two_people_side_by_side_stay_two() -> None:
    boxes = [seen("yunet", 0.8, (50, 50, 40, 50)), seen("yunet", 0.8, (80, 50, 40, 50))]
    assert len(merge_detections(boxes)) == 2
