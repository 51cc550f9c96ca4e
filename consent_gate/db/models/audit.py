"""The table of the audit trail. Rows are only added, never changed or deleted."""

from django.db import models


class AuditEntry(models.Model):
    """One entry of the chain; see ``consent_gate.db.audit_chain``."""

    sequence = models.PositiveBigIntegerField(primary_key=True)
    at = models.CharField(max_length=32)
    actor = models.CharField(max_length=150)
    action = models.CharField(max_length=60, db_index=True)
    subject = models.CharField(max_length=64, db_index=True)
    detail = models.JSONField(default=dict)
    mac = models.CharField(max_length=64)
