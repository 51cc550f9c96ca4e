"""Named faces that wait to become templates."""

from django.db import models

from consent_gate.db.models.items import StaffTag


class FaceToRemember(models.Model):
    """A face that staff named and want the gate to remember. It goes with the tag."""

    tag = models.OneToOneField(StaffTag, on_delete=models.CASCADE, related_name="to_remember")
    admission_number = models.CharField(max_length=32)
    """The pupil whom the tag named then. If the tag names another pupil now, nothing is done."""
    actor = models.CharField(max_length=150)
    created_at = models.DateTimeField()
    refusal = models.CharField(max_length=300, blank=True)
    """Why it was not remembered, for staff; empty while it waits."""
