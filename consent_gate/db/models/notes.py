"""What colleagues write to each other about a picture. It decides nothing."""

from django.db import models

from consent_gate.db.models.items import Item


class ReviewNote(models.Model):
    """One note; with ``asked`` it waits in that colleague's pile until they answer."""

    item = models.ForeignKey(Item, on_delete=models.CASCADE, related_name="notes")
    text = models.CharField(max_length=500)
    actor = models.CharField(max_length=150)
    asked = models.CharField(max_length=150, blank=True, db_index=True)
    """Log-in name of the colleague who is asked."""
    created_at = models.DateTimeField()
    answered_at = models.DateTimeField(null=True)
