"""A version of the gallery, to detect that it must be loaded again."""

from __future__ import annotations

from django.db.models import Count, Max

from consent_gate.db.models import EnrolmentPhoto, ImportRun, Template, ThresholdSet
from consent_gate.home.home import Home

GalleryVersion = tuple[object, ...]


def gallery_version(home: Home) -> GalleryVersion:
    """Return a value that changes whenever a face might be matched differently.

    It depends on the templates, which of them are confirmed, the imports, the thresholds, the
    school's own face model, and the day, because biometric consent can expire.
    """
    model = home.settings.recognition.model
    newest = Template.objects.order_by("-pk").values_list("pk", flat=True).first()
    imports = ImportRun.objects.order_by("-pk").values_list("pk", flat=True).first()
    accepted = ThresholdSet.objects.exclude(accepted_at=None).order_by("-accepted_at").first()
    thresholds = accepted.pk if accepted else None
    confirmed = EnrolmentPhoto.objects.aggregate(
        count=Count("confirmed_at"), newest=Max("confirmed_at")
    )
    return (
        newest,
        Template.objects.count(),
        (confirmed["count"], confirmed["newest"]),
        imports,
        thresholds,
        home.settings.recognition.portraits_kept_days,
        (model.version, model.run) if model else None,
        home.now().date(),
    )
