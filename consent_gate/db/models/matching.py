"""Inputs of matching other than templates: thresholds, and the classes at an event."""

from django.db import models


class ThresholdSet(models.Model):
    """Thresholds that a calibration proposed. They are in force after a person accepted them."""

    values = models.TextField()
    """``Thresholds.to_json``."""
    report = models.TextField(blank=True)
    """The calibration report, as HTML."""
    proposed_at = models.DateTimeField()
    proposed_by = models.CharField(max_length=150)
    accepted_at = models.DateTimeField(null=True)
    accepted_by = models.CharField(max_length=150, blank=True)


class EventClasses(models.Model):
    """The classes that staff named for an event. The machine clears only their pupils."""

    event = models.TextField(unique=True)
    """Folder below the inbox."""
    reg_groups = models.JSONField(default=list)
    actor = models.CharField(max_length=150)
    created_at = models.DateTimeField()
