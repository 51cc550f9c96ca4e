"""What matching goes by beyond the templates: accepted thresholds, classes at an event."""

from django.db import models


class ThresholdSet(models.Model):
    """Thresholds that a calibration proposed; in force once a person has accepted them."""

    values = models.TextField()
    """``Thresholds.to_json``."""
    report = models.TextField(blank=True)
    """The dated page, as HTML."""
    proposed_at = models.DateTimeField()
    proposed_by = models.CharField(max_length=150)
    accepted_at = models.DateTimeField(null=True)
    accepted_by = models.CharField(max_length=150, blank=True)


class EventClasses(models.Model):
    """The classes that staff named for an event: only their pupils are cleared by machine."""

    event = models.TextField(unique=True)
    """Folder below the inbox."""
    reg_groups = models.JSONField(default=list)
    actor = models.CharField(max_length=150)
    created_at = models.DateTimeField()
