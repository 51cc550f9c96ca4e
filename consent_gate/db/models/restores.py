"""Restores of this home from a backup."""

from django.db import models


class Restore(models.Model):
    """One restore. The register lacks withdrawals between the backup and the restore.

    So it counts as stale until an export of the day of the restore or later is imported.
    """

    restored_at = models.DateTimeField()
    on = models.DateField()
    """Local date of the restore."""
    backup_made_at = models.DateTimeField()
    newest_import = models.BigIntegerField(default=0)
    """Primary key of the newest import in the backup; 0 if there is none."""
