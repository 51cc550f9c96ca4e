"""Exports of sealed pictures for the authorities: one person asks, another person confirms."""

from django.db import models

from consent_gate.db.models.items import Item


class SealedExport(models.Model):
    """One request and its result. Rows stay, because they are part of the chain of custody."""

    item = models.ForeignKey(Item, on_delete=models.PROTECT, related_name="exports")
    reason = models.CharField(max_length=300)
    """Which authority asked for it, and its reference."""
    asked_by = models.CharField(max_length=150)
    asked_at = models.DateTimeField()
    confirmed_by = models.CharField(max_length=150, blank=True)
    confirmed_at = models.DateTimeField(null=True)
    package = models.CharField(max_length=26, blank=True)
    """Name of the encrypted file in the vault; empty before it is made and after it is deleted."""
    sha256 = models.CharField(max_length=64, blank=True)
    """SHA-256 of the encrypted file."""
    taken_at = models.DateTimeField(null=True)
    refused_by = models.CharField(max_length=150, blank=True)
    refused_at = models.DateTimeField(null=True)
