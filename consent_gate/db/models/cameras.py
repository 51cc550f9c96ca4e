"""The register of the school's cameras, beside those named in the settings."""

from django.db import models


class Camera(models.Model):
    """A camera that staff say is the school's."""

    device = models.CharField(max_length=200, unique=True)
    """``make|model|serial`` as ``ingest.decoding.camera`` reads it; an empty serial is the
    whole model."""
    actor = models.CharField(max_length=150)
    created_at = models.DateTimeField()
