"""Requests to lift a never-publish mark: one person asks, another person confirms."""

from django.db import models

from consent_gate.db.models.register import ImportRun, PupilEntry


class NeverPublishLift(models.Model):
    """An open request to lift a pupil's never-publish mark.

    The mark stays until another person confirms the request. The row is deleted after the answer.
    The audit trail keeps both names.
    """

    pupil = models.OneToOneField(PupilEntry, on_delete=models.CASCADE, related_name="mark_lift")
    asked_by = models.CharField(max_length=150)
    asked_at = models.DateTimeField()
    import_run = models.ForeignKey(ImportRun, null=True, on_delete=models.SET_NULL)
    """The import whose export no longer marks the pupil; None where a person asked by hand."""
