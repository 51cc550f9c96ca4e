"""What faces are compared with, told by a value that changes whenever it does."""

from __future__ import annotations

from consent_gate.db.models import ImportRun, Template, ThresholdSet
from consent_gate.home.home import Home

GalleryVersion = tuple[object, ...]


def gallery_version(home: Home) -> GalleryVersion:
    """Changes whenever a face might be matched otherwise: templates, thresholds, or the day.

    With the day, because biometric consent runs out.
    """
    newest = Template.objects.order_by("-pk").values_list("pk", flat=True).first()
    imports = ImportRun.objects.order_by("-pk").values_list("pk", flat=True).first()
    accepted = ThresholdSet.objects.exclude(accepted_at=None).order_by("-accepted_at").first()
    thresholds = accepted.pk if accepted else None
    return newest, Template.objects.count(), imports, thresholds, home.now().date()
