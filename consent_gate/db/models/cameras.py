"""The register of the school's cameras, in addition to those in the settings."""

from django.db import models


class Camera(models.Model):
    """A camera that staff confirmed to be the school's."""

    device = models.CharField(max_length=200, unique=True)
    """``make|model|serial`` as ``ingest.decoding.camera`` reads it; an empty serial
    means every camera of the model."""
    actor = models.CharField(max_length=150)
    created_at = models.DateTimeField()
