"""Notes of staff to each other about a picture. They have no effect on decisions."""

from django.db import models

from consent_gate.db.models.items import Item


class ReviewNote(models.Model):
    """One note. If ``asked`` is set, the picture is in that colleague's list until they answer."""

    item = models.ForeignKey(Item, on_delete=models.CASCADE, related_name="notes")
    text = models.CharField(max_length=500)
    actor = models.CharField(max_length=150)
    asked = models.CharField(max_length=150, blank=True, db_index=True)
    """Log-in name of the colleague who is asked."""
    created_at = models.DateTimeField()
    answered_at = models.DateTimeField(null=True)
