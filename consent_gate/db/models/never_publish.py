"""Lifting a never-publish mark: one person asks, another one confirms."""

from django.db import models

from consent_gate.db.models.register import ImportRun, PupilEntry


class NeverPublishLift(models.Model):
    """Somebody asked for a pupil's never-publish mark to be lifted. Until another person confirms
    it the mark stays; the row goes when they have answered, the audit trail keeps both names."""

    pupil = models.OneToOneField(PupilEntry, on_delete=models.CASCADE, related_name="mark_lift")
    asked_by = models.CharField(max_length=150)
    asked_at = models.DateTimeField()
    import_run = models.ForeignKey(ImportRun, null=True, on_delete=models.SET_NULL)
    """The import whose export no longer marks the pupil; None where a person asked by hand."""
