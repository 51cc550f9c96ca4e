"""Handing a sealed picture to the authorities: asked for by one person, confirmed by another."""

from django.db import models

from consent_gate.db.models.items import Item


class SealedExport(models.Model):
    """One request, and what became of it. Rows stay: they are part of the chain of custody."""

    item = models.ForeignKey(Item, on_delete=models.PROTECT, related_name="exports")
    reason = models.CharField(max_length=300)
    """Which authority asked for it, and its reference."""
    asked_by = models.CharField(max_length=150)
    asked_at = models.DateTimeField()
    confirmed_by = models.CharField(max_length=150, blank=True)
    confirmed_at = models.DateTimeField(null=True)
    package = models.CharField(max_length=26, blank=True)
    """Name of the encrypted file in the vault; empty before it is made and after it is gone."""
    sha256 = models.CharField(max_length=64, blank=True)
    """Of the encrypted file."""
    taken_at = models.DateTimeField(null=True)
    refused_by = models.CharField(max_length=150, blank=True)
    refused_at = models.DateTimeField(null=True)
